"""How a delivery went, in few points: for a chart on a phone. Pure.

It shows, and decides nothing: bills go by `sightings`. What cannot be true of the energy (a register that fell, or
leapt beyond the end) is left out, the rest of such a reading is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from chalicelib.charging.model.metering import BareReading

MOST_POINTS: Final = 500


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One moment: what had been delivered by then, the power, the battery; each only where it was told."""

    taken_at: datetime
    energy_wh: int | None
    power_w: int | None
    soc_percent: int | None


def curve(
    readings: Iterable[BareReading], *, start_wh: int | None, total_wh: int | None, most: int
) -> list[CurvePoint]:
    """At most `most` (2 or more) points in the order of the charger's time: the first, the last, and of as many equal
    parts of the time in between the last point of each. `total_wh` is what was delivered in all; None: it still is."""
    points: list[CurvePoint] = []
    seen_wh = 0
    for reading in sorted(readings, key=lambda one: one.taken_at):
        register_wh = reading.energy_wh
        if start_wh is None:
            start_wh = register_wh
        energy_wh = None if register_wh is None or start_wh is None else register_wh - start_wh
        if energy_wh is not None:
            if energy_wh < seen_wh or (total_wh is not None and energy_wh > total_wh):
                energy_wh = None
            else:
                seen_wh = energy_wh
        point = CurvePoint(reading.taken_at, energy_wh, reading.power_w, reading.soc_percent)
        if points and points[-1].taken_at == point.taken_at:
            points[-1] = _both(points[-1], point)
        elif any(value is not None for value in (point.energy_wh, point.power_w, point.soc_percent)):
            points.append(point)
    return _thinned(points, most)


def _both(one: CurvePoint, other: CurvePoint) -> CurvePoint:
    """Some firmware tells each quantity in a frame of its own."""
    return replace(
        one,
        energy_wh=one.energy_wh if other.energy_wh is None else other.energy_wh,
        power_w=one.power_w if other.power_w is None else other.power_w,
        soc_percent=one.soc_percent if other.soc_percent is None else other.soc_percent,
    )


def _thinned(points: list[CurvePoint], most: int) -> list[CurvePoint]:
    if len(points) <= most:
        return points
    first, last = points[0].taken_at, points[-1].taken_at
    parts = most - 1
    by_part = {(point.taken_at - first) * parts // (last - first): point for point in points[1:-1]}
    by_part.pop(parts, None)  # told at the very end: the last point stands for it
    return [points[0], *list(by_part.values())[: most - 2], points[-1]]
