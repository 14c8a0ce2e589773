"""Prices by the clock and the calendar of the location: over midnight, across changes of the clock, by day and date."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.tariffs.rating import rate, total_cost
from tests.unit.tariffs.conftest import component
from tests.unit.tariffs.prices import bill, element, tariff_of, used

HOUR = 3600

NIGHT = element(component("ENERGY", "0.20"), component("TIME", "1"), start_time="22:00", end_time="06:00")
DAY = element(component("ENERGY", "0.40"), component("TIME", "2"))
DAY_AND_NIGHT = tariff_of(NIGHT, DAY)


def test_a_night_over_midnight() -> None:
    """21:00 to 07:00 in Berlin, 10 kWh evenly: 8 of 10 hours are night, 22:00 to 06:00."""
    rated = rate(DAY_AND_NIGHT, used("2026-03-02T20:00", 10 * HOUR, 10_000))
    assert bill(rated) == [
        ("ENERGY", "8", "0.20", 160),
        ("TIME", "8", "1", 800),
        ("ENERGY", "2", "0.40", 80),
        ("TIME", "2", "2", 400),
    ]


@pytest.mark.parametrize(
    ("begin", "hours", "night_h", "why"),
    [
        ("2026-03-28T20:00", 10, 7, "the clock goes from 2 to 3: 21:00 to 08:00, of which the night has 7 hours"),
        ("2026-10-24T19:00", 10, 9, "the clock goes from 3 back to 2: 21:00 to 06:00, of which the night has 9"),
        ("2026-10-24T19:00", 12, 9, "the same, and on until 08:00"),
    ],
)
def test_the_nights_in_which_the_clock_is_changed(begin: str, hours: int, night_h: int, why: str) -> None:
    rated = rate(DAY_AND_NIGHT, used(begin, hours * HOUR, hours * 1000))
    by_price = {price: quantity for dimension, quantity, price, _ in bill(rated) if dimension == "ENERGY"}
    assert by_price == {"0.20": str(night_h), "0.40": str(hours - night_h)}, why


@pytest.mark.parametrize(
    ("begin", "hours", "inside_h"),
    [
        ("2026-03-29T00:00", 3, 0.5),  # 01:00 to 05:00: 02:00 to 03:30 has only 03:00 to 03:30
        ("2026-10-24T23:00", 5, 2.5),  # 01:00 to 05:00: 02:00 to 03:30 has 2:00 to 3:00 twice
    ],
)
def test_a_time_within_the_hour_that_is_missing_or_double(begin: str, hours: int, inside_h: float) -> None:
    priced = tariff_of(element(component("TIME", "1"), start_time="02:00", end_time="03:30"))
    assert total_cost(priced, used(begin, hours * HOUR, 1)).amount == inside_h * 100


def test_a_time_that_begins_in_the_missing_hour_begins_when_the_clock_jumps() -> None:
    priced = tariff_of(element(component("TIME", "1"), start_time="02:30", end_time="04:00"))
    assert total_cost(priced, used("2026-03-29T00:00", 4 * HOUR, 1)).amount == 100


def test_a_weekend_begins_at_the_locations_midnight() -> None:
    """Friday 6 March 23:30 in Berlin, an hour and a half."""
    weekend = element(component("ENERGY", "0.10"), day_of_week=("SATURDAY", "SUNDAY"))
    rated = rate(tariff_of(weekend, DAY), used("2026-03-06T22:30", 5400, 9_000))
    assert [(quantity, price) for dim, quantity, price, _ in bill(rated) if dim == "ENERGY"] == [
        ("6", "0.10"),
        ("3", "0.40"),
    ]


def test_a_day_of_the_week_over_midnight_is_the_day_of_the_moment() -> None:
    """MONDAY 22:00-06:00 is Monday before six and from ten: Sunday's night pays from midnight to six, as Monday."""
    monday_nights = tariff_of(
        element(component("TIME", "1"), start_time="22:00", end_time="06:00", day_of_week=("MONDAY",))
    )
    assert (
        total_cost(monday_nights, used("2026-03-01T21:00", 9 * HOUR, 9)).amount == 600
    )  # Sunday 22:00 to Monday 07:00
    assert (
        total_cost(monday_nights, used("2026-03-02T20:00", 9 * HOUR, 9)).amount == 200
    )  # Monday 21:00 to Tuesday 06:00


@pytest.mark.parametrize(
    ("restrictions", "hours"),
    [
        ({"start_date": "2026-03-03"}, 6),
        ({"end_date": "2026-03-03"}, 4),
        ({"start_date": "2026-03-02", "end_date": "2026-03-03"}, 4),
        ({"start_date": "2026-03-04"}, 0),
        ({"start_time": "23:00"}, 1),
        ({"end_time": "01:30"}, 1.5),
        ({"start_time": "22:00", "end_time": "00:00"}, 2),
        ({"end_time": "00:00"}, 10),
        ({"start_time": "00:00", "end_time": "06:00"}, 6),
    ],
)
def test_dates_and_times_from_monday_eight_in_the_evening(restrictions: dict[str, Any], hours: float) -> None:
    """20:00 to 06:00 in Berlin. `end_date` is out; an `end_time` of 00:00 is the end of the day."""
    priced = tariff_of(element(component("TIME", "1"), **restrictions))
    assert total_cost(priced, used("2026-03-02T19:00", 10 * HOUR, 1)).amount == hours * 100


def test_energy_is_split_where_the_price_changes_to_the_wh() -> None:
    """9 999 Wh in two hours around 22:00: 4 999 before and 5 000 after, together what the meter says."""
    rated = rate(DAY_AND_NIGHT, used("2026-03-02T20:00", 2 * HOUR, 9_999))
    assert [quantity for dim, quantity, _, _ in bill(rated) if dim == "ENERGY"] == ["5", "4.999"]


def test_a_fraction_of_a_second_belongs_to_the_second_it_is_in() -> None:
    """From half a second before 22:00, ten seconds: the first one began by day."""
    rated = rate(DAY_AND_NIGHT, used("2026-03-02T20:59:59.500", 10, 10))
    assert [line.quantity * 3600 for line in rated.lines if line.dimension == "TIME"] == pytest.approx([9, 1], abs=0.01)


def test_the_zone_does_not_matter_where_the_calendar_does_not() -> None:
    priced = tariff_of(element(component("ENERGY", "0.20"), max_kwh="5"), DAY)
    costs = {total_cost(priced, used("2026-03-29T00:00", HOUR, 7_000, zone=zone)) for zone in ("UTC", "Asia/Kolkata")}
    assert len(costs) == 1
