"""Reservations: an EVSE kept for an id token. The charger keeps it and turns others away; here nobody else is sent.

Called by the endpoints of operators and drivers, and by the OCPP edge with what chargers answer and report. Nothing is
committed here. The invariant: an EVSE has at most one reservation that is not over.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, charger_key
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    MAX_RESERVATION,
    RESERVATION_LIFECYCLE,
    ChargingSession,
    Reservation,
    ReservationEntry,
    ReservedEvse,
)
from chalicelib.charging.store import driver_pk, operator_pk
from chalicelib.charging.store.reservations import (
    RESERVATION_ENTRIES,
    RESERVATIONS,
    RESERVED_EVSES,
    ReservationRow,
    ReservedEvseRow,
)
from chalicelib.drivers import service as drivers
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, invalid
from chalicelib.kernel.unit_of_work import UnitOfWork

_RESERVABLE = frozenset({"Available", ""})
_MAX_DETAIL = 100
_LOOKED_AT = 20
MAX_OPEN_OF_DRIVER = 3


def request_reservation(
    uow: UnitOfWork,
    *,
    reservation_id: str,
    charger: Charger,
    evse_no: int,
    id_token: str,
    until: datetime,
    requested_by: str,
    driver_id: str | None = None,
    group_id: str | None = None,
    connector_type: str | None = None,
) -> Reservation:
    """Notes the reservation and asks the charger to keep the EVSE (0: any) until then. Without a group it is for all
    that its driver has: the app's reservation opens to the driver's own card.

    Raises evse.unknown, evse.busy, evse.reserved, charger.offline, reservation.until, command.queue_full.
    """
    now = uow.ctx.now()
    if not now < until <= now + MAX_RESERVATION:
        hours = int(MAX_RESERVATION.total_seconds() // 3600)
        raise invalid("reservation.until", f"A reservation ends within the next {hours} hours.", "/expires_at")
    _check_free(uow, charger, evse_no)
    reservation = Reservation(
        reservation_id=reservation_id,
        state=RESERVATION_LIFECYCLE.initial,
        operator_id=charger.operator_id,
        charger_id=charger.charger_id,
        evse_no=evse_no,
        id_token=id_token,
        until=until,
        created_at=now,
        requested_by=requested_by,
        driver_id=driver_id,
        group_id=group_id or (None if driver_id is None else drivers.driver_group(driver_id)),
        connector_type=connector_type,
    )
    uow.create(
        RESERVATIONS, reservation, on_conflict=conflict("reservation.exists", "This reservation exists already.")
    )
    _take_evse(uow, reservation)
    uow.put(RESERVATION_ENTRIES, ReservationEntry(operator_pk(charger.operator_id), reservation_id))
    if driver_id is not None:
        uow.put(RESERVATION_ENTRIES, ReservationEntry(driver_pk(driver_id), reservation_id))
    chargers.queue_command(
        uow,
        charger_id=charger.charger_id,
        action="reserve",
        payload=_intent(reservation),
        requested_by=requested_by,
    )
    return reservation


def cancel_reservation(uow: UnitOfWork, reservation: Reservation, *, requested_by: str) -> Reservation:
    """Asks the charger to let the EVSE go; until it has answered, nobody else gets it. One that is over, or is being
    cancelled, stays as it is. Raises command.queue_full."""
    if reservation.state == "cancelling" or not reservation.keeps_others_out(uow.ctx.now()):
        return reservation
    chargers.queue_command(
        uow,
        charger_id=reservation.charger_id,
        action="cancel_reservation",
        payload={"number": reservation.number},
        requested_by=requested_by,
    )
    return _move(uow, reservation, "cancel_requested")


def is_reservation_wanted(ctx: Context, *, charger_id: str, number: int) -> bool:
    """May the charger still be asked to keep the EVSE?"""
    reservation = lookup.find_reservation_by_number(ctx, charger_key(charger_id), number)
    return reservation is not None and reservation.state_at(ctx.now()) == "requested"


def handle_reservation_answer(
    uow: UnitOfWork, *, charger_id: str, number: int, accepted: bool, detail: str = ""
) -> None:
    """The charger (or the silence of it) answered `reserve`. Late answers change nothing."""
    reservation = lookup.find_reservation_by_number(uow.ctx, charger_key(charger_id), number)
    if reservation is not None:
        _move_if_possible(uow, reservation, "accepted" if accepted else "refused", detail)


def handle_cancellation_answer(
    uow: UnitOfWork, *, charger_id: str, number: int, accepted: bool, detail: str = ""
) -> None:
    """The charger answered `cancel_reservation`. One that knows of no such reservation keeps nothing either; without
    an answer the EVSE may still be kept."""
    reservation = lookup.find_reservation_by_number(uow.ctx, charger_key(charger_id), number)
    if reservation is None or reservation.state != "cancelling":
        return
    gone = accepted or detail.startswith("Rejected")
    _move(uow, reservation, "removed" if gone else "cancel_failed", "" if gone else detail)


def handle_reservation_update(
    uow: UnitOfWork, charger: Charger, number: int, status: Literal["Expired", "Removed"]
) -> None:
    """ReservationStatusUpdate (OCPP 2.0.1 H04): its time is over, or the charger could not keep it."""
    reservation = lookup.find_reservation_by_number(uow.ctx, charger.charger_key, number)
    if reservation is not None:
        _move_if_possible(uow, reservation, "expired" if status == "Expired" else "removed")


def use_reservation(uow: UnitOfWork, charger: Charger, session: ChargingSession, number: int | None) -> None:
    """A delivery began under a reservation: its request says so, or the charger names the number."""
    reservation = None
    if session.reservation_id is not None:
        reservation = lookup.find_reservation(uow.ctx, session.reservation_id)
    elif number is not None:
        reservation = lookup.find_reservation_by_number(uow.ctx, charger.charger_key, number)
    if reservation is not None and RESERVATION_LIFECYCLE.allows(reservation.state, "used"):
        _move(uow, replace(reservation, session_id=session.session_id), "used")


def reservation_in_the_way(uow: UnitOfWork, charger: Charger, evse_no: int, driver_id: str) -> Reservation | None:
    """The reservation under which this driver may charge at the EVSE (of it, or of any), None where there is none.

    Raises evse.reserved where it is kept for somebody else. One of any EVSE keeps nobody from this one: the charger
    knows whether there is another left.
    """
    for reserved_no in (evse_no, 0):
        reservation = lookup.find_reservation_at(uow.ctx, charger.charger_key, reserved_no)
        if reservation is None or not reservation.keeps_others_out(uow.ctx.now()):
            continue
        if reservation.driver_id == driver_id:
            return reservation
        if reserved_no == evse_no:
            raise conflict("evse.reserved", f"Connector {evse_no} is reserved for somebody else.")
    return None


def check_open_reservations(ctx: Context, driver_id: str) -> None:
    """Keeping connectors costs nothing: one driver may keep a few. Raises reservation.too_many."""
    recent = lookup.list_reservations(ctx, driver_id=driver_id, limit=_LOOKED_AT, cursor=None).data
    if sum(reservation.keeps_others_out(ctx.now()) for reservation in recent) >= MAX_OPEN_OF_DRIVER:
        raise conflict("reservation.too_many", f"You have {MAX_OPEN_OF_DRIVER} connectors reserved already.")


def _check_free(uow: UnitOfWork, charger: Charger, evse_no: int) -> None:
    ctx = uow.ctx
    evse = next((e for e in chargers.list_evses(ctx, charger.charger_id) if e.evse_no == evse_no), None)
    if evse is None and evse_no != 0:
        raise invalid("evse.unknown", f"This charger has no connector {evse_no}.", "/evse_no")
    link = chargers.get_link(ctx, charger.charger_id)
    if link is None or link.connection_id is None:
        raise conflict("charger.offline", "This charger is not connected at the moment.")
    if evse_no == 0:
        return
    if evse is not None and (evse.status or "") not in _RESERVABLE:
        raise conflict("evse.busy", f"Connector {evse_no} is {evse.status}.")
    present = lookup.look_at(ctx, charger.charger_key, evse_no).present
    if present is not None and present.has_evse:
        raise conflict("evse.busy", "Somebody is charging at this connector.")


def _take_evse(uow: UnitOfWork, reservation: Reservation) -> None:
    key = charger_key(reservation.charger_id)
    after = ReservedEvse(key, reservation.evse_no, reservation.reservation_id)
    before = lookup.find_reserved_evse(uow.ctx, key, reservation.evse_no)
    if before is None:
        uow.create(RESERVED_EVSES, after)
        return
    present = lookup.find_reservation(uow.ctx, before.reservation_id)
    if present is not None and present.keeps_others_out(uow.ctx.now()):
        raise conflict("evse.reserved", f"Connector {reservation.evse_no} is reserved already.")
    uow.put(
        RESERVED_EVSES,
        after,
        condition=ReservedEvseRow.reservation_id == before.reservation_id,
        on_conflict=StaleRead("The reservation"),
    )


def _intent(reservation: Reservation) -> dict[str, Any]:
    payload = {
        "number": reservation.number,
        "evse_no": reservation.evse_no,
        "id_token": reservation.id_token,
        "expires_at": to_rfc3339(reservation.until),
    }
    if reservation.group_id is not None:
        payload["group_id"] = reservation.group_id
    if reservation.connector_type is not None:
        payload["connector_type"] = reservation.connector_type
    return payload


def _move_if_possible(uow: UnitOfWork, reservation: Reservation, event: str, detail: str = "") -> None:
    if RESERVATION_LIFECYCLE.allows(reservation.state, event):
        _move(uow, reservation, event, detail)


def _move(uow: UnitOfWork, reservation: Reservation, event: str, detail: str = "") -> Reservation:
    moved = replace(
        reservation,
        state=RESERVATION_LIFECYCLE.next(reservation.state, event),
        detail=detail[:_MAX_DETAIL] or reservation.detail,
    )
    uow.put(
        RESERVATIONS,
        moved,
        condition=ReservationRow.state == reservation.state,
        on_conflict=StaleRead("The reservation"),
    )
    return moved
