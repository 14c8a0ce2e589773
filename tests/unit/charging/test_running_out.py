"""When a delivery reaches its end, foretold from one reading."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model.running_out import LOOK_AHEAD, may_run_out, power_ahead_w, runs_out_after

LONG = timedelta(hours=1)


@pytest.mark.parametrize(
    ("energy_wh", "took", "told_w", "power_w"),
    [
        (11_000, LONG, 11_000, 11_000),
        (11_000, LONG, None, 11_000),  # nothing is told: as it was so far
        (11_000, LONG, 0, 0),  # the car is full
        (11_000, LONG, 11_000_000, 11_000),  # kW told as W: no charger gives that
        (11_000, LONG, 399_000, 44_000),  # nor this, so soon
        (0, timedelta(seconds=1), 150_000, 150_000),
        (0, timedelta(0), None, 0),
        (500, timedelta(seconds=-5), 7_000, 7_000),  # the clock jumped
    ],
)
def test_what_is_being_delivered(energy_wh: int, took: timedelta, told_w: int | None, power_w: int) -> None:
    assert power_ahead_w(energy_wh, took, told_w) == power_w


@given(st.integers(1, 200))
def test_the_moment_is_found_to_the_second(over_after_s: int) -> None:
    after = runs_out_after(lambda after: after.total_seconds() >= over_after_s)
    within = over_after_s <= LOOK_AHEAD.total_seconds()
    assert after == (timedelta(seconds=over_after_s) if within else None)


def test_what_is_over_already_is_over_at_once() -> None:
    assert runs_out_after(lambda after: True) == timedelta(0)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(1, 86_400), st.integers(0, 3))
def test_the_cheap_look_misses_nothing_that_goes_on_like_this(cost: int, held: int, took_s: int, faster: int) -> None:
    took = timedelta(seconds=took_s)
    will_cost = cost + cost * (1 + faster) * LOOK_AHEAD.total_seconds() / took_s
    assert may_run_out(cost, held, took) or will_cost < held
