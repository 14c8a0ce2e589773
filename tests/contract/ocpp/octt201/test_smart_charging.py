"""Block K: how much, and when."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.octt201.station import Station


def profile(purpose: str = "TxDefaultProfile", **facts: Any) -> dict[str, Any]:
    """16 A from now on, profile 7 unless `facts` say otherwise."""
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]}
    return {
        "id": 7,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
        **facts,
    }


def kept(station: Station) -> list[int]:
    return sorted(row["profile"]["id"] for row in station.kept("charging-profiles")["data"])


def put(station: Station, evse_no: int, wanted: dict[str, Any], status: str = "Accepted") -> str:
    asked = station.ask("SetChargingProfile", {"evseId": evse_no, "chargingProfile": wanted})
    assert asked.payload["chargingProfile"] == wanted
    return asked.reply(status)


RECURRING: Final = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
PROFILES: Final[dict[str, tuple[int, dict[str, Any]]]] = {
    "TC_K_01": (1, profile()),
    "TC_K_03": (0, profile("ChargingStationMaxProfile")),
    "TC_K_10": (0, profile()),
    "TC_K_19": (1, profile(**RECURRING)),
}


@pytest.mark.parametrize("case", PROFILES)
def test_a_profile_is_set(station: Station, case: str) -> None:
    """For an EVSE or the station, once or every day: accepted, and shown among the station's profiles."""
    evse_no, wanted = PROFILES[case]
    assert put(station, evse_no, wanted) == "accepted"
    [row] = station.kept("charging-profiles")["data"]
    assert (row["evse_no"], row["profile"]) == (evse_no, wanted)


def test_tc_k_02_a_transaction_profile_without_a_transaction(station: Station) -> None:
    """A TxProfile where nothing charges is rejected, and not shown."""
    assert put(station, 1, profile("TxProfile", transactionId="T-9"), "Rejected") == "rejected"
    assert kept(station) == []


def test_tc_k_15_profiles_are_not_supported(station: Station) -> None:
    """The station answers with an error: the operator sees which."""
    asked = station.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile()})
    assert station.wire.send(f'[4,"{asked.call[1]}","NotSupported","no smart charging",{{}}]') is None
    seen = asked.view()
    assert (seen["state"], seen["error"]) == ("failed", "NotSupported: no smart charging")
    assert kept(station) == []


def test_tc_k_04_replaced_by_its_number(station: Station) -> None:
    """The same number again with another limit: one profile is left, the second."""
    assert put(station, 1, profile()) == "accepted"
    period = {"startPeriod": 0, "limit": 8.0}
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    assert put(station, 1, profile(chargingSchedule=[schedule])) == "accepted"
    [row] = station.kept("charging-profiles")["data"]
    assert row["profile"]["chargingSchedule"] == [schedule]


def test_tc_k_60_for_a_transaction(station: Station) -> None:
    """A TxProfile for the transaction that runs."""
    transaction = station.transaction().charging()
    assert put(station, 1, profile("TxProfile", transactionId=transaction.transaction_id)) == "accepted"
    assert kept(station) == [7]


def test_tc_k_70_several_profiles(station: Station) -> None:
    """Two, of different numbers and levels: both are kept."""
    assert put(station, 1, profile()) == "accepted"
    assert put(station, 1, profile(id=8, stackLevel=1)) == "accepted"
    assert kept(station) == [7, 8]


CRITERIA: Final = {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 0}
CLEARINGS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "TC_K_05": ({"chargingProfileId": 7}, "Accepted"),
    "TC_K_06": ({"chargingProfileCriteria": CRITERIA}, "Accepted"),
    "TC_K_08": ({"chargingProfileCriteria": {**CRITERIA, "evseId": 1}}, "Unknown"),
}


@pytest.mark.parametrize("case", CLEARINGS)
def test_profiles_are_cleared(station: Station, case: str) -> None:
    """By number, or by purpose and level. Where the station knows no such profile, none is shown any more either."""
    request, status = CLEARINGS[case]
    assert put(station, 1, profile()) == "accepted"
    assert put(station, 1, profile(id=8, stackLevel=1)) == "accepted"
    asked = station.ask("ClearChargingProfile", request)
    assert asked.payload == request
    assert asked.reply(status) == ("accepted" if status == "Accepted" else "rejected")
    assert kept(station) == [8]


