"""Rows of the network: tables `chargers` and `connections`. Private to this capability.

Here are places, chargers, their commands and connections; `store.configuration` has what chargers are set to,
`store.groups` their groups, `store.claims` whose which serial number is, `store.cells` the index of the map.

`connections` is a table of its own because the offline job scans it: its rows are small and nothing else is in it.
Only location and charger rows carry `sk2`, only command rows `charger_key`: what is not listed is not indexed.
The two updates that chargers cause all day are built from constants instead of PynamoDB expressions.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.chargers.model import (
    Charger,
    Command,
    Connection,
    ConnectionAttempt,
    Evse,
    EvseCode,
    FollowUp,
    Link,
    Location,
    Photo,
    Progress,
    charger_key,
)
from chalicelib.chargers.model.handshake import ATTEMPT_RETENTION_DAYS
from chalicelib.chargers.model.links import CONNECTION_LIFETIME
from chalicelib.chargers.model.nearby import Spot, index_of
from chalicelib.chargers.store.cells import ByCell
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context, table_name
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.table import Row, Table
from chalicelib.kernel.unit_of_work import Write

CHARGERS_TABLE = table_name("chargers")
CONNECTIONS_TABLE = table_name("connections")

LOCATION_PREFIX = "location#"
CHARGER_PREFIX = "charger#"
EVSE_PREFIX = "evse#"
UNKNOWN_OPERATOR = "unknown"


FOLLOW_UP_RETENTION = timedelta(days=90)


class ByOperator(GlobalSecondaryIndex[Any]):
    """An operator's locations and chargers: `sk2` is `<kind>#<id>`."""

    class Meta:
        index_name = "by_operator"
        projection = KeysOnlyProjection()

    operator_id = UnicodeAttribute(hash_key=True)
    sk2 = UnicodeAttribute(range_key=True)


