"""Rows of places: locations, the chargers there, their EVSEs, and which EVSE a code on a label means.

Of these only location and charger rows carry `sk2`: what is not listed is not indexed. The update that chargers cause
all day (their status) is built from constants instead of PynamoDB expressions.
"""

from __future__ import annotations

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.chargers.model import Charger, Evse, EvseCode, Location, Photo, charger_key
from chalicelib.chargers.model.nearby import Spot, index_of
from chalicelib.chargers.store import CHARGERS_TABLE, ByOperator
from chalicelib.chargers.store.cells import ByCell
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.table import Row, Table
from chalicelib.kernel.unit_of_work import Write

LOCATION_PREFIX = "location#"
CHARGER_PREFIX = "charger#"
EVSE_PREFIX = "evse#"


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
    max_power_w = NumberAttribute(null=True)
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


def is_still(column: UnicodeAttribute, value: str | None) -> Condition:
    """The column has this value; None: it has none."""
    condition: Condition = column.does_not_exist() if value is None else column == value
    return condition


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