PURPOSE: Final = {"chargingProfilePurpose": "TxDefaultProfile"}
QUESTIONS: Final[dict[str, dict[str, Any]]] = {
    "TC_K_29": {"evseId": 0, "chargingProfile": PURPOSE},
    "TC_K_30": {"evseId": 1, "chargingProfile": {}},
    "TC_K_31": {"chargingProfile": {}},
    "TC_K_32": {"chargingProfile": {"chargingProfileId": [7]}},
    "TC_K_33": {"evseId": 1, "chargingProfile": {"stackLevel": 0}},
    "TC_K_34": {"evseId": 1, "chargingProfile": {"chargingLimitSource": ["CSO"]}},
    "TC_K_35": {"evseId": 1, "chargingProfile": PURPOSE},
    "TC_K_36": {"evseId": 1, "chargingProfile": CRITERIA},
}


def report(station: Station, request_id: int, source: str, *profiles: dict[str, Any]) -> None:
    payload = {"requestId": request_id, "chargingLimitSource": source, "evseId": 1, "chargingProfile": [*profiles]}
    assert station.call("ReportChargingProfiles", payload) == {}


@pytest.mark.parametrize("case", QUESTIONS)
def test_profiles_are_asked_for(station: Station, case: str) -> None:
    """The question says just what was asked; the report with its number is kept, and seen with the command."""
    asked = station.ask("GetChargingProfiles", QUESTIONS[case])
    assert {name: asked.payload[name] for name in asked.payload if name != "requestId"} == QUESTIONS[case]
    assert asked.reply() == "accepted"
    report(station, asked.payload["requestId"], "CSO", profile())
    assert kept(station) == [7]
    assert asked.progress() != []


def test_tc_k_37_started_with_a_profile(station: Station) -> None:
    """A remote start brings its profile; the transaction goes on as usual."""
    wanted = profile("TxProfile")
    token = {"idToken": "04A2B3C4", "type": "ISO14443"}
    payload = {"idToken": token, "remoteStartId": 5, "evseId": 1, "chargingProfile": wanted}
    asked = station.ask("RequestStartTransaction", payload)
    assert asked.payload == payload
    assert asked.reply() == "accepted"
    transaction = station.transaction(remote_start_id=5)
    started = transaction.started("RemoteStart", "EVConnected", idToken=token)
    assert started["idTokenInfo"]["status"] == "Accepted"
    transaction.energised()
    transaction.finished()
    assert station.sold()


SCHEDULES: Final[dict[str, int]] = {"TC_K_43": 1, "TC_K_44": 0}


@pytest.mark.parametrize("case", SCHEDULES)
def test_what_applies_in_all(station: Station, case: str) -> None:
    """GetCompositeSchedule of an EVSE or the station: the schedule is seen with the command."""
    request = {"evseId": SCHEDULES[case], "duration": 300, "chargingRateUnit": "A"}
    asked = station.ask("GetCompositeSchedule", request)
    schedule = {
        "evseId": SCHEDULES[case],
        "duration": 300,
        "scheduleStart": station.now(),
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
    }
    assert asked.reply({"status": "Accepted", "schedule": schedule}) == "accepted"


def limited(station: Station) -> None:
    """Somebody else (an energy management system) limits EVSE 1."""
    schedule = profile()["chargingSchedule"]
    payload = {"evseId": 1, "chargingLimit": {"chargingLimitSource": "EMS"}, "chargingSchedule": schedule}
    assert station.call("NotifyChargingLimit", payload) == {}


def journal(station: Station) -> int:
    return len(station.kept("events?kind=charging_limit")["data"])


def test_tc_k_48_somebody_else_sets_a_limit(station: Station) -> None:
    """NotifyChargingLimit without a transaction: it is in the station's journal."""
    limited(station)
    assert journal(station) == 1


