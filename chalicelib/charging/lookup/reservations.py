"""Reservations, by id, EVSE and number, and in lists."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.charging.model import (
    Reservation,
    ReservedEvse,
)
from chalicelib.charging.store import charger_pk, driver_pk, operator_pk
from chalicelib.charging.store.reservations import (
    RESERVATION_ENTRIES,
    RESERVATIONS,
    RESERVED_EVSES,
    ReservationEntryRow,
    ReservedEvseRow,
    reservation_key,
    reserved_sk,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.ids import number_of
from chalicelib.kernel.pages import Page, follow, page_of


def find_reservation(ctx: Context, reservation_id: str) -> Reservation | None:
    return RESERVATIONS.get(ctx, *reservation_key(reservation_id))


def find_reserved_evse(ctx: Context, key: str, evse_no: int) -> ReservedEvse | None:
    """Names the latest reservation of an EVSE; whether it still is one, its own row says."""
    return RESERVED_EVSES.get(ctx, charger_pk(key), reserved_sk(evse_no))


def find_reservation_at(ctx: Context, key: str, evse_no: int) -> Reservation | None:
    """The latest reservation of an EVSE, whatever became of it."""
    reserved = find_reserved_evse(ctx, key, evse_no)
    return None if reserved is None else find_reservation(ctx, reserved.reservation_id)


def find_reservation_by_number(ctx: Context, key: str, number: int) -> Reservation | None:
    """By the number that the charger knows it under; of each EVSE the latest one."""
    page = RESERVED_EVSES.query(ctx, charger_pk(key), ReservedEvseRow.sk.startswith("reserved#"), consistent=True)
    named = next((reserved for reserved in page.data if number_of(reserved.reservation_id) == number), None)
    return None if named is None else find_reservation(ctx, named.reservation_id)


def list_reservations(
    ctx: Context,
    *,
    operator_id: str | None = None,
    driver_id: str | None = None,
    keep: Callable[[Reservation], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Reservation]:
    """Newest first, by operator or by driver."""
    owner = operator_pk(operator_id) if operator_id is not None else driver_pk(driver_id or "")
    entries = RESERVATION_ENTRIES.walk(
        ctx, owner, ReservationEntryRow.sk.startswith("reservation#"), newest_first=True, cursor=cursor
    )
    found = follow(ctx, entries, RESERVATIONS, lambda entry: reservation_key(entry.reservation_id))
    return page_of(found, limit, keep)
