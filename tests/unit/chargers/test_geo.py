"""Distances on the earth, and that the cells of a circle hold all that is in it: at the date line, at the poles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import cos, radians

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.chargers.model import Location
from chalicelib.chargers.model.geo import (
    MAX_CELLS,
    MAX_RADIUS_M,
    Point,
    cell_of,
    cells_around,
    distance_m,
    latitudes_around,
)
from chalicelib.chargers.model.nearby import Spot, index_of, spots_between
from tests.unit.chargers.around import BERLIN, away

LATITUDES = st.floats(-90, 90)
LONGITUDES = st.floats(-180, 180)
RADII_M = st.floats(1_000, MAX_RADIUS_M)


@pytest.mark.parametrize(
    ("one", "other", "expected_m"),
    [
        (BERLIN, BERLIN, 0),
        (BERLIN, Point(48.8566, 2.3522), 877_464),
        (Point(0, 179.5), Point(0, -179.5), 111_195),
        (Point(90, 0), Point(90, 120), 0),
        (Point(90, 0), Point(-90, 0), 20_015_115),
    ],
)
def test_distances_are_those_of_a_sphere(one: Point, other: Point, expected_m: int) -> None:
    assert distance_m(one, other) == pytest.approx(expected_m, abs=30)
    assert distance_m(other, one) == pytest.approx(distance_m(one, other))


@given(LATITUDES, LONGITUDES, RADII_M, st.floats(0, 6.2831853), st.floats(0, 1))
@example(0.0, 180.0, MAX_RADIUS_M, 1.57, 1.0)
@example(-17.7, -180.0, MAX_RADIUS_M, 4.71, 1.0)
@example(89.1, 0.0, MAX_RADIUS_M, 1.5, 1.0)
@example(89.9, 77.0, MAX_RADIUS_M, 0.0, 1.0)
@example(-90.0, 0.0, MAX_RADIUS_M, 1.0, 1.0)
@example(59.999, 13.0, MAX_RADIUS_M, 1.565, 1.0)
def test_whatever_is_within_the_radius_lies_in_one_of_the_cells(
    latitude: float, longitude: float, radius_m: float, bearing: float, part: float
) -> None:
    centre = Point(latitude, longitude)
    near = away(centre, bearing, radius_m * part)
    cells = cells_around(centre, radius_m)
    south, north = latitudes_around(centre, radius_m)
    assert cell_of(near) in cells
    assert south <= near.latitude <= north
    assert len(cells) == len(set(cells)) <= MAX_CELLS


@pytest.mark.parametrize("latitude", [0, 30.5, 45.99, 60.5, 70, 80.2, 85, 88.5, 89.2, 89.5, 89.6, -60.5, -89.3])
def test_no_edge_of_a_cell_is_forgotten(latitude: float) -> None:
    """Centres in steps that are smaller than the circle, all along a part of the parallel: chance meets few edges."""
    for step in range(200):
        centre = Point(latitude, -180 + step * 0.17 / cos(radians(latitude)) % 360)
        cells = set(cells_around(centre, MAX_RADIUS_M))
        for bearing in range(24):
            assert cell_of(away(centre, radians(bearing * 15), MAX_RADIUS_M)) in cells


@given(LATITUDES, LONGITUDES)
def test_a_spot_tells_where_it_is_and_lies_between_the_latitudes_around_it(latitude: float, longitude: float) -> None:
    place = located(f"{latitude:.7f}", f"{longitude:.7f}")
    spot = Spot(str(index_of(place)["spot"]))
    point = Point(float(f"{latitude:.7f}"), float(f"{longitude:.7f}"))
    assert spot.location_id == "loc_1"
    assert distance_m(spot.point, point) < 0.1
    first, last = spots_between(point.latitude, point.latitude)
    assert first <= spot.spot <= last
    assert not (spots_between(point.latitude + 1e-6, 90)[0] <= spot.spot)
    assert not (spot.spot <= spots_between(-90, point.latitude - 1e-6)[1])


def located(latitude: str | None, longitude: str | None) -> Location:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    return Location("loc_1", "org_1", "N", "A", "C", "DE", "Europe/Berlin", now, latitude=latitude, longitude=longitude)


def test_what_is_closed_or_on_no_map_is_not_in_the_index() -> None:
    nowhere = {"cell": None, "spot": None}
    assert index_of(located(None, None)) == nowhere
    assert index_of(replace(located("1", "1"), state="inactive")) == nowhere
