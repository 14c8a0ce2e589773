"""Finding locations by where they are, and what stands there: for drivers, whoever's the locations are.

A search reads the keys of an index and only then the rows of its page. It looks at no more than MAX_EXAMINED entries:
where more stand around, it looks at half of the radius, and so on, so that what it finds are always the nearest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from chalicelib.chargers.model import Charger, Evse, Location
from chalicelib.chargers.model.geo import MAX_RADIUS_M, Point, cells_around, distance_m, latitudes_around
from chalicelib.chargers.model.nearby import Spot, index_of, spots_between
from chalicelib.chargers.service import mapping
from chalicelib.chargers.service.finding import walk_chargers
from chalicelib.chargers.store.places import CHARGERS, LOCATIONS, SPOTS, LocationRow, charger_row_key, location_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, not_found
from chalicelib.kernel.pages import Page, Step, decode_cursor, page_of

MAX_EXAMINED: Final = 5_000
SMALLEST_RADIUS_M: Final = 1_000.0
"""Is not halved any more: then some of the entries stay unread."""
_ENTRIES_A_READ: Final = 1_000
_ROWS_A_READ: Final = 100


@dataclass(frozen=True)
class Nearby:
    location: Location
    distance_m: int


@dataclass(frozen=True)
class Search:
    """`radius_m`: how far it was looked, at most as far as was asked for."""

    page: Page[Nearby]
    radius_m: float


def find_nearby(
    ctx: Context,
    centre: Point,
    radius_m: float,
    *,
    limit: int,
    cursor: str | None,
    max_examined: int = MAX_EXAMINED,
) -> Search:
    """Active locations with chargers at most `radius_m` (up to MAX_RADIUS_M) away, nearest first. Raises
    cursor.invalid."""
    after = _place_in(cursor)
    radius_m = min(radius_m, MAX_RADIUS_M)
    while True:
        entries = list(islice(_entries(ctx, centre, radius_m), max_examined + 1))
        if len(entries) <= max_examined or radius_m <= SMALLEST_RADIUS_M:
            break
        radius_m /= 2
    found = []
    for spot in entries[:max_examined]:
        distance = distance_m(centre, spot.point)
        if distance <= radius_m:
            found.append((round(distance), spot.location_id, spot.spot))
    further = sorted(place for place in found if place[:2] > after)
    page = page_of(_read(ctx, further), limit, lambda nearby: nearby.location.charger_count > 0)
    return Search(page, radius_m)


def require_open_location(ctx: Context, location_id: str) -> Location:
    """An active location with chargers. Raises location.not_found for any other."""
    location = LOCATIONS.get(ctx, *location_key(location_id))
    if location is None or location.state != "active" or not location.charger_count:
        raise not_found("location", location_id)
    return location


def chargers_at(ctx: Context, location: Location) -> list[tuple[Charger, bool, list[Evse]]]:
    """The chargers of a location by identity, each with whether it is online, and its EVSEs, as they are now.

    Which they are is what the map knows, as long as it knows of as many as the location has."""
    pins = mapping.get_map(ctx, location.operator_id).pins
    pin = next((pin for pin in pins if pin.location.location_id == location.location_id), None)
    if pin is None or pin.charger_count != location.charger_count:
        chargers: list[Charger] = list(walk_chargers(ctx, location.operator_id))
    else:
        chargers = CHARGERS.batch_get(ctx, [charger_row_key(charger_id) for charger_id in pin.charger_ids])
    placed = [charger for charger in chargers if charger.location_id == location.location_id]
    return mapping.look_at(ctx, placed)


def _entries(ctx: Context, centre: Point, radius_m: float) -> Iterator[Spot]:
    first, last = spots_between(*latitudes_around(centre, radius_m))
    for cell in cells_around(centre, radius_m):
        yield from SPOTS.query_all(
            ctx, cell, LocationRow.spot.between(first, last), index=LocationRow.by_cell, limit=_ENTRIES_A_READ
        )


def _read(ctx: Context, places: list[tuple[int, str, str]]) -> Iterator[Step[Nearby]]:
    """The locations of these entries, each with where a list goes on after it. One that was moved or closed since the
    index was written is passed over."""
    for start in range(0, len(places), _ROWS_A_READ):
        chunk = places[start : start + _ROWS_A_READ]
        rows = LOCATIONS.batch_get(ctx, [location_key(location_id) for _, location_id, _ in chunk], consistent=False)
        by_id = {location.location_id: location for location in rows}
        for distance, location_id, spot in chunk:
            location = by_id.get(location_id)
            if location is not None and index_of(location)["spot"] == spot:
                place = {"distance_m": {"N": str(distance)}, "location_id": {"S": location_id}}
                yield Nearby(location, distance), place


def _place_in(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return -1, ""
    key = decode_cursor(cursor)
    try:
        return int(key["distance_m"]["N"]), str(key["location_id"]["S"])
    except (KeyError, ValueError):
        raise DomainError("cursor.invalid", "The cursor is not one that this list gave out.", Kind.INVALID) from None
