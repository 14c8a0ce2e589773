"""A delivery from reading to reading: when, how much, with which power, and whether the car was idle. Pure.

Idle is a car of which the reading before says so. Where it does not say, it is one that took no energy until the next
reading, unless that reading told a power above IDLE_POWER_W. A delivery without readings was charging all the time: of
a charger that tells nothing on the way nobody knows better. A meter that ran backwards delivered nothing meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from chalicelib.tariffs.model.consumption import Consumption

IDLE_POWER_W: Final = 100
_SECOND: Final = timedelta(seconds=1)
_HOUR_S: Final = 3600

_Point = tuple[int, int, int | None, bool | None]


class Stretch(NamedTuple):
    """Seconds and Wh since the start. Energy flows evenly; without a told power it is the average. An idle car has
    grace until `free_s`."""

    begin_s: int
    begin_wh: int
    end_s: int
    end_wh: int
    power_w: int
    is_idle: bool
    free_s: int


def stretches(consumption: Consumption, grace_s: int) -> Iterator[Stretch]:
    """In order; each time that charging ends grace begins anew. One that took neither time nor energy is left out."""
    duration_s, energy_wh = consumption.duration_s, max(0, consumption.energy_wh)
    points = _points(consumption, duration_s, energy_wh)
    begin_s, begin_wh, told_w, told_idle = next(points)
    free_s, was_idle = 0, False
    for end_s, end_wh, next_w, next_idle in points:
        took_s, took_wh = end_s - begin_s, end_wh - begin_wh
        if took_s or took_wh:
            average_w = took_wh * _HOUR_S // took_s if took_s else 0
            power_w = average_w if told_w is None else told_w
            is_idle = told_idle if told_idle is not None else not took_wh and (told_w or 0) <= IDLE_POWER_W
            if is_idle and not was_idle:
                free_s = begin_s + grace_s
            was_idle = is_idle
            yield Stretch(begin_s, begin_wh, end_s, end_wh, power_w, is_idle, free_s)
        begin_s, begin_wh, told_w, told_idle = end_s, end_wh, next_w, next_idle


def _points(consumption: Consumption, duration_s: int, energy_wh: int) -> Iterator[_Point]:
    """Begin, readings, end. One of before the start tells what holds there; what is out of order is left out."""
    if not consumption.readings:
        yield 0, 0, None, False
        if consumption.parking_s:
            yield consumption.charging_s, energy_wh, None, True
        yield duration_s, energy_wh, None, None
        return
    started_at = consumption.started_at
    at_s, seen_wh = 0, 0
    point: _Point = (0, 0, None, None)
    for reading in consumption.readings:
        after_s = (reading.taken_at - started_at) // _SECOND
        if after_s > duration_s:
            break
        if after_s > 0:
            if after_s < at_s:
                continue
            yield point
            at_s, seen_wh = after_s, min(energy_wh, max(seen_wh, reading.energy_wh))
        point = (at_s, seen_wh, reading.power_w, reading.is_idle)
    yield point
    yield duration_s, energy_wh, None, None
