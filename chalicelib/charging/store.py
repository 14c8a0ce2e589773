"""Rows of charging: sessions, OCPP transactions, meter readings, CDRs, reservations. Private to this folder.

Only session rows may carry `operator_id`, `driver_id` and `session_id` under these names: they are the keys of the
session indexes, and a row that had them would be listed (and paid for) there. Other rows store them as `attr_name`
says.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection

from chalicelib.charging.model import (
    METER_RETENTION,
    Cdr,
    CdrTotals,
    ChargingSession,
    Limits,
    MeterReading,
    MeterSample,
    Occupancy,
    OcppTransaction,
    OrphanStop,
    Reservation,
    ReservationEntry,
    ReservedEvse,
    SessionKey,
    TransactionId,
    WorkflowWait,
)
from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table

TABLE = table_name("charging")


class SessionsByOperator(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "sessions_by_operator"
        projection = KeysOnlyProjection()

    operator_id = UnicodeAttribute(hash_key=True)
    session_id = UnicodeAttribute(range_key=True)


class SessionsByDriver(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "sessions_by_driver"
        projection = KeysOnlyProjection()

    driver_id = UnicodeAttribute(hash_key=True)
    session_id = UnicodeAttribute(range_key=True)


class CdrsByDay(GlobalSecondaryIndex[Any]):
    """What settlement and the day's list read; `operator_day` is `<operator id>#<YYYY-MM-DD>`."""

    class Meta:
        index_name = "cdrs_by_day"
        projection = IncludeProjection(
            [
                "energy_wh",
                "total_cost",
                "captured",
                "uncollected",
                "cdr_session",
                "cdr_driver",
                "location_id",
                "enterprise_id",
            ]
        )

    operator_day = UnicodeAttribute(hash_key=True)
    cdr_id = UnicodeAttribute(range_key=True)


class CdrsByEnterprise(GlobalSecondaryIndex[Any]):
    """What invoices are made of; `enterprise_month` is `<enterprise id>#<YYYY-MM>`. CDRs of wallets are not in it."""

    class Meta:
        index_name = "cdrs_by_enterprise"
        projection = KeysOnlyProjection()

    enterprise_month = UnicodeAttribute(hash_key=True)
    cdr_id = UnicodeAttribute(range_key=True)


class SessionRow(Row):
    class Meta:
        table_name = TABLE

    session_id = UnicodeAttribute()
    state = UnicodeAttribute()
    origin = UnicodeAttribute()
    target = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    location_id = UnicodeAttribute(null=True)
    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()
    id_token = UnicodeAttribute()
    authorization = UnicodeAttribute()
    currency = UnicodeAttribute()
    time_zone = UnicodeAttribute()
    business_zone = UnicodeAttribute()
    created_at = MomentAttribute()
    driver_id = UnicodeAttribute(null=True)
    held = NumberAttribute()
    tariff_id = UnicodeAttribute(null=True)
    tariff_version = NumberAttribute(null=True)
    transaction_id = ValueAttribute(TransactionId, null=True)
    meter_start_wh = NumberAttribute(null=True)
    started_at = MomentAttribute(null=True)
    meter_stop_wh = NumberAttribute(null=True)
    stopped_at = MomentAttribute(null=True)
    stop_reason = UnicodeAttribute(null=True)
    ended_at = MomentAttribute(null=True)
    energy_wh = NumberAttribute(null=True)
    cost = NumberAttribute(null=True)
    captured = NumberAttribute(null=True)
    abnormal_cause = UnicodeAttribute(null=True)
    limits = ValueAttribute(Limits, null=True)
    reservation_id = UnicodeAttribute(null=True)
    stop_asked_at = MomentAttribute(null=True)
    fresh_after = MomentAttribute(null=True)
    enterprise_id = UnicodeAttribute(null=True)
    usage_month = UnicodeAttribute(null=True)
    revision = NumberAttribute()
    by_operator = SessionsByOperator()
    by_driver = SessionsByDriver()


class OccupancyRow(Row):
    class Meta:
        table_name = TABLE

    charger_key = UnicodeAttribute()
    evse_no = NumberAttribute()
    session_id = UnicodeAttribute(attr_name="occupied_by")
    id_token = UnicodeAttribute()
    transaction_id = ValueAttribute(TransactionId, null=True)
    start_key = UnicodeAttribute(null=True)
    message_id = UnicodeAttribute(null=True)
    history = ValueAttribute(list[tuple[TransactionId, str]])


class TransactionRow(Row):
    class Meta:
        table_name = TABLE

    charger_key = UnicodeAttribute()
    transaction_id = UnicodeAttribute()
    first_event_at = MomentAttribute()
    first_message_id = UnicodeAttribute()
    revision = NumberAttribute()
    session_id = UnicodeAttribute(null=True, attr_name="transaction_session")
    evse_no = NumberAttribute(null=True)
    id_token = UnicodeAttribute(null=True)
    id_token_kind = UnicodeAttribute(null=True)
    remote_start_id = NumberAttribute(null=True)
    reservation_number = NumberAttribute(null=True)
    started_at = MomentAttribute(null=True)
    start_seq_no = NumberAttribute(null=True)
    begin_wh = NumberAttribute(null=True)
    ended_at = MomentAttribute(null=True)
    end_seq_no = NumberAttribute(null=True)
    end_wh = NumberAttribute(null=True)
    stop_reason = UnicodeAttribute(null=True)


class MeterReadingRow(Row):
    class Meta:
        table_name = TABLE

    owner = UnicodeAttribute()
    taken_at = MomentAttribute()
    received_at = MomentAttribute()
    fingerprint = UnicodeAttribute()
    energy_wh = NumberAttribute(null=True)
    power_w = NumberAttribute(null=True)
    soc_percent = NumberAttribute(null=True)
    samples = ValueAttribute(list[MeterSample])
    seq_no = NumberAttribute(null=True)
    charging_state = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


