"""Turns a key condition, or a whole table or index, into one SQL statement over its rows in order.

Rows come as (size, body). `after` moves a range's start behind a LastEvaluatedKey.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from infra.local.dynamodb.errors import invalid_parameter, validation
from infra.local.dynamodb.expressions.conditions import Values
from infra.local.dynamodb.expressions.keys import KeyTest
from infra.local.dynamodb.tables import NO_SORT_KEY, Index, KeySchema, Table
from infra.local.dynamodb.values import EncodedKey, Item, Value, encode_key, less, normalise

_TABLE_ROWS = "SELECT size, body FROM items WHERE t=?"
# CROSS JOIN fixes the order of the two loops: the entries lead.
_INDEX_ROWS = (
    "SELECT items.size, items.body FROM entries CROSS JOIN items "
    "ON items.t=? AND items.h=entries.item_h AND items.r=entries.item_r WHERE entries.x=?"
)
_LAST_CODE_POINT = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_COMPARATORS = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True, slots=True)
class Range:
    """`rows` and its conditions so far; `order` the columns that give the order."""

    rows: str
    parameters: tuple[int | EncodedKey, ...]
    order: tuple[str, ...]
    forward: bool = True

    @property
    def sql(self) -> str:
        direction = "" if self.forward else " DESC"
        return f"{self.rows} ORDER BY {', '.join(column + direction for column in self.order)}"

    def where(self, condition: str, *parameters: EncodedKey) -> Range:
        return replace(self, rows=f"{self.rows} AND {condition}", parameters=(*self.parameters, *parameters))


def of_scan(table: Table, index: Index | None) -> Range:
    if index is None:
        return Range(_TABLE_ROWS, (table.items_id,), ("h", "r"))
    columns = ("entries.h", "entries.r", "entries.item_h", "entries.item_r")
    return Range(_INDEX_ROWS, (table.items_id, index.id), columns)


def of_query(
    table: Table,
    index: Index | None,
    partition: KeyTest,
    sort: KeyTest | None,
    values: Values,
    *,
    forward: bool,
) -> Range:
    """One partition, in the order of its sort key. ValidationException for a value of another type."""
    keys = index.keys if index else table.keys
    everything = of_scan(table, index)
    hash_column, range_column = everything.order[:2]
    wanted = _key_value(values[partition.operands[0]], keys.hash_kind, keys.hash_name)
    found = replace(everything.where(f"{hash_column}=?", wanted), order=everything.order[1:], forward=forward)
    return found if sort is None else _narrow(found, range_column, sort, keys, values)


def _narrow(found: Range, column: str, test: KeyTest, keys: KeySchema, values: Values) -> Range:
    operands = [values[name] for name in test.operands]
    encoded = [_key_value(value, keys.range_kind, test.attribute) for value in operands]
    if test.operator in _COMPARATORS:
        return found.where(f"{column}{_COMPARATORS[test.operator]}?", encoded[0])
    if test.operator == "BETWEEN":
        if less(operands[1], operands[0]):
            raise validation(
                "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than "
                "or equal to lower bound"
            )
        return found.where(f"{column}>=? AND {column}<=?", *encoded)
    if keys.range_kind == "N":
        raise validation(
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
            "operator or function: begins_with, operand type: N"
        )
    prefix = encoded[0]
    end = _text_end(prefix) if isinstance(prefix, str) else _bytes_end(prefix)
    found = found.where(f"{column}>=?", prefix)
    return found if end is None else found.where(f"{column}<?", end)


def _key_value(value: Value, kind: str, attribute: str) -> EncodedKey:
    if kind not in value:
        raise invalid_parameter("Condition parameter type does not match schema type")
    if not value[kind]:
        raise validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
            f"contain an empty string value. Key: {attribute}"
        )
    return encode_key(value)


def _text_end(prefix: str) -> str | None:
    """The least text after all that begin with `prefix`; None if there is none."""
    for position in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[position]) + 1
        if following in _SURROGATES:
            following = _SURROGATES.stop
        if following <= _LAST_CODE_POINT:
            return prefix[:position] + chr(following)
    return None


def _bytes_end(prefix: bytes) -> bytes | None:
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None


def after(found: Range, table: Table, index: Index | None, start: Any, within: Value | None) -> Range:
    """The part of the range behind `start`, a LastEvaluatedKey.

    ValidationException if it has other attributes than the keys, or lies in another partition than `within`.
    """
    schemas = [index.keys, table.keys] if index else [table.keys]
    kinds = {name: kind for schema in schemas for name, kind in schema.kinds()}
    if not isinstance(start, dict) or start.keys() != kinds.keys():
        raise validation("The provided starting key is invalid")
    attributes: Item = {}
    for name, kind in kinds.items():
        attributes[name] = normalise(start[name])[0]
        if kind not in attributes[name]:
            raise validation("The provided starting key is invalid: The provided key element does not match the schema")
    if within is not None and attributes[schemas[0].hash_name] != within:
        raise validation("The provided starting key is outside query boundaries based on provided conditions")
    position = [value for schema in schemas for value in _encoded(schema, attributes)]
    if within is not None:
        position = position[1:]
    comparator = ">" if found.forward else "<"
    columns = ", ".join(found.order)
    marks = ", ".join("?" * len(position))
    return found.where(f"({columns}) {comparator} ({marks})", *position)


def _encoded(keys: KeySchema, attributes: Item) -> tuple[EncodedKey, EncodedKey]:
    sort = NO_SORT_KEY if keys.range_name is None else encode_key(attributes[keys.range_name])
    return encode_key(attributes[keys.hash_name]), sort
