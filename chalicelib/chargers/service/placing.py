"""Locations and chargers: registering, placing, changing, finding.

An identity belongs to one charger of one operator, whatever its case: registering it again is refused by the row
itself. A charger's password leaves this module once, when it is made.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pynamodb.expressions.update import Action

from chalicelib.chargers.model import (
    MAX_EVSES,
    Charger,
    Evse,
    EvseCode,
    Link,
    Location,
    charger_key,
    is_identity,
    make_code,
    password_hash,
)
from chalicelib.chargers.service.connecting import get_links
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
from chalicelib.kernel.errors import StaleRead, conflict, invalid, not_found
from chalicelib.kernel.table import Page, Row, Step, Table, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

PASSWORD_KEY = "charger-password-key"

_PASSWORD_BYTES = 20
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


def change_location(uow: UnitOfWork, location: Location, changes: Mapping[str, object]) -> Location:
    """Applies changes by field name (None removes) and returns the location as it will be."""
    _change(uow, LOCATIONS, location_key(location.location_id), LocationRow, changes)
    return replace(location, **changes)  # type: ignore[arg-type]


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


def register_charger(uow: UnitOfWork, charger: Charger, password: str | None) -> tuple[Charger, str, list[Evse]]:
    """Registers a charger with its EVSEs and their QR codes. `charger.password_hash` is filled in here.

    Returns the charger, its password (the only time that it is seen) and its EVSEs. Raises charger.identity,
    charger.evse_count, charger.exists (also if the identity is another operator's).
    """
    if not is_identity(charger.charger_id):
        raise invalid(
            "charger.identity",
            "An identity has 1 to 48 letters, digits, inner blanks or . _ : @ * = + | -",
            "/charger_id",
        )
    if not 1 <= charger.evse_count <= MAX_EVSES:
        raise invalid("charger.evse_count", f"A charger has 1 to {MAX_EVSES} EVSEs.", "/evse_count")
    password, hashed = _new_password(uow.ctx, password)
    charger = replace(charger, password_hash=hashed)
    exists = conflict("charger.exists", f"The identity {charger.charger_id!r} is registered already.")
    uow.create(CHARGERS, charger, on_conflict=exists)
    uow.create(LINKS, Link(charger.charger_id, charger.operator_id), on_conflict=exists)
    evses = [
        Evse(charger.charger_id, evse_no, code=make_code(secrets.choice))
        for evse_no in range(1, charger.evse_count + 1)
    ]
    for evse in evses:
        uow.put(EVSES, evse)
        # Should the code be taken, the unit of work is decided again, with new codes.
        uow.create(EVSE_CODES, EvseCode(evse.code or "", charger.charger_id, evse.evse_no), StaleRead("The QR code"))
    return charger, password, evses


def rotate_password(uow: UnitOfWork, charger: Charger, password: str | None) -> str:
    """Sets a new password and returns it. A connection that is open stays; a rotation by command is called off."""
    password, hashed = _new_password(uow.ctx, password)
    changes = {"password_hash": hashed, "new_password_hash": None}
    _change(uow, CHARGERS, charger_row_key(charger.charger_id), ChargerRow, changes)
    return password


def change_charger(uow: UnitOfWork, charger: Charger, changes: Mapping[str, object]) -> Charger:
    """Applies changes by field name (None removes) and returns the charger as it will be."""
    _change(uow, CHARGERS, charger_row_key(charger.charger_id), ChargerRow, changes)
    return replace(charger, **changes)  # type: ignore[arg-type]


def place_charger(uow: UnitOfWork, charger: Charger, location: Location | None) -> Charger:
    """Adds the charger to a location of the same operator, or (None) returns it to the unregistered ones.

    Raises location.not_found for another operator's location.
    """
    if location is not None and location.operator_id != charger.operator_id:
        raise not_found("location", location.location_id)
    return change_charger(uow, charger, {"location_id": location.location_id if location else None})


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
    """By the code of its QR label, in whatever case. Raises evse.not_found."""
    entry = EVSE_CODES.get(ctx, *code_key(code.upper()))
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
    """An operator's chargers by identity. `registered` means placed at a location, `status` that of any EVSE."""
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


def make_password() -> str:
    """40 hex digits: an OCPP 1.6 AuthorizationKey as well as a 2.0.1 BasicAuthPassword."""
    return secrets.token_hex(_PASSWORD_BYTES)


def _new_password(ctx: Context, password: str | None) -> tuple[str, str]:
    """The password (made if None) and its hash."""
    password = make_password() if password is None else password
    return password, password_hash(password.encode(), ctx.secret(PASSWORD_KEY).encode())


def _change(
    uow: UnitOfWork,
    table: Table[Charger] | Table[Location],
    key: tuple[str, str],
    row: type[Row],
    changes: Mapping[str, object],
) -> None:
    if not changes:
        return
    columns = row.get_attributes()
    actions: list[Action] = [
        columns[name].remove() if value is None else columns[name].set(value) for name, value in changes.items()
    ]
    uow.update(table, key, actions, condition=row.pk.exists())
