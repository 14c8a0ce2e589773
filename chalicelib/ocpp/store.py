"""Rows of the protocol itself: the message log and the conformance findings. Private to this folder.

Both hang under their charger. Messages expire; a finding is one row per charger, action, rule and place in the payload,
and counts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.chargers.model import charger_key
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.ocpp.model import About, Finding, Message

TABLE = table_name("ocpp")

MESSAGE_RETENTION: Final = timedelta(days=30)
FINDING_RETENTION: Final = timedelta(days=400)
MESSAGE_PREFIX: Final = "message#"
FINDING_PREFIX: Final = "finding#"


class MessageRow(Row):
    class Meta:
        table_name = TABLE

    # One attribute: written with every frame, never asked for by itself.
    about = ValueAttribute(About)
    at = MomentAttribute()
    frames = BinaryAttribute(legacy_encoding=False)
    expires_at = NumberAttribute()


class FindingRow(Row):
    class Meta:
        table_name = TABLE

    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    protocol = UnicodeAttribute()
    action = UnicodeAttribute()
    rule = UnicodeAttribute()
    pointer = UnicodeAttribute()
    detail = UnicodeAttribute()
    example = UnicodeAttribute()
    times = NumberAttribute()
    first_at = MomentAttribute()
    last_at = MomentAttribute()
    expires_at = NumberAttribute()


def charger_pk(charger_id: str) -> str:
    return f"charger#{charger_key(charger_id)}"


def finding_key(finding: Finding) -> tuple[str, str]:
    return (
        charger_pk(finding.charger_id),
        f"{FINDING_PREFIX}{finding.action}#{finding.rule}#{finding.pointer}",
    )


MESSAGES: Table[Message] = Table(
    MessageRow,
    Message,
    key=lambda message: (
        charger_pk(message.about.charger_id),
        f"{MESSAGE_PREFIX}{to_rfc3339(message.at)}#{message.turn:06}#{message.about.message_id}",
    ),
    extra=lambda message: {"expires_at": int((message.at + MESSAGE_RETENTION).timestamp())},
)
FINDINGS: Table[Finding] = Table(
    FindingRow,
    Finding,
    key=finding_key,
    extra=lambda finding: {"expires_at": int((finding.last_at + FINDING_RETENTION).timestamp())},
)
