"""Rows of commands to chargers, and of which command a charger's later reports belong to.

Only command rows carry `charger_key`: what is not listed is not indexed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.chargers.model import Command, FollowUp, Progress, charger_key
from chalicelib.chargers.store import CHARGERS_TABLE, epoch_after
from chalicelib.chargers.store.places import charger_pk
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table

FOLLOW_UP_RETENTION = timedelta(days=90)


class CommandsByCharger(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "commands_by_charger"
        projection = KeysOnlyProjection()

    charger_key = UnicodeAttribute(hash_key=True)
    command_id = UnicodeAttribute(range_key=True)


class CommandRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    commands_by_charger = CommandsByCharger()
    charger_key = UnicodeAttribute()
    command_id = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    action = UnicodeAttribute()
    payload = ValueAttribute(dict[str, Any])
    requested_by = UnicodeAttribute()
    queued_at = MomentAttribute()
    expires_at = MomentAttribute(attr_name="unsent_until")
    state = UnicodeAttribute()
    session_id = UnicodeAttribute(null=True)
    purpose = UnicodeAttribute(null=True)
    sent_at = MomentAttribute(null=True)
    finished_at = MomentAttribute(null=True)
    answer = ValueAttribute(dict[str, Any], null=True)
    error = UnicodeAttribute(null=True)
    protocol = UnicodeAttribute(null=True)
    sent_as = UnicodeAttribute(null=True)
    sent_payload = ValueAttribute(dict[str, Any], null=True)
    progress = ValueAttribute(list[Progress])


class FollowUpRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    charger_id = UnicodeAttribute()
    topic = UnicodeAttribute()
    command_id = UnicodeAttribute(attr_name="followed_command")
    sent_at = MomentAttribute()
    expires_at = NumberAttribute()


def command_key(command_id: str) -> tuple[str, str]:
    return (f"command#{command_id}", "command")


def follow_up_key(charger_id: str, topic: str) -> tuple[str, str]:
    return (charger_pk(charger_id), f"follow#{topic}")


COMMANDS: Table[Command] = Table(
    CommandRow,
    Command,
    key=lambda command: command_key(command.command_id),
    extra=lambda command: {"charger_key": charger_key(command.charger_id)},
)
FOLLOW_UPS: Table[FollowUp] = Table(
    FollowUpRow,
    FollowUp,
    key=lambda follow: follow_up_key(follow.charger_id, follow.topic),
    extra=lambda follow: {"expires_at": epoch_after(follow.sent_at, FOLLOW_UP_RETENTION)},
)
