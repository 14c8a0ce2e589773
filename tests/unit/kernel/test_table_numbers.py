"""Numbers go through the data layer's own quick path: what PynamoDB would write and read, to the letter."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pynamodb.attributes import NumberAttribute

from chalicelib.kernel.table import Row, Table


@dataclass(frozen=True)
class Reading:
    value: int | float


class ReadingRow(Row):
    class Meta:
        table_name = "readings"

    value = NumberAttribute()


READINGS: Table[Reading] = Table(ReadingRow, Reading, key=lambda reading: ("a", "b"))


@pytest.mark.parametrize("value", [0, 7, -1, 2**53 + 1, 10**30, 1.5, -0.001, 1e21])
def test_a_number_is_written_and_read_as_pynamodb_does(value: int | float) -> None:
    stored = READINGS.to_item(Reading(value))["value"]
    assert stored == {"N": NumberAttribute().serialize(value)}
    assert READINGS.from_item({"value": stored}) == Reading(value)
    assert type(READINGS.from_item({"value": stored}).value) is type(value)


@pytest.mark.parametrize("text", ["1E3", "12.50", "-4"])
def test_what_the_store_may_write_is_read(text: str) -> None:
    assert READINGS.from_item({"value": {"N": text}}).value == NumberAttribute().deserialize(text)
