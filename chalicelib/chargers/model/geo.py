"""Distances on the earth, and the cells by which what is near is found. Pure.

A cell is one degree of latitude high, and so wide that even its edge nearest the pole is about as long: further from
the equator a row has fewer cells, the polar caps have one. So a circle of up to MAX_RADIUS_M touches at most
MAX_CELLS of them, wherever its centre is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, degrees, floor, radians, sin, sqrt
from typing import Final

EARTH_RADIUS_M: Final = 6_371_008.8
"""The mean radius (IUGG)."""
MAX_RADIUS_M: Final = 50_000.0
MAX_CELLS: Final = 4
_SLACK_DEG: Final = 1e-6
"""A tenth of a metre: more than what rounding coordinates takes away."""


@dataclass(frozen=True)
class Point:
    """Decimal degrees, north and east positive."""

    latitude: float
    longitude: float


def distance_m(one: Point, other: Point) -> float:
    """Along the great circle of a sphere (haversine): within 0.6 % of the ellipsoid's."""
    half_latitude = radians(other.latitude - one.latitude) / 2
    half_longitude = radians(other.longitude - one.longitude) / 2
    latitudes = cos(radians(one.latitude)) * cos(radians(other.latitude))
    chord = sin(half_latitude) ** 2 + latitudes * sin(half_longitude) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, chord)))


def cell_of(point: Point) -> str:
    """The cell of a point: `<row>:<column>`. A row is named by its southern edge; columns count eastwards from
    180° west."""
    row = _row_of(point.latitude)
    columns = _columns(row)
    return f"{row}:{min(columns - 1, floor(_east(point.longitude) / 360 * columns))}"


def cells_around(centre: Point, radius_m: float) -> list[str]:
    """The cells in which something may be at most `radius_m` (up to MAX_RADIUS_M) away.

    The point furthest east on a circle is not at its centre's latitude but nearer the pole. A circle around a pole has
    none, and lies in one cap."""
    south, north = latitudes_around(centre, radius_m)
    widest = sin(radius_m / EARTH_RADIUS_M) / cos(radians(centre.latitude))
    reach = degrees(asin(min(1.0, widest))) + _SLACK_DEG
    cells = []
    for row in range(_row_of(south), _row_of(north) + 1):
        columns = _columns(row)
        first = floor(_east(centre.longitude - reach) / 360 * columns)
        last = floor((_east(centre.longitude - reach) + 2 * reach) / 360 * columns)
        cells += [f"{row}:{column % columns}" for column in range(first, min(last, first + columns - 1) + 1)]
    return cells


def latitudes_around(centre: Point, radius_m: float) -> tuple[float, float]:
    """South and north of all that is at most `radius_m` away."""
    reach = degrees(radius_m / EARTH_RADIUS_M) + _SLACK_DEG
    return max(-90.0, centre.latitude - reach), min(90.0, centre.latitude + reach)


def _row_of(latitude: float) -> int:
    return min(89, floor(latitude))


def _columns(row: int) -> int:
    nearest_the_pole = max(abs(row), abs(row + 1))
    return max(1, floor(360 * cos(radians(nearest_the_pole))))


def _east(longitude: float) -> float:
    """Degrees eastwards from 180° west, below 360. 180° east is 180° west."""
    return (longitude + 180) % 360
