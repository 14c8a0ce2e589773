"""Locations: adding and changing them, closing and restoring, finding and listing.

Their chargers come and go in `placing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.chargers.model import Location, PlaceState
from chalicelib.chargers.model.nearby import index_of
from chalicelib.chargers.store.places import LOCATION_PREFIX, LOCATIONS, LocationRow, is_still, location_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, conflict, not_found
from chalicelib.kernel.pages import Page, Step, page_of
from chalicelib.kernel.table import actions_of
from chalicelib.kernel.unit_of_work import UnitOfWork


def add_location(uow: UnitOfWork, location: Location) -> None:
    uow.create(LOCATIONS, location)


def change_location(uow: UnitOfWork, location: Location, changes: Mapping[str, Any]) -> Location:
    """Applies changes by field name (None removes) and returns the location as it will be."""
    changed = replace(location, **changes)
    if changes:
        columns = dict(changes)
        condition: Condition = LocationRow.pk.exists()
        if not {"latitude", "longitude"}.isdisjoint(changes):
            columns |= index_of(changed)
            condition = is_still(LocationRow.state, location.state)
        uow.update(LOCATIONS, location_key(location.location_id), actions_of(LocationRow, columns), condition=condition)
    return changed


def close_location(uow: UnitOfWork, location: Location) -> Location:
    """No chargers come here any more; its history stays. Raises location.has_chargers (409)."""
    conflicting = conflict("location.has_chargers", "Remove the chargers from this location first.")
    return _set_state(uow, location, "inactive", LocationRow.charger_count == 0, conflicting)


def restore_location(uow: UnitOfWork, location: Location) -> Location:
    """On the map again, where it is now."""
    where_it_is = is_still(LocationRow.latitude, location.latitude) & is_still(
        LocationRow.longitude, location.longitude
    )
    return _set_state(uow, location, "active", LocationRow.pk.exists() & where_it_is, StaleRead("The location"))


def _set_state(
    uow: UnitOfWork, location: Location, state: PlaceState, condition: Condition, on_conflict: DomainError
) -> Location:
    changed = replace(location, state=state)
    if location.state != state:
        uow.update(
            LOCATIONS,
            location_key(location.location_id),
            actions_of(LocationRow, {"state": state, **index_of(changed)}),
            condition=condition,
            on_conflict=on_conflict,
            name="state of the location",
        )
    return changed


def get_location(ctx: Context, location_id: str) -> Location | None:
    return LOCATIONS.get(ctx, *location_key(location_id))


def require_location(ctx: Context, location_id: str) -> Location:
    """Raises location.not_found."""
    location = get_location(ctx, location_id)
    if location is None:
        raise not_found("location", location_id)
    return location


def list_locations(
    ctx: Context,
    operator_id: str,
    *,
    keep: Callable[[Location], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Location]:
    """An operator's locations, oldest first."""
    return page_of(_walk_locations(ctx, operator_id, cursor), limit, keep)


def walk_locations(ctx: Context, operator_id: str) -> Iterator[Location]:
    """All locations of an operator, oldest first, in bounded memory."""
    return (location for location, _ in _walk_locations(ctx, operator_id, None))


def _walk_locations(ctx: Context, operator_id: str, cursor: str | None) -> Iterator[Step[Location]]:
    return LOCATIONS.walk(
        ctx,
        operator_id,
        LocationRow.sk2.startswith(LOCATION_PREFIX),
        index=LocationRow.by_operator,
        cursor=cursor,
    )
