"""Placing a charger at a location, and taking it away from there.

How many chargers a location has is counted in its row, in the commits that place and remove them: so no charger comes
to a location while it is being closed.
"""

from __future__ import annotations

from dataclasses import replace

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.chargers.model import MAX_OUTBOUND, Charger, Command, Location
from chalicelib.chargers.service.commanding import queue_command
from chalicelib.chargers.service.connecting import get_link
from chalicelib.chargers.service.finding import get_charger
from chalicelib.chargers.store.places import (
    CHARGERS,
    LOCATIONS,
    ChargerRow,
    LocationRow,
    charger_row_key,
    is_still,
    location_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.unit_of_work import UnitOfWork

REQUESTED_BY = "platform"


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