class CommandsByCharger(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "commands_by_charger"
        projection = KeysOnlyProjection()

    charger_key = UnicodeAttribute(hash_key=True)
    command_id = UnicodeAttribute(range_key=True)


class LocationRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    by_operator = ByOperator()
    by_cell = ByCell()
    operator_id = UnicodeAttribute()
    sk2 = UnicodeAttribute()
    cell = UnicodeAttribute(null=True)
    spot = UnicodeAttribute(null=True)
    location_id = UnicodeAttribute()
    name = UnicodeAttribute()
    address = UnicodeAttribute()
    city = UnicodeAttribute()
    country = UnicodeAttribute()
    time_zone = UnicodeAttribute()
    created_at = MomentAttribute()
    postal_code = UnicodeAttribute(null=True)
    latitude = UnicodeAttribute(null=True)
    longitude = UnicodeAttribute(null=True)
    agency_id = UnicodeAttribute(null=True)
    region_id = UnicodeAttribute(null=True)
    description = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    charger_count = NumberAttribute()
    photos = ValueAttribute(list[Photo])


class ChargerRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    by_operator = ByOperator()
    operator_id = UnicodeAttribute()
    sk2 = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    evse_count = NumberAttribute()
    password_hash = UnicodeAttribute()
    created_at = MomentAttribute()
    charge_with_qr = BooleanAttribute()
    accepts_missing_subprotocol = BooleanAttribute()
    security_profile = NumberAttribute()
    next_security_profile = NumberAttribute(null=True)
    new_password_hash = UnicodeAttribute(null=True)
    basic_auth_user = UnicodeAttribute(null=True)
    location_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    serial_number = UnicodeAttribute(null=True)
    uid = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    region = UnicodeAttribute(null=True)
    vendor = UnicodeAttribute(null=True)
    model = UnicodeAttribute(null=True)
    firmware_version = UnicodeAttribute(null=True)
    reported_serial_number = UnicodeAttribute(null=True)
    iccid = UnicodeAttribute(null=True)
    imsi = UnicodeAttribute(null=True)
    booted_at = MomentAttribute(null=True)
    drift_count = NumberAttribute(null=True)
    heartbeat_interval_s = NumberAttribute()
    group_id = UnicodeAttribute(null=True)
    state = UnicodeAttribute()


class EvseRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()
    code = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    error_code = UnicodeAttribute(null=True)
    info = UnicodeAttribute()
    vendor_error_code = UnicodeAttribute()
    reported_at = MomentAttribute(null=True)
    received_at = MomentAttribute(null=True)
    connector_no = NumberAttribute(null=True)


class EvseCodeRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    code = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()


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


def location_key(location_id: str) -> tuple[str, str]:
    return (f"{LOCATION_PREFIX}{location_id}", "location")


def charger_pk(charger_id: str) -> str:
    return f"{CHARGER_PREFIX}{charger_key(charger_id)}"


def charger_row_key(charger_id: str) -> tuple[str, str]:
    return (charger_pk(charger_id), "charger")


def evse_key(charger_id: str, evse_no: int, connector_no: int | None = None) -> tuple[str, str]:
    connector = "" if connector_no is None else f"#{connector_no:02d}"
    return (charger_pk(charger_id), f"{EVSE_PREFIX}{evse_no:03d}{connector}")


def code_key(code: str) -> tuple[str, str]:
    return (f"code#{code}", "code")


def command_key(command_id: str) -> tuple[str, str]:
    return (f"command#{command_id}", "command")


def follow_up_key(charger_id: str, topic: str) -> tuple[str, str]:
    return (charger_pk(charger_id), f"follow#{topic}")


def attempts_pk(operator_id: str | None) -> str:
    return f"attempts#{operator_id or UNKNOWN_OPERATOR}"


def link_key(charger_id: str) -> tuple[str, str]:
    return (f"link#{charger_key(charger_id)}", "link")


def connection_key(connection_id: str) -> tuple[str, str]:
    return (f"ws#{connection_id}", "connection")


def _epoch_after(moment: datetime, lifetime: timedelta) -> int:
    return int((moment + lifetime).timestamp())


LOCATIONS: Table[Location] = Table(
    LocationRow,
    Location,
    key=lambda location: location_key(location.location_id),
    extra=lambda location: {"sk2": f"{LOCATION_PREFIX}{location.location_id}", **index_of(location)},
)
SPOTS: Table[Spot] = Table(LocationRow, Spot, key=lambda spot: location_key(spot.location_id))
"""Locations as `by_cell` knows them: read through it only."""
CHARGERS: Table[Charger] = Table(
    ChargerRow,
    Charger,
    key=lambda charger: charger_row_key(charger.charger_id),
    extra=lambda charger: {"sk2": f"{CHARGER_PREFIX}{charger.charger_key}"},
)
EVSES: Table[Evse] = Table(EvseRow, Evse, key=lambda evse: evse_key(evse.charger_id, evse.evse_no, evse.connector_no))
EVSE_CODES: Table[EvseCode] = Table(EvseCodeRow, EvseCode, key=lambda entry: code_key(entry.code))
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
    extra=lambda follow: {"expires_at": _epoch_after(follow.sent_at, FOLLOW_UP_RETENTION)},
)
ATTEMPTS: Table[ConnectionAttempt] = Table(
    AttemptRow,
    ConnectionAttempt,
    key=lambda attempt: (
        attempts_pk(attempt.operator_id),
        f"{to_rfc3339(attempt.attempted_at)}#{attempt.attempt_id}",
    ),
    extra=lambda attempt: {
        "expires_at": _epoch_after(attempt.attempted_at, timedelta(days=ATTEMPT_RETENTION_DAYS)),
    },
)
LINKS: Table[Link] = Table(LinkRow, Link, key=lambda link: link_key(link.charger_id))
CONNECTIONS: Table[Connection] = Table(
    ConnectionRow,
    Connection,
    key=lambda connection: connection_key(connection.connection_id),
    extra=lambda connection: {"expires_at": _epoch_after(connection.connected_at, CONNECTION_LIFETIME)},
)

_STATUS_UPDATE = (
    "SET charger_id = :charger, evse_no = :evse, #status = :status, error_code = :error, #info = :info, "
    "vendor_error_code = :vendor, reported_at = :reported, received_at = :received"
)
_STATUS_NAMES = {"#status": "status", "#info": "info"}


def status_write(evse: Evse) -> Write:
    """One UpdateItem (1 WRU) that stores a report and leaves the EVSE's code alone."""
    received = to_rfc3339(evse.received_at) if evse.received_at else ""
    of_connector = evse.connector_no is not None
    return Write(
        "evse status",
        "Update",
        {
            "TableName": CHARGERS_TABLE,
            "Key": EVSES.key_map(*evse_key(evse.charger_id, evse.evse_no, evse.connector_no)),
            "UpdateExpression": _STATUS_UPDATE + (", connector_no = :connector" if of_connector else ""),
            "ExpressionAttributeNames": _STATUS_NAMES,
            "ExpressionAttributeValues": {
                ":charger": {"S": evse.charger_id},
                ":evse": {"N": str(evse.evse_no)},
                ":status": {"S": evse.status or ""},
                ":error": {"S": evse.error_code or ""},
                ":info": {"S": evse.info},
                ":vendor": {"S": evse.vendor_error_code},
                ":reported": {"S": to_rfc3339(evse.reported_at) if evse.reported_at else received},
                ":received": {"S": received},
                **({":connector": {"N": str(evse.connector_no)}} if of_connector else {}),
            },
        },
        StaleRead("The status"),
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
