"""Block E of 2.1: a delivery that ends by its energy, its time or its cost, and one that survives an interruption."""

from __future__ import annotations

from typing import Any, Final

import pytest

from chalicelib.charging.model import Limits
from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.octt201.station import CARD, Station, Transaction


def by_phone(station: Station, limits: Limits | None = None) -> tuple[Transaction, Any]:
    """The driver asks for 5.00 (and less by `limits`); gives the transaction, and the answer to its first event."""
    asked: Asked = station.request(limits)
    assert asked.reply() == "accepted"
    transaction = station.transaction(remote_start_id=asked.payload["remoteStartId"])
    answer = transaction.started("RemoteStart", "EVConnected", idToken=asked.payload["idToken"])
    assert answer["idTokenInfo"]["status"] == "Accepted"
    transaction.energised()
    return transaction, answer


OURS: Final[dict[str, tuple[Limits | None, str, float, str, str]]] = {
    "TC_E_109": (None, "maxCost", 5.0, "CostLimitReached", "LocalOutOfCredit"),
    "TC_E_110": (Limits(energy_wh=200), "maxEnergy", 200, "EnergyLimitReached", "EnergyLimitReached"),
    "TC_E_111": (Limits(duration_s=1800), "maxTime", 1800, "TimeLimitReached", "TimeLimitReached"),
}
"""What the driver wished beside 5.00, how the station is told, and how it says that it is reached."""


@pytest.mark.parametrize("case", OURS)
def test_the_platform_sets_a_limit(station: Station, case: str) -> None:
    """The answer to the first event has it; the station confirms it, stops there, and what was delivered is sold."""
    limits, name, value, trigger, reason = OURS[case]
    transaction, answer = by_phone(station, limits)
    assert answer["transactionLimit"][name] == value
    transaction.updated("LimitSet", "Charging", info={"transactionLimit": {name: value}})
    transaction.updated(trigger, "SuspendedEVSE", wh=1200)
    transaction.ended("EVCommunicationLost", reason)
    assert station.sold()


THEIRS: Final[dict[str, tuple[dict[str, Any], str, str]]] = {
    "TC_E_106": ({"maxEnergy": 200.0}, "EnergyLimitReached", "EnergyLimitReached"),
    "TC_E_107": ({"maxTime": 1800}, "TimeLimitReached", "TimeLimitReached"),
    "TC_E_108": ({"maxCost": 0.07}, "CostLimitReached", "LocalOutOfCredit"),
}


@pytest.mark.parametrize("case", THEIRS)
def test_the_station_sets_a_limit(station: Station, case: str) -> None:
    """The driver chose it at the station, which tells it and stops there: all is answered, and sold."""
    limit, trigger, reason = THEIRS[case]
    transaction = station.transaction()
    transaction.started("CablePluggedIn", "EVConnected", info={"transactionLimit": limit})
    transaction.updated("Authorized", token=CARD)
    transaction.energised()
    transaction.updated(trigger, "SuspendedEVSE", wh=1200)
    transaction.ended("EVCommunicationLost", reason)
    assert station.sold()


def test_tc_e_102_both_set_a_limit(station: Station) -> None:
    """The station tells a limit of its own, the driver's wish is lower: ours stays what we tell."""
    asked = station.request(Limits(energy_wh=200))
    asked.reply()
    transaction = station.transaction(remote_start_id=asked.payload["remoteStartId"])
    theirs = {"transactionLimit": {"maxEnergy": 9000.0}}
    answer = transaction.started("RemoteStart", "EVConnected", idToken=asked.payload["idToken"], info=theirs)
    assert answer["transactionLimit"]["maxEnergy"] == 200
    transaction.energised()
    transaction.updated("EnergyLimitReached", "SuspendedEVSE", wh=1200)
    transaction.ended("EVCommunicationLost", "EnergyLimitReached")
    assert station.sold()


def interrupted(station: Station) -> Transaction:
    """The power fails while a car charges; the station is back soon, and takes the transaction up again."""
    transaction = station.transaction().charging()
    transaction.updated("MeterValuePeriodic", "Charging", wh=1100)
    station.world.advance(30)
    station.wire.close()
    assert station.connect()
    assert station.boot("PowerUp")["status"] == "Accepted"
    transaction.updated("TxResumed", "Charging", wh=1100, context="Interruption.End")
    return transaction


def test_tc_e_113_it_goes_on_after_an_interruption(station: Station) -> None:
    """One delivery, from before the power failed to its end: sold once, from the first register."""
    interrupted(station).finished()
    assert station.sold()
    assert len(station.sessions()) == 1


def test_tc_e_117_a_profile_after_an_interruption(station: Station) -> None:
    """Taken up again, the transaction gets a charging profile."""
    transaction = interrupted(station)
    period = {"startPeriod": 0, "limit": 8.0}
    profile = {
        "id": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": transaction.transaction_id,
        "chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}],
    }
    assert station.obeys("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
    transaction.finished()
    assert station.sold()


RESUMED: Final[dict[str, bool]] = {"TC_B_103": False, "TC_B_116": True}


@pytest.mark.parametrize("case", RESUMED)
def test_restarted_at_once_and_taken_up_again(station: Station, case: str) -> None:
    """Reset ImmediateAndResume while a car charges, without or with a profile: the transaction is not ended by it, and
    is sold once at its real end."""
    transaction = station.transaction().charging()
    if RESUMED[case]:
        period = {"startPeriod": 0, "limit": 8.0}
        profile = {
            "id": 7,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}],
        }
        assert station.obeys("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
    assert station.obeys("Reset", {"type": "ImmediateAndResume"})
    transaction.updated("ResetCommand", "SuspendedEVSE", wh=1100, context="Interruption.Begin")
    station.wire.close()
    assert station.connect()
    assert station.boot("RemoteReset")["status"] == "Accepted"
    assert not station.sold()
    transaction.updated("TxResumed", "Charging", wh=1100, context="Interruption.End")
    transaction.finished()
    assert station.sold()
    assert len(station.sessions()) == 1


def test_tc_b_104_restarted_at_once_and_nothing_charges(station: Station) -> None:
    """Reset ImmediateAndResume of a station without a transaction: it boots again."""
    assert station.obeys("Reset", {"type": "ImmediateAndResume"})
    station.reboot()
