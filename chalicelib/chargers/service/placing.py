"""Locations and the chargers that are placed there: placing, finding.

How many chargers a location has is counted in its row, in the commits that place and remove them: so no charger comes
to a location while it is being closed. Registering and changing chargers is `registering`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.chargers.model import (
    MAX_OUTBOUND,
    Charger,
    Command,
    Evse,
    Link,
    Location,
    PlaceState,
    charger_key,
)
from chalicelib.chargers.model.nearby import index_of
from chalicelib.chargers.service.commanding import queue_command
from chalicelib.chargers.service.connecting import get_link, get_links
from chalicelib.chargers.store import (
    CHARGER_PREFIX,
    CHARGERS,
    EVSE_CODES,
    EVSE_PREFIX,
    EVSES,
    LINKS,
    LOCATION_PREFIX,
    LOCATIONS,
    ChargerRow,
    EvseRow,
    LocationRow,
    charger_pk,
    charger_row_key,
    code_key,
    evse_key,
    link_key,
    location_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, conflict, not_found
from chalicelib.kernel.table import Page, Step, actions_of, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

REQUESTED_BY = "platform"

_FACTS_CHUNK = 50


@dataclass(frozen=True)
class ChargerFacts:
    """A charger with what is known of it now; `evses` in order, EVSE 0 (the charger itself) first if it reported.

    `further_connectors` are those beyond the first of their EVSE (OCPP 2.x); not read for lists of chargers.
    """

    charger: Charger
    link: Link | None
    evses: tuple[Evse, ...]
    further_connectors: tuple[Evse, ...] = ()

    @property
    def connectors(self) -> tuple[Evse, ...]:
        return tuple(evse for evse in self.evses if evse.evse_no > 0)


# -- locations ----------------------------------------------------------------------------------------------------


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


# -- chargers -----------------------------------------------------------------------------------------------------


def place_charger(
    uow: UnitOfWork, charger: Charger, location: Location | None, *, requested_by: str = REQUESTED_BY
) -> Charger:
    """Adds the charger to a location of the same operator, or (None) returns it to the unregistered ones.

    One that is connected and pending is asked to boot again, so that it is accepted within seconds. Raises
    location.not_found for another operator's location, location.inactive, charger.inactive.
    """
    ctx = uow.ctx
    if location is not None and location.operator_id != charger.operator_id:
        raise not_found("location", location.location_id)
    location_id = None if location is None else location.location_id
    if location_id == charger.location_id:
        return charger
    if location_id is None:
        actions: list[Action] = [ChargerRow.location_id.remove()]
    else:
        check_in_service(charger)
        count_placed(uow, location_id, 1)
        actions = [ChargerRow.location_id.set(location_id)]
    if charger.location_id is not None:
        count_placed(uow, charger.location_id, -1)
    uow.update(
        CHARGERS,
        charger_row_key(charger.charger_id),
        actions,
        condition=where_it_was(charger),
        on_conflict=StaleRead("The charger"),
        name="placement",
    )
    link = get_link(ctx, charger.charger_id)
    if charger.location_id is None and link is not None and link.is_connected and len(link.outbound) < MAX_OUTBOUND:
        queue_command(uow, charger_id=charger.charger_id, action="trigger_boot", payload={}, requested_by=requested_by)
    return replace(charger, location_id=location_id)


def is_boot_wanted(ctx: Context, command: Command) -> bool:
    """Is the charger still to be told that it is accepted? Not when it has booted since it was placed."""
    charger = get_charger(ctx, command.charger_id)
    if charger is None or not charger.is_placed:
        return False
    return charger.booted_at is None or charger.booted_at < command.queued_at


def check_in_service(charger: Charger) -> None:
    """Raises charger.inactive (409)."""
    if charger.state == "inactive":
        raise conflict("charger.inactive", "This charger was taken out of service; restore it first.")


def where_it_was(charger: Charger) -> Condition:
    """Nobody has moved the charger since it was read."""
    unmoved: Condition = (
        is_still(ChargerRow.location_id, charger.location_id)
        & is_still(ChargerRow.operator_id, charger.operator_id)
        & is_still(ChargerRow.state, charger.state)
    )
    return unmoved


def is_still(column: UnicodeAttribute, value: str | None) -> Condition:
    """The column has this value; None: it has none."""
    condition: Condition = column.does_not_exist() if value is None else column == value
    return condition


def count_placed(uow: UnitOfWork, location_id: str, change: int) -> None:
    """A charger comes to a location, or goes (-1). Raises location.inactive when the location was closed meanwhile."""
    uow.update(
        LOCATIONS,
        location_key(location_id),
        [LocationRow.charger_count.add(change)],
        condition=LocationRow.state == "active" if change > 0 else LocationRow.pk.exists(),
        on_conflict=conflict("location.inactive", "This location is closed; restore it first."),
        name="chargers at the location",
    )


def get_charger(ctx: Context, charger_id: str) -> Charger | None:
    """By identity, in whatever case."""
    return CHARGERS.get(ctx, *charger_row_key(charger_id))


def require_charger(ctx: Context, charger_id: str) -> Charger:
    """Raises charger.not_found."""
    charger = get_charger(ctx, charger_id)
    if charger is None:
        raise not_found("charger", charger_id)
    return charger


def list_evses(ctx: Context, charger_id: str) -> list[Evse]:
    """The EVSEs of a charger in order, without EVSE 0."""
    return [evse for evse in _reports_of(ctx, charger_id) if evse.evse_no > 0 and evse.connector_no is None]


def find_evse_by_code(ctx: Context, code: str) -> Evse:
    """By the code of its QR label, in whatever case, with or without the blanks that the label has in it. Raises
    evse.not_found."""
    entry = EVSE_CODES.get(ctx, *code_key("".join(code.split()).upper()))
    evse = EVSES.get(ctx, *evse_key(entry.charger_id, entry.evse_no)) if entry else None
    if evse is None:
        raise not_found("evse", code)
    return evse


def get_facts(ctx: Context, charger: Charger) -> ChargerFacts:
    reports = _reports_of(ctx, charger.charger_id)
    return ChargerFacts(
        charger,
        LINKS.get(ctx, *link_key(charger.charger_id)),
        tuple(evse for evse in reports if evse.connector_no is None),
        tuple(evse for evse in reports if evse.connector_no is not None),
    )


def _reports_of(ctx: Context, charger_id: str) -> list[Evse]:
    """EVSEs, and behind each its connectors beyond the first."""
    return EVSES.query(ctx, charger_pk(charger_id), EvseRow.sk.startswith(EVSE_PREFIX), consistent=True).data


def list_chargers(
    ctx: Context,
    operator_id: str,
    *,
    registered: bool | None = None,
    location_id: str | None = None,
    online: bool | None = None,
    status: str | None = None,
    is_seen: Callable[[Charger], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[ChargerFacts]:
    """An operator's chargers by identity. `registered` means placed at a location, `status` that of any EVSE;
    `is_seen` keeps the others to itself."""
    now = ctx.now()

    def keep(facts: ChargerFacts) -> bool:
        if is_seen is not None and not is_seen(facts.charger):
            return False
        if registered is not None and facts.charger.is_placed is not registered:
            return False
        if location_id is not None and facts.charger.location_id != location_id:
            return False
        if online is not None and (facts.link is not None and facts.link.is_online(now)) is not online:
            return False
        return status is None or any(evse.status == status for evse in facts.evses)

    return page_of(_with_facts(ctx, _walk(ctx, operator_id, cursor, _FACTS_CHUNK)), limit, keep)


def chargers_page(ctx: Context, operator_id: str, *, limit: int, cursor: str | None) -> Page[Charger]:
    """An operator's chargers, for going through them all."""
    return page_of(_walk(ctx, operator_id, cursor, limit), limit)


