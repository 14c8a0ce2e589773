"""Chargers that change hands: from stock to an operator, by who has them in hands or by who stands above both.

Only what is not placed moves. The charger, its link, the connection that is open and the serial number change in one
commit; sessions, commands and messages stay with the owner under whom they happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.chargers.model import Charger
from chalicelib.chargers.model.claims import MAX_TRIES, TRIES_WINDOW, proves
from chalicelib.chargers.service.connecting import get_link
from chalicelib.chargers.service.finding import get_charger
from chalicelib.chargers.service.grouping import count_grouped
from chalicelib.chargers.service.placing import check_in_service, where_it_was
from chalicelib.chargers.service.registering import free_serial_number, take_serial_number, what_it_has
from chalicelib.chargers.store.claims import SERIALS, serial_row_key
from chalicelib.chargers.store.links import CONNECTIONS, LINKS, ConnectionRow, LinkRow, connection_key, link_key
from chalicelib.chargers.store.places import CHARGERS, ChargerRow, charger_row_key, is_still
from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.table import actions_of
from chalicelib.kernel.unit_of_work import UnitOfWork


def move_charger(
    uow: UnitOfWork, charger: Charger, operator_id: str, changes: Mapping[str, str] | None = None
) -> Charger:
    """Makes the charger somebody else's: `operator_id` is an operator, or whose stock it goes to. `changes` are fields
    that it gets on the way.

    It leaves its group, which is the old owner's. Raises charger.placed, charger.inactive, charger.serial_exists.
    """
    if charger.operator_id == operator_id:
        return charger
    check_in_service(charger)
    if charger.is_placed:
        raise conflict("charger.placed", "Remove the charger from its location first.")
    moved: dict[str, Any] = {"operator_id": operator_id, "group_id": None, **(changes or {})}
    after = replace(charger, **moved)
    uow.update(
        CHARGERS,
        charger_row_key(charger.charger_id),
        actions_of(ChargerRow, moved),
        condition=where_it_was(charger) & what_it_has(charger),
        on_conflict=StaleRead("The charger"),
        name="owner of the charger",
    )
    if charger.group_id is not None:
        count_grouped(uow, charger.group_id, -1)
    free_serial_number(uow, charger)
    take_serial_number(uow, after)
    _move_link(uow, charger, operator_id)
    return after


def claim_charger(
    uow: UnitOfWork, *, operator_id: str, serial_number: str, uid: str, changes: Mapping[str, str]
) -> tuple[Charger, Charger]:
    """An operator takes over a charger from the stock of somebody above it, by what is printed on the charger.

    Returns the charger before and after. Raises charger.not_found, whether the serial number or the UID is wrong;
    auth.too_many_attempts (429).
    """
    subject = f"charger_claim#{operator_id}"
    identity.count_attempt(uow.ctx, subject, MAX_TRIES, TRIES_WINDOW)
    charger = find_in_stock(uow.ctx, operator_id, serial_number, uid)
    if charger is None:
        raise not_found("charger", serial_number)
    claimed = move_charger(uow, charger, operator_id, changes)
    identity.forget_attempts(uow, subject)
    return charger, claimed


def find_in_stock(ctx: Context, operator_id: str, serial_number: str, uid: str) -> Charger | None:
    """The charger with this serial number and UID in the stock of somebody above the operator. A wrong serial number
    takes the same work as a wrong UID."""
    above = identity.lineage_of(ctx, operator_id)[:-1]
    entries = SERIALS.batch_get(ctx, [serial_row_key(holder_id, serial_number) for holder_id in above])
    found = None
    for charger in [get_charger(ctx, entry.charger_id) for entry in entries] or [None]:
        if proves(charger, uid):
            found = charger
    return found


def _move_link(uow: UnitOfWork, charger: Charger, operator_id: str) -> None:
    link = get_link(uow.ctx, charger.charger_id)
    if link is None:
        return
    connection_id = link.connection_id
    uow.update(
        LINKS,
        link_key(charger.charger_id),
        # What the former owner asked for and was not sent yet is not asked any more.
        [LinkRow.operator_id.set(operator_id), LinkRow.outbound.set([])],
        condition=is_still(LinkRow.connection_id, connection_id),
        on_conflict=StaleRead("The connection"),
        name="link",
    )
    # A socket whose end was never told has outlived its row.
    if connection_id is not None and CONNECTIONS.get(uow.ctx, *connection_key(connection_id)) is not None:
        uow.update(
            CONNECTIONS,
            connection_key(connection_id),
            [ConnectionRow.operator_id.set(operator_id)],
            condition=ConnectionRow.pk.exists(),
            on_conflict=StaleRead("The connection"),
            name="connection",
        )
