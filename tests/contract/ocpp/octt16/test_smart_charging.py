"""Smart charging: profiles for everybody, for one transaction, with a remote start; what results; taking them away."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.ocpp.octt16.scripted import NOW, ScriptedCharger

SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.5}]}


def profile(number: int, purpose: str, kind: str = "Absolute", **more: Any) -> dict[str, Any]:
    schedule = SCHEDULE if kind == "Relative" else {**SCHEDULE, "startSchedule": NOW}
    return {
        "chargingProfileId": number,
        "stackLevel": number,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": schedule,
        **more,
    }


def set_profile(charger: ScriptedCharger, value: dict[str, Any], answer: str = "Accepted") -> str:
    asked = charger.ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": value})
    assert asked.payload["csChargingProfiles"] == value
    return asked.reply({"status": answer})


def profiles(charger: ScriptedCharger) -> list[Any]:
    """What the operator is shown."""
    shown: list[Any] = charger.read("/v1/chargers/WIRE-1/charging-profiles")["data"]
    return shown


def test_tc_056_csms(charger: ScriptedCharger) -> None:
    """A default for all transactions: at fixed times, every day, and from the start of each."""
    assert set_profile(charger, profile(1, "TxDefaultProfile")) == "accepted"
    assert set_profile(charger, profile(2, "TxDefaultProfile", "Recurring", recurrencyKind="Daily")) == "accepted"
    assert set_profile(charger, profile(3, "TxDefaultProfile", "Relative")) == "accepted"
    assert len(profiles(charger)) == 3


def test_tc_057_csms(charger: ScriptedCharger) -> None:
    """A limit for the transaction that is running."""
    transaction_id = charger.start_accepted()
    assert set_profile(charger, profile(1, "TxProfile", "Relative", transactionId=transaction_id)) == "accepted"
    assert len(profiles(charger)) == 1


def test_tc_059_csms(charger: ScriptedCharger) -> None:
    """A remote start that brings its profile with it: for the transaction that will be, so without a number."""
    payload = {"connectorId": 1, "idTag": "CARD-1", "chargingProfile": profile(1, "TxProfile", "Relative")}
    asked = charger.ask("RemoteStartTransaction", payload)
    assert asked.payload == payload
    assert asked.reply({"status": "Accepted"}) == "accepted"
    charger.start_accepted()


def test_tc_066_csms(charger: ScriptedCharger) -> None:
    """What the profiles amount to on a connector: the schedule is shown with the command."""
    set_profile(charger, profile(1, "TxDefaultProfile"))
    asked = charger.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 300})
    answer = {"status": "Accepted", "connectorId": 1, "scheduleStart": NOW, "chargingSchedule": SCHEDULE}
    assert asked.reply(answer) == "accepted"
    assert asked.view()["answer"]["chargingSchedule"] == SCHEDULE


def test_tc_067_csms(charger: ScriptedCharger) -> None:
    """One profile is taken away by its number, others by what they are for."""
    for number in (1, 2, 3):
        set_profile(charger, profile(number, "TxDefaultProfile"))
    assert charger.ask("ClearChargingProfile", {"id": 2}).reply({"status": "Accepted"}) == "accepted"
    assert len(profiles(charger)) == 2
    by_kind = {"connectorId": 1, "chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 3}
    assert charger.ask("ClearChargingProfile", by_kind).reply({"status": "Accepted"}) == "accepted"
    assert len(profiles(charger)) == 1


def test_what_the_charger_does_not_have_is_not_shown(charger: ScriptedCharger) -> None:
    """It says that it knows no such profile: then ours was out of date."""
    set_profile(charger, profile(1, "TxDefaultProfile"))
    assert charger.ask("ClearChargingProfile", {"id": 1}).reply({"status": "Unknown"}) == "rejected"
    assert profiles(charger) == []


@pytest.mark.parametrize("word", ["Rejected", "NotSupported"])
def test_a_profile_that_was_refused_is_not_shown(charger: ScriptedCharger, word: str) -> None:
    assert set_profile(charger, profile(1, "TxDefaultProfile"), word) == "rejected"
    assert profiles(charger) == []