def walk_chargers(ctx: Context, operator_id: str) -> Iterator[Charger]:
    """All chargers of an operator by identity, in bounded memory."""
    return (charger for charger, _ in _walk(ctx, operator_id, None, _FACTS_CHUNK))


def _walk(ctx: Context, operator_id: str, cursor: str | None, chunk: int) -> Iterator[Step[Charger]]:
    return CHARGERS.walk(
        ctx,
        operator_id,
        ChargerRow.sk2.startswith(CHARGER_PREFIX),
        index=ChargerRow.by_operator,
        cursor=cursor,
        chunk=chunk,
    )


def _with_facts(ctx: Context, steps: Iterator[Step[Charger]]) -> Iterator[Step[ChargerFacts]]:
    while chunk := list(islice(steps, _FACTS_CHUNK)):
        chargers = [charger for charger, _ in chunk]
        links = get_links(ctx, [charger.charger_id for charger in chargers])
        evses = _evses_of(ctx, chargers)
        for charger, place in chunk:
            key = charger.charger_key
            yield ChargerFacts(charger, links.get(key), tuple(evses.get(key, ()))), place


def _evses_of(ctx: Context, chargers: Sequence[Charger]) -> dict[str, list[Evse]]:
    """The EVSEs (0 included) of several chargers by charger key, in few round trips."""
    keys = [evse_key(c.charger_id, evse_no) for c in chargers for evse_no in range(c.evse_count + 1)]
    found: dict[str, list[Evse]] = {}
    for evse in EVSES.batch_get(ctx, keys):
        found.setdefault(charger_key(evse.charger_id), []).append(evse)
    return found
