"""Rows that say which charger of an owner has a serial number."""

from __future__ import annotations

from pynamodb.attributes import UnicodeAttribute

from chalicelib.chargers.model import SerialNumber, serial_key
from chalicelib.chargers.store import CHARGERS_TABLE
from chalicelib.kernel.table import Row, Table


class SerialRow(Row):
    """`operator_id` has another name here: it is the key of an index of what is listed."""

    class Meta:
        table_name = CHARGERS_TABLE

    operator_id = UnicodeAttribute(attr_name="serial_of")
    serial_number = UnicodeAttribute()
    charger_id = UnicodeAttribute()


def serial_row_key(operator_id: str, serial_number: str) -> tuple[str, str]:
    return (f"serial#{operator_id}#{serial_key(serial_number)}", "serial")


SERIALS: Table[SerialNumber] = Table(
    SerialRow, SerialNumber, key=lambda entry: serial_row_key(entry.operator_id, entry.serial_number)
)