class CdrRow(Row):
    class Meta:
        table_name = TABLE

    cdr_id = UnicodeAttribute()
    session_id = UnicodeAttribute(attr_name="cdr_session")
    operator_id = UnicodeAttribute(attr_name="cdr_operator")
    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()
    id_token = UnicodeAttribute()
    started_at = MomentAttribute()
    ended_at = MomentAttribute()
    energy_wh = NumberAttribute()
    total_cost = MoneyAttribute()
    captured = MoneyAttribute()
    uncollected = MoneyAttribute()
    business_day = UnicodeAttribute()
    lines = ValueAttribute(list[dict[str, Any]])
    location_id = UnicodeAttribute(null=True)
    driver_id = UnicodeAttribute(null=True, attr_name="cdr_driver")
    tariff_id = UnicodeAttribute(null=True)
    tariff_version = NumberAttribute(null=True)
    stop_reason = UnicodeAttribute(null=True)
    abnormal_cause = UnicodeAttribute(null=True)
    enterprise_id = UnicodeAttribute(null=True)
    operator_day = UnicodeAttribute()
    enterprise_month = UnicodeAttribute(null=True)
    by_day = CdrsByDay()
    by_enterprise = CdrsByEnterprise()


class OrphanStopRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute(attr_name="orphan_operator")
    charger_id = UnicodeAttribute()
    transaction_id = ValueAttribute(TransactionId)
    meter_stop_wh = NumberAttribute(null=True)
    stopped_at = MomentAttribute()
    received_at = MomentAttribute()
    cause = UnicodeAttribute()
    session_id = UnicodeAttribute(null=True, attr_name="orphan_of")
    id_token = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)


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


class WorkflowWaitRow(Row):
    class Meta:
        table_name = TABLE

    session_id = UnicodeAttribute(attr_name="waiting_session")
    awaited = UnicodeAttribute()
    task_token = UnicodeAttribute()


def enterprise_month(enterprise_id: str, month: str) -> str:
    return f"{enterprise_id}#{month}"


def session_pk(session_id: str) -> str:
    return f"session#{session_id}"


def charger_pk(charger_key: str) -> str:
    return f"charger#{charger_key}"


def transaction_pk(charger_key: str, transaction_id: TransactionId) -> str:
    """Where the readings of a 2.x transaction are: there before any session is."""
    return f"transaction#{charger_key}#{transaction_id}"


def operator_pk(operator_id: str) -> str:
    return f"operator#{operator_id}"


def orphan_key(
    operator_id: str, charger_id: str, transaction_id: TransactionId, stopped_at: datetime
) -> tuple[str, str]:
    return operator_pk(operator_id), f"orphan_stop#{to_rfc3339(stopped_at)}#{charger_id}#{transaction_id}"


def driver_pk(driver_id: str) -> str:
    return f"driver#{driver_id}"


def reservation_key(reservation_id: str) -> tuple[str, str]:
    return f"reservation#{reservation_id}", "reservation"


def evse_sk(evse_no: int) -> str:
    return f"evse#{evse_no:03d}"


def reserved_sk(evse_no: int) -> str:
    return f"reserved#{evse_no:03d}"


def transaction_sk(transaction_id: str) -> str:
    return f"transaction#{transaction_id}"


def meter_sk(reading: MeterReading) -> str:
    return f"meter#{to_rfc3339(reading.taken_at)}#{reading.fingerprint}"


SESSIONS: Table[ChargingSession] = Table(
    SessionRow, ChargingSession, key=lambda session: (session_pk(session.session_id), "session")
)
OCCUPANCIES: Table[Occupancy] = Table(
    OccupancyRow, Occupancy, key=lambda occupancy: (charger_pk(occupancy.charger_key), evse_sk(occupancy.evse_no))
)
METER_READINGS: Table[MeterReading] = Table(
    MeterReadingRow,
    MeterReading,
    key=lambda reading: (reading.owner, meter_sk(reading)),
    extra=lambda reading: {"expires_at": int((reading.received_at + METER_RETENTION).timestamp())},
)
CDRS: Table[Cdr] = Table(
    CdrRow,
    Cdr,
    key=lambda cdr: (session_pk(cdr.session_id), "cdr"),
    extra=lambda cdr: {
        "operator_day": f"{cdr.operator_id}#{cdr.business_day}",
        "enterprise_month": enterprise_month(cdr.enterprise_id, cdr.business_day[:7]) if cdr.enterprise_id else None,
    },
)
SESSION_KEYS: Table[SessionKey] = Table(
    SessionRow, SessionKey, key=lambda entry: (session_pk(entry.session_id), "session")
)
CDR_TOTALS: Table[CdrTotals] = Table(CdrRow, CdrTotals, key=lambda entry: (session_pk(entry.session_id), "cdr"))
TRANSACTIONS: Table[OcppTransaction] = Table(
    TransactionRow,
    OcppTransaction,
    key=lambda known: (charger_pk(known.charger_key), transaction_sk(known.transaction_id)),
)
ORPHAN_STOPS: Table[OrphanStop] = Table(
    OrphanStopRow,
    OrphanStop,
    key=lambda stop: orphan_key(stop.operator_id, stop.charger_id, stop.transaction_id, stop.stopped_at),
)
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
WORKFLOW_WAITS: Table[WorkflowWait] = Table(
    WorkflowWaitRow,
    WorkflowWait,
    key=lambda wait: (session_pk(wait.session_id), f"wait#{wait.awaited}"),
)
