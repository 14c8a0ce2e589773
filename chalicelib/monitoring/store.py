"""Rows of monitoring: the operators' rules, open outages, and their history. Private to this folder."""

from __future__ import annotations

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.chargers.model import charger_key
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.monitoring.model import HISTORY_RETENTION, OfflineNotification, Outage

TABLE = table_name("monitoring")


class OfflineNotificationRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    enabled = BooleanAttribute()
    timeout_min = NumberAttribute()
    email = UnicodeAttribute(null=True)
    charger_ids = ValueAttribute(list[str] | None, null=True)


class OutageRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    since = MomentAttribute()
    alerted_at = MomentAttribute()
    recovered_at = MomentAttribute(null=True)
    expires_at = NumberAttribute(null=True)


def operator_pk(operator_id: str) -> str:
    return f"operator#{operator_id}"


RULES: Table[OfflineNotification] = Table(
    OfflineNotificationRow,
    OfflineNotification,
    key=lambda rule: (operator_pk(rule.operator_id), "offline_notification"),
)
OPEN_OUTAGES: Table[Outage] = Table(
    OutageRow,
    Outage,
    key=lambda outage: (operator_pk(outage.operator_id), f"outage#{charger_key(outage.charger_id)}"),
)
PAST_OUTAGES: Table[Outage] = Table(
    OutageRow,
    Outage,
    key=lambda outage: (
        operator_pk(outage.operator_id),
        f"past_outage#{to_rfc3339(outage.since)}#{charger_key(outage.charger_id)}",
    ),
    extra=lambda outage: {"expires_at": int((outage.since + HISTORY_RETENTION).timestamp())},
)
