"""The table of triggers: what makes an order abnormal, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.charging.model import ChargingSession
from chalicelib.charging.model.causes import CAUSES, cause_of, causes_at_end, causes_of_readings, in_order, is_uncertain

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ENDED = BEGAN + timedelta(hours=1)
SESSION = ChargingSession(
    session_id="ses_01JD0000000000000000000000",
    state="settled",
    origin="card",
    target="full",
    operator_id="org_1",
    location_id=None,
    charger_id="CP-1",
    evse_no=1,
    id_token="CARD",
    authorization="accepted",
    currency="EUR",
    time_zone="Europe/Berlin",
    business_zone="Europe/Berlin",
    created_at=BEGAN,
    driver_id="drv_1",
    held=2000,
    started_at=BEGAN,
    stopped_at=ENDED,
    ended_at=ENDED,
    meter_start_wh=1000,
    meter_stop_wh=3000,
    energy_wh=2000,
    cost=70,
    captured=70,
)


def test_an_order_as_it_should_be_has_no_cause() -> None:
    assert causes_at_end(SESSION) == []


@pytest.mark.parametrize(
    ("told", "causes"),
    [
        ({"state": "abnormal", "abnormal_cause": "stop_missing"}, ["stop_missing"]),
        ({"abnormal_cause": "meter_backwards", "energy_wh": 0, "meter_stop_wh": 5}, ["meter_backwards"]),
        ({"abnormal_cause": "something_new"}, ["something_new"]),
        ({"energy_wh": 0, "meter_stop_wh": 1000, "cost": 0, "captured": 0}, ["nothing_delivered"]),
        ({"authorization": "invalid", "driver_id": None, "captured": 0}, ["not_authorized"]),
        ({"authorization": "invalid", "driver_id": None, "cost": 0, "captured": 0}, ["not_authorized"]),
        ({"authorization": "blocked", "captured": 20}, ["not_authorized"]),
        ({"captured": 50}, ["cost_over_hold"]),
        ({"ended_at": ENDED + timedelta(hours=13)}, ["told_late"]),
        ({"ended_at": ENDED - timedelta(hours=2)}, ["clock_ahead"]),
        ({"captured": 0, "ended_at": ENDED + timedelta(days=1)}, ["cost_over_hold", "told_late"]),
        ({"captured": 0, "abnormal_cause": "meter_missing"}, ["meter_missing", "cost_over_hold"]),
    ],
)
def test_each_trigger_is_found(told: dict[str, Any], causes: list[str]) -> None:
    assert causes_at_end(replace(SESSION, **told)) == causes


@pytest.mark.parametrize(
    "told",
    [
        {"captured": 67},  # a charger stops a little after it is told
        {"authorization": "blocked"},  # whose card it was has paid for it
        {"authorization": "invalid", "driver_id": None, "energy_wh": 0, "stopped_at": BEGAN, "cost": 0, "captured": 0},
        {"energy_wh": 0, "meter_stop_wh": 1000, "stopped_at": BEGAN + timedelta(minutes=14)},
        {"driver_id": None, "payment_id": "pay_1"},
        {"ended_at": ENDED + timedelta(hours=11)},
        {"state": "expired", "started_at": None},
        {"state": "charging", "abnormal_cause": "start_missing"},
    ],
)
def test_what_is_usual_is_no_trigger(told: dict[str, Any]) -> None:
    assert causes_at_end(replace(SESSION, **told)) == []


def test_a_lost_session_is_not_late_or_empty_besides() -> None:
    lost = replace(SESSION, state="abnormal", abnormal_cause="stop_missing", energy_wh=0, meter_stop_wh=1000)
    assert causes_at_end(replace(lost, ended_at=ENDED + timedelta(days=2))) == ["stop_missing"]


def told(*minutes: tuple[int, int]) -> list[tuple[datetime, datetime]]:
    """Readings by the minute in which they were taken, and that in which they came."""
    return [(BEGAN + timedelta(minutes=taken), BEGAN + timedelta(minutes=came)) for taken, came in minutes]


@pytest.mark.parametrize(
    ("readings", "causes"),
    [
        (told(), []),
        (told((10, 10), (40, 41)), []),
        (told((10, 190), (40, 220)), []),  # a clock that is three hours slow, not a charger that was away
        (told((10, 10), (20, 55)), ["charger_offline"]),
        (told((-500, -500), (30, 30)), []),
    ],
)
def test_how_the_readings_came(readings: list[tuple[datetime, datetime]], causes: list[str]) -> None:
    assert causes_of_readings(SESSION, readings) == causes


def test_a_gap_is_longer_than_two_hours() -> None:
    long = replace(SESSION, stopped_at=BEGAN + timedelta(hours=4))
    assert causes_of_readings(long, told((110, 110), (180, 180))) == []
    assert causes_of_readings(long, told((125, 125))) == ["readings_gap"]
    assert causes_of_readings(long, []) == []  # it never tells any


def registers(*values_wh: int) -> list[tuple[datetime, int]]:
    return [(BEGAN + timedelta(minutes=10 + number), value_wh) for number, value_wh in enumerate(values_wh)]


@pytest.mark.parametrize(
    ("values_wh", "is_fault"),
    [
        ((), False),
        ((1000, 2000, 3000), False),
        ((1500, 1490, 1700), False),  # rounded anew, or told a little behind
        ((1500, 1489, 1480, 1700), True),
        ((3000 + 10,), False),
        ((3000 + 11,), True),  # the end is below what was read last
        ((4000, 2000, 1500), True),
        ((1200, 2000, 0, 2500), False),  # one that was misread alone
        ((1200, 2000, 9_000_000, 2500), False),
        ((2500, 1200, 1300, 2900), True),  # it lost its register, and went on
        ((0, 1000, 2000), False),  # of this delivery alone, and below the begin
    ],
)
def test_a_meter_that_falls_between_its_readings(values_wh: tuple[int, ...], is_fault: bool) -> None:
    seen = registers(*values_wh)
    moments = [(taken, taken) for taken, _ in seen]
    for told_as in (seen, seen[::-1]):
        assert causes_of_readings(SESSION, moments, told_as) == ["meter_backwards"] * is_fault


def test_what_is_read_before_and_behind_the_delivery_is_not_looked_at() -> None:
    before, behind = (BEGAN - timedelta(minutes=1), 9000), (ENDED + timedelta(minutes=1), 5)
    assert causes_of_readings(SESSION, [(BEGAN, BEGAN)], [before, *registers(2000), behind]) == []


def test_causes_stand_in_the_order_of_the_table() -> None:
    assert in_order(["readings_gap", "stop_missing", "readings_gap"]) == ["stop_missing", "readings_gap"]


def test_one_uncertain_cause_makes_the_amount_uncertain() -> None:
    assert is_uncertain(["told_late", "meter_missing"])
    assert not is_uncertain(["told_late", "cost_over_hold"])
    assert is_uncertain(["something_new"])


def test_every_cause_says_what_it_is() -> None:
    assert all(cause.title and cause.when for cause in CAUSES.values())
    assert cause_of("something_new").title == "Something new"
