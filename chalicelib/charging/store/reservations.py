"""Rows of reservations: each reservation, the EVSE that it keeps, and the lists that it stands in."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.charging.model import Reservation, ReservationEntry, ReservedEvse
from chalicelib.charging.store import TABLE, charger_pk
from chalicelib.kernel.attributes import MomentAttribute
from chalicelib.kernel.table import Row, Table


class ReservationRow(Row):
    class Meta:
        table_name = TABLE

    reservation_id = UnicodeAttribute()
    state = UnicodeAttribute()
    operator_id = UnicodeAttribute(attr_name="reserved_at")
    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()
    id_token = UnicodeAttribute()
    until = MomentAttribute()
    created_at = MomentAttribute()
    requested_by = UnicodeAttribute()
    driver_id = UnicodeAttribute(null=True, attr_name="reserved_for")
    group_id = UnicodeAttribute(null=True)
    connector_type = UnicodeAttribute(null=True)
    session_id = UnicodeAttribute(null=True, attr_name="used_by")
    detail = UnicodeAttribute(null=True)


class ReservedEvseRow(Row):
    class Meta:
        table_name = TABLE

    charger_key = UnicodeAttribute()
    evse_no = NumberAttribute()
    reservation_id = UnicodeAttribute()


class ReservationEntryRow(Row):
    class Meta:
        table_name = TABLE

    owner = UnicodeAttribute()
    reservation_id = UnicodeAttribute()


def reservation_key(reservation_id: str) -> tuple[str, str]:
    return f"reservation#{reservation_id}", "reservation"


def reserved_sk(evse_no: int) -> str:
    return f"reserved#{evse_no:03d}"


RESERVATIONS: Table[Reservation] = Table(
    ReservationRow, Reservation, key=lambda reservation: reservation_key(reservation.reservation_id)
)
RESERVED_EVSES: Table[ReservedEvse] = Table(
    ReservedEvseRow,
    ReservedEvse,
    key=lambda reserved: (charger_pk(reserved.charger_key), reserved_sk(reserved.evse_no)),
)
RESERVATION_ENTRIES: Table[ReservationEntry] = Table(
    ReservationEntryRow,
    ReservationEntry,
    key=lambda entry: (entry.owner, f"reservation#{entry.reservation_id}"),
)
