"""Rows of charging sessions: each session, the EVSE that it occupies, what its workflow waits for."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.charging.model import ChargingSession, Limits, Occupancy, SessionKey, TransactionId, WorkflowWait
from chalicelib.charging.store import TABLE, charger_pk, session_pk
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table


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
    given_back = NumberAttribute(null=True)
    abnormal_cause = UnicodeAttribute(null=True)
    limits = ValueAttribute(Limits, null=True)
    reservation_id = UnicodeAttribute(null=True)
    stop_asked_at = MomentAttribute(null=True)
    stop_asks = NumberAttribute(null=True)
    silent_since = MomentAttribute(null=True)
    fresh_after = MomentAttribute(null=True)
    enterprise_id = UnicodeAttribute(null=True)
    usage_month = UnicodeAttribute(null=True)
    payment_id = UnicodeAttribute(null=True)
    agency_id = UnicodeAttribute(null=True)
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


class WorkflowWaitRow(Row):
    class Meta:
        table_name = TABLE

    session_id = UnicodeAttribute(attr_name="waiting_session")
    awaited = UnicodeAttribute()
    task_token = UnicodeAttribute()
    stage = UnicodeAttribute(null=True)


def evse_sk(evse_no: int) -> str:
    return f"evse#{evse_no:03d}"


SESSIONS: Table[ChargingSession] = Table(
    SessionRow, ChargingSession, key=lambda session: (session_pk(session.session_id), "session")
)
SESSION_KEYS: Table[SessionKey] = Table(
    SessionRow, SessionKey, key=lambda entry: (session_pk(entry.session_id), "session")
)
OCCUPANCIES: Table[Occupancy] = Table(
    OccupancyRow, Occupancy, key=lambda occupancy: (charger_pk(occupancy.charger_key), evse_sk(occupancy.evse_no))
)
WORKFLOW_WAITS: Table[WorkflowWait] = Table(
    WorkflowWaitRow,
    WorkflowWait,
    key=lambda wait: (session_pk(wait.session_id), f"wait#{wait.awaited}"),
)
