"""Idle cars: what is idle, the idle fee, its grace."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.tariffs.rating import rate, total_cost
from tests.unit.tariffs.conftest import component, consumption
from tests.unit.tariffs.prices import bill, element, tariff_of, used

MONDAY = "2026-03-02T08:00"
IDLE_FEE = tariff_of(element(component("TIME", "1"), component("PARKING_TIME", "6")))


@pytest.mark.parametrize(
    ("readings", "idle_s"),
    [
        ([], 0),  # nobody told
        ([(600, 5_000)], 0),  # energy all the time
        ([(600, 10_000)], 3000),  # full after ten minutes
        ([(600, 5_000), (1200, 5_000)], 600),  # a pause
        ([(600, 10_000, 0)], 3000),
        ([(600, 10_000, 101)], 0),  # power flows, the register is coarse
        ([(600, 10_000, 100)], 3000),  # standby
        ([(600, 5_000, None, True)], 3000),  # told idle, though some energy came
        ([(600, 10_000, None, False)], 0),  # told to be charging
        ([(600, 10_000, 0), (1200, 10_000, 3_000)], 600),
        ([(0, 0, None, True), (600, 0, None, False)], 600),  # waits from the start
        ([(600, 0), (1200, 5_000)], 600),
    ],
)
def test_what_is_idle(readings: list[tuple[Any, ...]], idle_s: int) -> None:
    rated = rate(IDLE_FEE, used(MONDAY, 3600, 10_000, readings))
    seconds = {line.dimension: round(line.quantity * 3600) for line in rated.lines}
    assert (seconds.get("PARKING_TIME", 0), seconds.get("TIME", 0)) == (idle_s, 3600 - idle_s)


def test_without_energy_and_without_readings_nobody_knows_of_idleness() -> None:
    """A charger without a meter sells time."""
    assert total_cost(IDLE_FEE, used(MONDAY, 3600, 0)).amount == 100
    assert total_cost(IDLE_FEE, used(MONDAY, 3600, 0, [(1800, 0)])).amount == 600


@pytest.mark.parametrize(
    ("grace_s", "readings", "billed_s"),
    [
        (600, [(600, 10_000)], 2400),
        (3000, [(600, 10_000)], 0),
        (3600, [(600, 10_000)], 0),
        (600, [(600, 5_000), (900, 5_000), (2400, 10_000)], 600),  # two ends of charging, each with its own grace
        (600, [(600, 10_000), (900, 10_000), (1500, 10_000)], 2400),  # one end, however often it is told
        (0, [(600, 10_000)], 3000),
    ],
)
def test_grace_begins_with_each_end_of_charging(grace_s: int, readings: list[tuple[int, int]], billed_s: int) -> None:
    priced = tariff_of(element(component("PARKING_TIME", "6")), idle_grace_s=grace_s)
    rated = rate(priced, used(MONDAY, 3600, 10_000, readings))
    assert sum(round(line.quantity * 3600) for line in rated.lines) == billed_s
    assert rated.total.amount == billed_s // 6


def test_time_in_grace_is_no_charging_time_either() -> None:
    priced = tariff_of(element(component("TIME", "1"), component("PARKING_TIME", "6")), idle_grace_s=1800)
    assert bill(rate(priced, consumption(5_000, 7200, 3600))) == [
        ("TIME", "1", "1", 100),
        ("PARKING_TIME", "0.5", "6", 300),
    ]


def test_an_idle_fee_by_day_only() -> None:
    """OCPI 2.2.1, "switching to Free-of-Charge Tariff Element": after 20:00 idle cars cost nothing."""
    priced = tariff_of(
        element(component("TIME", "1.20", step_size=1800), end_time="17:00"),
        element(component("TIME", "2.40", step_size=900)),
        element(component("PARKING_TIME", "1.00", step_size=900), end_time="20:00"),
    )
    plugged_in_at_1955 = used("2026-03-02T18:55", 720, 1_000, [(600, 1_000)])
    assert bill(rate(priced, plugged_in_at_1955)) == [("TIME", "0.25", "2.40", 60)]


def test_energy_that_flows_while_idle_is_paid_for() -> None:
    priced = tariff_of(element(component("ENERGY", "0.50"), component("PARKING_TIME", "1")))
    assert total_cost(priced, used(MONDAY, 3600, 1_000, [(0, 0, None, True)])).amount == 150
