"""Chargers: registering, changing, taking out of service.

An identity belongs to one charger of one owner, whatever its case: registering it again is refused by the row itself.
So is a serial number that the owner has already, by a row of its own. A charger's password leaves this module once,
when it is made.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.chargers.model import (
    MAX_EVSES,
    Charger,
    Evse,
    EvseCode,
    Link,
    PlaceState,
    SerialNumber,
    is_identity,
    make_code,
    password_hash,
    serial_key,
)
from chalicelib.chargers.service.connecting import get_link
from chalicelib.chargers.service.grouping import count_grouped
from chalicelib.chargers.service.placing import count_placed, where_it_was
from chalicelib.chargers.store.claims import SERIALS, SerialRow, serial_row_key
from chalicelib.chargers.store.links import LINKS, LinkRow, link_key
from chalicelib.chargers.store.places import CHARGERS, EVSE_CODES, EVSES, ChargerRow, charger_row_key, is_still
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, invalid
from chalicelib.kernel.table import actions_of
from chalicelib.kernel.unit_of_work import UnitOfWork

PASSWORD_KEY = "charger-password-key"

_PASSWORD_BYTES = 20


def register_charger(uow: UnitOfWork, charger: Charger, password: str | None) -> tuple[Charger, str, list[Evse]]:
    """Registers a charger with its EVSEs and their QR codes, placed and grouped as it says. `charger.password_hash` is
    filled in here; whose its location and its group are is for the caller to know.

    Returns the charger, its password (the only time that it is seen) and its EVSEs. Raises charger.identity,
    charger.evse_count, charger.exists (also if the identity is another operator's), charger.serial_exists,
    location.inactive.
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
    exists = conflict("charger.exists", f"The identity {charger.charger_id!r} is registered already.", "/charger_id")
    uow.create(CHARGERS, charger, on_conflict=exists)
    uow.create(LINKS, Link(charger.charger_id, charger.operator_id), on_conflict=exists)
    take_serial_number(uow, charger)
    if charger.location_id is not None:
        count_placed(uow, charger.location_id, 1)
    if charger.group_id is not None:
        count_grouped(uow, charger.group_id, 1)
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
    _change(uow, charger, {"password_hash": hashed, "new_password_hash": None})
    return password


def change_charger(uow: UnitOfWork, charger: Charger, changes: Mapping[str, Any]) -> Charger:
    """Applies changes by field name (None removes) and returns the charger as it will be. A group is of the charger's
    owner: the caller knows. Raises charger.serial_exists."""
    if not changes:
        return charger
    after = replace(charger, **changes)
    if _serial_of(charger) != _serial_of(after):
        free_serial_number(uow, charger)
        take_serial_number(uow, after)
    if charger.group_id != after.group_id:
        if after.group_id is not None:
            count_grouped(uow, after.group_id, 1)
        if charger.group_id is not None:
            count_grouped(uow, charger.group_id, -1)
    _change(uow, charger, changes)
    return after


def retire_charger(uow: UnitOfWork, charger: Charger) -> Charger:
    """Takes a charger out of service: it is not let in any more. Its history, identity and serial number stay.

    Raises charger.placed for one that is still at a location, charger.online.
    """
    if charger.is_placed:
        raise conflict("charger.placed", "Remove the charger from its location first.")
    link = get_link(uow.ctx, charger.charger_id)
    if link is not None and link.is_online(uow.ctx.now()):
        raise conflict("charger.online", "The charger is connected; switch it off first.")
    after = _set_state(uow, charger, "inactive")
    if link is not None and after is not charger:
        column = LinkRow.connected_at
        unchanged = column.does_not_exist() if link.connected_at is None else column == link.connected_at
        uow.check(LINKS, link_key(charger.charger_id), unchanged, StaleRead("The connection"))
    return after


def restore_charger(uow: UnitOfWork, charger: Charger) -> Charger:
    """Takes it back into service, among the unregistered ones."""
    return _set_state(uow, charger, "active")


def take_serial_number(uow: UnitOfWork, charger: Charger) -> None:
    """Raises charger.serial_exists (409) when another charger of the owner has it."""
    if charger.serial_number is not None:
        entry = SerialNumber(charger.operator_id, charger.serial_number, charger.charger_id)
        taken = f"A charger with the serial number {charger.serial_number!r} is registered already."
        uow.create(SERIALS, entry, on_conflict=conflict("charger.serial_exists", taken, "/serial_number"))


def free_serial_number(uow: UnitOfWork, charger: Charger) -> None:
    if charger.serial_number is not None:
        uow.delete(
            SERIALS,
            serial_row_key(charger.operator_id, charger.serial_number),
            condition=SerialRow.charger_id == charger.charger_id,
            on_conflict=StaleRead("The serial number"),
        )


def what_it_has(charger: Charger) -> Condition:
    """Nobody has changed the serial number or the group since it was read: other rows depend on them."""
    serial_number = is_still(ChargerRow.serial_number, charger.serial_number)
    unchanged: Condition = serial_number & is_still(ChargerRow.group_id, charger.group_id)
    return unchanged


def make_password() -> str:
    """40 hex digits: an OCPP 1.6 AuthorizationKey as well as a 2.0.1 BasicAuthPassword."""
    return secrets.token_hex(_PASSWORD_BYTES)


def _new_password(ctx: Context, password: str | None) -> tuple[str, str]:
    """The password (made if None) and its hash."""
    password = make_password() if password is None else password
    return password, password_hash(password.encode(), ctx.secret(PASSWORD_KEY).encode())


def _serial_of(charger: Charger) -> str | None:
    return None if charger.serial_number is None else serial_key(charger.serial_number)


def _set_state(uow: UnitOfWork, charger: Charger, state: PlaceState) -> Charger:
    if charger.state == state:
        return charger
    uow.update(
        CHARGERS,
        charger_row_key(charger.charger_id),
        [ChargerRow.state.set(state)],
        condition=where_it_was(charger),
        on_conflict=StaleRead("The charger"),
        name="state of the charger",
    )
    return replace(charger, state=state)


def _change(uow: UnitOfWork, charger: Charger, changes: Mapping[str, object]) -> None:
    uow.update(
        CHARGERS,
        charger_row_key(charger.charger_id),
        actions_of(ChargerRow, changes),
        condition=is_still(ChargerRow.operator_id, charger.operator_id) & what_it_has(charger),
        on_conflict=StaleRead("The charger"),
        name="charger",
    )
