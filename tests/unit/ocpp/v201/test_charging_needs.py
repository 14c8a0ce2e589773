"""The schedule that a car gets for the needs it told."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.ocpp.schemas import SchemaFolder
from chalicelib.ocpp.v201.charging_needs import profile_for

AT = "2026-03-02T08:00:00.000Z"
AC = {"energyAmount": 20_000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400}


def given(transfer: str, **needs: Any) -> dict[str, Any] | None:
    return profile_for({"requestedEnergyTransfer": transfer, **needs}, transaction_id="tx-1", evse_no=2, starts_at=AT)


def schedule(profile: dict[str, Any] | None) -> dict[str, Any]:
    assert profile is not None
    [only] = profile["chargingProfile"]["chargingSchedule"]
    return {name: only[name] for name in ("chargingRateUnit", "chargingSchedulePeriod")}


@pytest.mark.parametrize(("transfer", "phases"), [("AC_single_phase", 1), ("AC_two_phase", 2), ("AC_three_phase", 3)])
def test_alternating_current_is_granted_in_amperes_per_phase(transfer: str, phases: int) -> None:
    assert schedule(given(transfer, acChargingParameters=AC)) == {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16, "numberPhases": phases}],
    }


@pytest.mark.parametrize(
    ("dc", "power_w"),
    [
        ({"evMaxCurrent": 200, "evMaxVoltage": 400, "evMaxPower": 50_000}, 50_000),
        ({"evMaxCurrent": 200, "evMaxVoltage": 400}, 80_000),
        ({"evMaxCurrent": 0.1, "evMaxVoltage": 3}, 0.3),
    ],
)
def test_direct_current_is_granted_in_watts(dc: dict[str, Any], power_w: float) -> None:
    assert schedule(given("DC", dcChargingParameters=dc)) == {
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": power_w}],
    }


def test_a_car_that_also_gives_back_is_granted_what_it_takes() -> None:
    """OCPP 2.1: bidirectional charging names its power elsewhere."""
    granted = schedule(given("DC_BPT", v2xChargingParameters={"maxChargePower": 11_000}))
    assert granted["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 11_000}]


@pytest.mark.parametrize(
    "needs",
    [
        {},
        {"acChargingParameters": {**AC, "evMaxCurrent": 0}},
        {"dcChargingParameters": {"evMaxCurrent": 0, "evMaxVoltage": 400}},
        {"v2xChargingParameters": {"maxDischargePower": 11_000}},
    ],
)
def test_without_a_maximum_there_is_no_schedule(needs: dict[str, Any]) -> None:
    assert given("AC_three_phase", **needs) is None


@pytest.mark.parametrize("folder", ["v201", "v21"])
def test_it_conforms_and_belongs_to_its_transaction(folder: str) -> None:
    profile = given("AC_three_phase", acChargingParameters=AC)
    assert SchemaFolder(folder).violation("SetChargingProfileRequest", profile) is None
    assert profile is not None
    assert profile["evseId"] == 2
    assert profile["chargingProfile"]["transactionId"] == "tx-1"
    assert profile["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"


def test_new_needs_replace_the_schedule_of_the_same_transaction() -> None:
    first, second = given("AC_three_phase", acChargingParameters=AC), given("AC_single_phase", acChargingParameters=AC)
    assert first is not None
    assert second is not None
    assert first["chargingProfile"]["id"] == second["chargingProfile"]["id"]