def test_tc_k_50_the_limit_is_gone(station: Station) -> None:
    """Set and released again: both are in the journal."""
    limited(station)
    station.world.advance(60)
    assert station.call("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1}) == {}
    assert journal(station) == 2


def test_tc_k_51_the_limit_is_gone_while_a_car_charges(station: Station) -> None:
    """As TC_K_50; the transaction tells that its rate has changed."""
    transaction = station.transaction().charging()
    limited(station)
    station.world.advance(60)
    assert station.call("ClearedChargingLimit", {"chargingLimitSource": "EMS", "evseId": 1}) == {}
    transaction.updated("ChargingRateChanged", "Charging", wh=1100)
    assert journal(station) == 2


def test_tc_k_52_the_limit_is_reported(station: Station) -> None:
    """A limit of somebody else is among the profiles that the station reports, with its source."""
    limited(station)
    asked = station.ask("GetChargingProfiles", {"evseId": 1, "chargingProfile": {"chargingLimitSource": ["EMS"]}})
    assert asked.reply() == "accepted"
    external = profile("ChargingStationExternalConstraints", id=-1)
    report(station, asked.payload["requestId"], "EMS", external)
    [row] = station.kept("charging-profiles")["data"]
    assert row["limit_source"] == "EMS"


def needs(station: Station, transaction_id: str) -> dict[str, Any]:
    """The car tells that it wants 10 kWh at 16 A; accepted, a profile for its transaction follows. Gives that."""
    wants = {"energyAmount": 10000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 230}
    charging_needs = {"requestedEnergyTransfer": "AC_three_phase", "acChargingParameters": wants}
    answer = station.call("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": charging_needs})
    assert answer["status"] in ("Accepted", "Processing")
    [asked] = station.received()
    assert asked.action == "SetChargingProfile"
    wanted = asked.payload["chargingProfile"]
    assert asked.payload["evseId"] == 1
    assert (wanted["chargingProfilePurpose"], wanted["transactionId"]) == ("TxProfile", transaction_id)
    assert asked.reply() == "accepted"
    return dict(wanted)


def plan(station: Station, limit: float = 16.0) -> None:
    """The car's own schedule within the profile, and the rate that follows from it."""
    schedule = profile()["chargingSchedule"][0]
    schedule["chargingSchedulePeriod"] = [{"startPeriod": 0, "limit": limit}]
    payload = {"timeBase": station.now(), "evseId": 1, "chargingSchedule": schedule}
    assert station.call("NotifyEVChargingSchedule", payload)["status"] in ("Accepted", "Rejected")
    assert len(station.kept("events?kind=charging_schedule")["data"]) > 0


def test_tc_k_53_the_car_tells_its_needs(station: Station) -> None:
    """They are answered by a profile for the transaction; the car's schedule is kept, and it charges."""
    transaction = station.transaction().charging()
    needs(station, transaction.transaction_id)
    plan(station)
    transaction.updated("ChargingRateChanged", "Charging", wh=1100)
    transaction.finished()
    assert station.sold()


def test_tc_k_55_the_cars_schedule_is_above_the_limit(station: Station) -> None:
    """As TC_K_53, and the car plans more than it was given: the schedule is answered and kept, and the station sees to
    the limit."""
    transaction = station.transaction().charging()
    needs(station, transaction.transaction_id)
    plan(station, 32.0)
    transaction.updated("ChargingRateChanged", "Charging", wh=1100)
    transaction.finished()
    assert station.sold()


def test_tc_k_57_the_car_needs_something_else(station: Station) -> None:
    """In the middle of it the car tells new needs: a second profile follows."""
    transaction = station.transaction().charging()
    needs(station, transaction.transaction_id)
    plan(station)
    station.world.advance(60)
    needs(station, transaction.transaction_id)
    plan(station)
    transaction.updated("ChargingRateChanged", "Charging", wh=1100)
    transaction.finished()
    assert station.sold()


def renegotiated(station: Station, transaction_id: str) -> None:
    assert put(station, 1, profile("TxProfile", transactionId=transaction_id, stackLevel=1)) == "accepted"


def test_tc_k_58_we_offer_something_else(station: Station) -> None:
    """The operator sends another profile for the transaction; the car makes a new schedule."""
    transaction = station.transaction().charging()
    renegotiated(station, transaction.transaction_id)
    plan(station)
    transaction.updated("ChargingRateChanged", "Charging", wh=1100)
    transaction.finished()
    assert station.sold()


def test_tc_k_59_we_offer_something_else_and_the_car_tells_its_needs(station: Station) -> None:
    """As TC_K_58; the car answers with its needs, and gets a profile that meets them."""
    transaction = station.transaction().charging()
    renegotiated(station, transaction.transaction_id)
    needs(station, transaction.transaction_id)
    plan(station)
    transaction.updated("ChargingRateChanged", "Charging", wh=1100)
    transaction.finished()
    assert station.sold()
