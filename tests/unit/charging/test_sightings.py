"""What was seen of a delivery on its way: cleaned the same for the cost so far and for the bill."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model import MeterReading, MeterSample
from chalicelib.charging.model.sightings import Sighting, delivered_readings, sightings_of
from chalicelib.tariffs.model import Consumption, Reading

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
START_WH = 1000


def at(minute: float) -> datetime:
    return BEGAN + timedelta(minutes=minute)


def delivered(*seen: Sighting, total_wh: int = 1000, minutes: float = 60) -> list[tuple[float, int, bool | None]]:
    whole = Consumption(BEGAN, at(minutes), total_wh)
    readings = delivered_readings(seen, START_WH, whole)
    return [((r.taken_at - BEGAN).total_seconds() / 60, r.energy_wh, r.is_idle) for r in readings]


def test_registers_become_energy_since_the_start_whatever_came_first() -> None:
    assert delivered(Sighting(at(20), 1700), Sighting(at(10), 1300)) == [(10, 300, None), (20, 700, None)]


def test_what_lies_before_the_begin_or_behind_the_end_is_not_of_this_delivery() -> None:
    outside = (Sighting(at(minute), 1500) for minute in (-5, 0, 60, 90))
    assert delivered(*outside) == []


def test_a_register_that_fell_back_or_leapt_beyond_the_end_is_dropped() -> None:
    seen = (Sighting(at(10), 1300), Sighting(at(20), 900), Sighting(at(30), 900_000), Sighting(at(40), 1400))
    assert delivered(*seen) == [(10, 300, None), (40, 400, None)]


def test_quantities_of_one_moment_are_one_reading() -> None:
    seen = (Sighting(at(10), None, 7000), Sighting(at(10), 1300), Sighting(at(10), is_idle=False))
    whole = Consumption(BEGAN, at(60), 1000)
    assert delivered_readings(seen, START_WH, whole) == (Reading(at(10), 300, 7000, False),)


@pytest.mark.parametrize(
    ("states", "energies"),
    [
        ([(20, True)], [(20, 800)]),  # all that the next register has more flowed before the car stopped
        ([(20, False)], [(20, 300)]),  # it begins to charge here: nothing flowed before
        ([(15, True), (20, False)], [(15, 300), (20, 300)]),
        ([(15, False), (20, True)], [(15, 300), (20, 800)]),
    ],
)
def test_a_state_without_a_register_stands_where_the_energy_must_have_been(
    states: list[tuple[int, bool]], energies: list[tuple[int, int]]
) -> None:
    told = [Sighting(at(minute), is_idle=idle) for minute, idle in states]
    found = delivered(Sighting(at(10), 1300), *told, Sighting(at(30), 1800))
    assert [(minute, wh) for minute, wh, _ in found] == [(10, 300), *energies, (30, 800)]


def test_a_state_behind_the_last_register_counts_to_the_end() -> None:
    assert delivered(Sighting(at(10), 1300), Sighting(at(40), is_idle=True)) == [(10, 300, None), (40, 1000, True)]


def test_a_delivery_whose_begin_nobody_knows_has_no_readings() -> None:
    assert delivered_readings([Sighting(at(10), 1300)], None, Consumption(BEGAN, at(60), 0)) == ()


def test_a_frame_tells_all_its_samples_and_its_state_at_its_end() -> None:
    samples = [MeterSample(at(1), 1100, 7000), MeterSample(at(2), 1200, 6000)]
    reading = MeterReading("o", at(2), at(2), "f", samples=samples, charging_state="SuspendedEV")
    told = [(seen.energy_wh, seen.is_idle) for seen in sightings_of(reading)]
    assert told == [(1100, None), (1200, None), (None, True)]


sightings = st.builds(
    Sighting,
    st.integers(-5, 70).map(at),
    st.none() | st.integers(0, 3000),
    st.none() | st.integers(0, 20_000),
    st.none() | st.booleans(),
)


@given(st.lists(sightings, max_size=12), st.integers(0, 1500), st.randoms(use_true_random=False))
def test_whatever_was_told_in_whatever_order_energy_never_falls_nor_passes_the_end(
    seen: list[Sighting], total_wh: int, chance: random.Random
) -> None:
    found = delivered(*seen, total_wh=total_wh)
    energies = [0, *(energy for _, energy, _ in found), total_wh]
    assert energies == sorted(energies)
    assert [minute for minute, _, _ in found] == sorted({minute for minute, _, _ in found})
    again = [*seen, *seen[:3]]
    chance.shuffle(again)
    assert delivered(*again, total_wh=total_wh) == found
