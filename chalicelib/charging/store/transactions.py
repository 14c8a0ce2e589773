"""Rows of what chargers tell of a charge: OCPP transactions, meter readings, stops of no known session."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.charging.model import (
    METER_RETENTION,
    BareReading,
    MeterReading,
    MeterSample,
    OcppTransaction,
    OrphanStop,
    TransactionId,
)
from chalicelib.charging.store import TABLE, charger_pk, operator_pk
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.table import Row, Table


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


def orphan_key(
    operator_id: str, charger_id: str, transaction_id: TransactionId, stopped_at: datetime
) -> tuple[str, str]:
    return operator_pk(operator_id), f"orphan_stop#{to_rfc3339(stopped_at)}#{charger_id}#{transaction_id}"


def transaction_sk(transaction_id: str) -> str:
    return f"transaction#{transaction_id}"


def meter_sk(reading: MeterReading | BareReading) -> str:
    return f"meter#{to_rfc3339(reading.taken_at)}#{reading.fingerprint}"


TRANSACTIONS: Table[OcppTransaction] = Table(
    TransactionRow,
    OcppTransaction,
    key=lambda known: (charger_pk(known.charger_key), transaction_sk(known.transaction_id)),
)
METER_READINGS: Table[MeterReading] = Table(
    MeterReadingRow,
    MeterReading,
    key=lambda reading: (reading.owner, meter_sk(reading)),
    extra=lambda reading: {"expires_at": int((reading.received_at + METER_RETENTION).timestamp())},
)
BARE_READINGS: Table[BareReading] = Table(
    MeterReadingRow, BareReading, key=lambda reading: (reading.owner, meter_sk(reading))
)
"""The same rows without their samples, which take longer to read than all the rest."""
ORPHAN_STOPS: Table[OrphanStop] = Table(
    OrphanStopRow,
    OrphanStop,
    key=lambda stop: orphan_key(stop.operator_id, stop.charger_id, stop.transaction_id, stop.stopped_at),
)
