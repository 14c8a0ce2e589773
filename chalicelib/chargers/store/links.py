"""Rows of how chargers are connected: links, connections, and attempts that were refused or odd.

Which connection of a charger is live is said by its link. The update that chargers cause all day (they were seen) is
built from constants instead of PynamoDB expressions.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.attributes import ListAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.chargers.model import Connection, ConnectionAttempt, Link, charger_key
from chalicelib.chargers.model.handshake import ATTEMPT_RETENTION_DAYS
from chalicelib.chargers.model.links import CONNECTION_LIFETIME
from chalicelib.chargers.store import CHARGERS_TABLE, CONNECTIONS_TABLE, epoch_after
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.table import Row, Table

UNKNOWN_OPERATOR = "unknown"


class AttemptRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    attempt_id = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    status = NumberAttribute()
    reason = UnicodeAttribute()
    detail = UnicodeAttribute()
    source_ip = UnicodeAttribute()
    offered_protocols = ValueAttribute(list[str])
    attempted_at = MomentAttribute()
    operator_id = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


class LinkRow(Row):
    class Meta:
        table_name = CONNECTIONS_TABLE

    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    heartbeat_interval_s = NumberAttribute()
    outbound: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute)
    connection_id = UnicodeAttribute(null=True)
    protocol = UnicodeAttribute(null=True)
    connected_at = MomentAttribute(null=True)
    last_seen_at = MomentAttribute(null=True)
    disconnected_at = MomentAttribute(null=True)
    inflight_command_id = UnicodeAttribute(null=True)
    inflight_at = MomentAttribute(null=True)


class ConnectionRow(Row):
    class Meta:
        table_name = CONNECTIONS_TABLE

    connection_id = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    protocol = UnicodeAttribute()
    connected_at = MomentAttribute()
    expires_at = NumberAttribute()


def attempts_pk(operator_id: str | None) -> str:
    return f"attempts#{operator_id or UNKNOWN_OPERATOR}"


def link_key(charger_id: str) -> tuple[str, str]:
    return (f"link#{charger_key(charger_id)}", "link")


def connection_key(connection_id: str) -> tuple[str, str]:
    return (f"ws#{connection_id}", "connection")


ATTEMPTS: Table[ConnectionAttempt] = Table(
    AttemptRow,
    ConnectionAttempt,
    key=lambda attempt: (
        attempts_pk(attempt.operator_id),
        f"{to_rfc3339(attempt.attempted_at)}#{attempt.attempt_id}",
    ),
    extra=lambda attempt: {
        "expires_at": epoch_after(attempt.attempted_at, timedelta(days=ATTEMPT_RETENTION_DAYS)),
    },
)
LINKS: Table[Link] = Table(LinkRow, Link, key=lambda link: link_key(link.charger_id))
CONNECTIONS: Table[Connection] = Table(
    ConnectionRow,
    Connection,
    key=lambda connection: connection_key(connection.connection_id),
    extra=lambda connection: {"expires_at": epoch_after(connection.connected_at, CONNECTION_LIFETIME)},
)


def touch_link(ctx: Context, charger_id: str, at: datetime) -> Link | None:
    """Sets `last_seen_at` of an existing link (1 WRU) and returns the whole link; None if there is no such charger."""
    pk, sk = link_key(charger_id)
    try:
        answer = ctx.dynamodb.update_item(
            TableName=CONNECTIONS_TABLE,
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            UpdateExpression="SET last_seen_at = :at",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":at": {"S": to_rfc3339(at)}},
            ReturnValues="ALL_NEW",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return None
        raise
    return LINKS.from_item(answer["Attributes"])
