"""When a delivery will reach what ends it, as far as its last reading tells. Pure.

Between two readings a fast charger delivers a good part of what a prepaid amount buys: at 150 kW 2.5 kWh a minute. What
is near its end is therefore looked at when it should come, not when the next reading does (decision 0064).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from chalicelib.charging.model.metering import MOST_POWER_W

LOOK_AHEAD: Final = timedelta(seconds=90)
"""More than chargers are told to wait between two readings (60 s): what ends later, the next one tells."""
STOP_LEAD: Final = timedelta(seconds=2)
"""What a command takes on its way. A charge may end by so much too early: what it would have cost goes back."""
MOST_ABOVE_AVERAGE: Final = 4
"""Power that is told counts for so many times the average so far at most: some chargers tell it in the wrong unit, and
nobody's charge is cut short by that."""


def power_ahead_w(energy_wh: int, took: timedelta, told_w: int | None) -> float:
    """What is being delivered, by what the charger tells of its power and what its register has shown so far."""
    seconds = took.total_seconds()
    average_w = energy_wh * 3600 / seconds if seconds > 0 else 0.0
    if told_w is None or not 0 <= told_w <= MOST_POWER_W:
        return average_w
    return min(float(told_w), average_w * MOST_ABOVE_AVERAGE) if average_w else float(told_w)


def may_run_out(cost: int, held: int, took: timedelta) -> bool:
    """A cheap look before the exact one: can the rest of the hold be used up within LOOK_AHEAD?"""
    if not cost or took <= LOOK_AHEAD:
        return True
    return cost + cost * MOST_ABOVE_AVERAGE * (LOOK_AHEAD / took) >= held


def runs_out_after(is_over: Callable[[timedelta], bool]) -> timedelta | None:
    """How long from the last reading until `is_over`, to the second; None: not within LOOK_AHEAD. `is_over` tells it of
    any moment, and what is over stays over."""
    if not is_over(LOOK_AHEAD):
        return None
    least, most = -1, int(LOOK_AHEAD.total_seconds())
    while most - least > 1:
        middle = (least + most) // 2
        if is_over(timedelta(seconds=middle)):
            most = middle
        else:
            least = middle
    return timedelta(seconds=most)
