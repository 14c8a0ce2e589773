"""DynamoDB's typed values, in the form they have on the wire: `{"S": "text"}`, `{"L": [{"N": "1"}]}`.

`normalise` is the gate every value from a caller passes once: it validates, makes numbers, sets and binary
canonical, and measures. Behind the gate two values are equal exactly if their Python forms are.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from infra.local.dynamodb import decimals
from infra.local.dynamodb.errors import invalid_parameter, malformed, validation

Value = dict[str, Any]
Item = dict[str, Value]
EncodedKey = str | bytes

MAX_DEPTH = 32
_CONTAINER_OVERHEAD_BYTES = 3
_ELEMENT_OVERHEAD_BYTES = 1
TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M"})
_SORTED_TYPES = frozenset({"S", "N", "B"})


def normalise(value: Any, depth: int = 0) -> tuple[Value, int]:
    """A caller's value, checked and canonical, with its size in bytes (AWS "Item sizes and formats").

    ValidationException for empty sets, duplicates, numbers out of range, nesting over 32 levels.
    """
    if not isinstance(value, dict):
        raise malformed("Unexpected value type in payload")
    if len(value) != 1:
        raise validation(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
            if value
            else "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    ((kind, raw),) = value.items()
    if kind == "S":  # nine values in ten
        if raw.__class__ is not str:
            raise malformed("Expected string or null")
        return value, len(raw) if raw.isascii() else text_size(raw)
    rule = _NORMALISERS.get(kind)
    if rule is None:
        raise validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    canonical, size = rule(raw, depth)
    return {kind: canonical}, size


def normalise_item(item: Any) -> tuple[Item, int]:
    """An item from a caller, each value normalised, with its size in bytes (names and values)."""
    if not isinstance(item, dict):
        raise malformed("Unexpected value type in payload")
    size = 0
    normal: Item = {}
    for name, value in item.items():
        normal[name], value_size = normalise(value)
        size += value_size + (len(name) if name.isascii() else text_size(name))
    return normal, size


def text_size(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise malformed("Invalid UTF-8 in string") from error


def value_size(value: Value) -> int:
    """The size in bytes of a value that is already canonical."""
    ((kind, raw),) = value.items()
    if kind == "S":
        return len(raw) if raw.isascii() else text_size(raw)
    return _SIZES[kind](raw)


def attribute_size(item: Item, name: str) -> int:
    """Name and value of one attribute; 0 if the item does not have it."""
    value = item.get(name)
    return 0 if value is None else text_size(name) + value_size(value)


def item_size(item: Item) -> int:
    return sum(text_size(name) + value_size(value) for name, value in item.items())


def kind_of(value: Value) -> str:
    return next(iter(value))


def less(left: Value, right: Value) -> bool | None:
    """Whether left < right; None if these two do not compare (different types, or types without an order)."""
    ((left_kind, left_raw),) = left.items()
    ((right_kind, right_raw),) = right.items()
    if left_kind != right_kind or left_kind not in _SORTED_TYPES:
        return None
    return bool(comparable(left_kind, left_raw) < comparable(right_kind, right_raw))


def comparable(kind: str, raw: str) -> Any:
    """The Python value whose order is DynamoDB's: code points, decimals, bytes."""
    if kind == "S":
        return raw
    return decimals.decimal(raw) if kind == "N" else base64.b64decode(raw)


def encode_key(value: Value) -> EncodedKey:
    """A key value as SQLite stores it: text or blob whose byte order is DynamoDB's order."""
    ((kind, raw),) = value.items()
    if kind == "S":
        return str(raw)
    return decimals.sort_key(raw) if kind == "N" else base64.b64decode(raw)


def reply(value: Value) -> Value:
    """The value as botocore hands it to its caller: binary decoded to bytes."""
    ((kind, raw),) = value.items()
    if kind == "B":
        return {"B": base64.b64decode(raw)}
    if kind == "BS":
        return {"BS": [base64.b64decode(member) for member in raw]}
    if kind == "L":
        return {"L": [reply(member) for member in raw]}
    if kind == "M":
        return {"M": {name: reply(member) for name, member in raw.items()}}
    return value


def reply_item(item: Item) -> Item:
    return {name: reply(value) for name, value in item.items()}


def _normal_number(raw: Any, _depth: int) -> tuple[str, int]:
    if raw.__class__ is not str:
        raise malformed("Expected string or null")
    if not raw:
        raise validation("The parameter cannot be converted to a numeric value")
    return decimals.parse(raw)


def _normal_binary(raw: Any, _depth: int) -> tuple[str, int]:
    if raw.__class__ is not str:
        raise malformed("Expected string or null")
    try:
        content = base64.b64decode(raw, validate=True)
    except binascii.Error as error:
        raise malformed("Invalid Base64 in binary value") from error
    return base64.b64encode(content).decode(), len(content)


def _normal_text(raw: Any, _depth: int) -> tuple[str, int]:
    if raw.__class__ is not str:
        raise malformed("Expected string or null")
    return raw, text_size(raw)


def _normal_bool(raw: Any, _depth: int) -> tuple[bool, int]:
    if raw.__class__ is not bool:
        raise malformed("Unexpected token received from parser")
    return raw, 1


def _normal_null(raw: Any, _depth: int) -> tuple[bool, int]:
    if raw is not True:
        raise invalid_parameter("Null attribute value types must have the value of true")
    return True, 1


def _normal_list(raw: Any, depth: int) -> tuple[list[Value], int]:
    if raw.__class__ is not list:
        raise malformed("Unexpected value type in payload")
    _check_depth(depth)
    size = _CONTAINER_OVERHEAD_BYTES
    members = []
    for value in raw:
        member, member_size = normalise(value, depth + 1)
        members.append(member)
        size += member_size + _ELEMENT_OVERHEAD_BYTES
    return members, size


def _normal_map(raw: Any, depth: int) -> tuple[Item, int]:
    if raw.__class__ is not dict:
        raise malformed("Unexpected value type in payload")
    _check_depth(depth)
    size = _CONTAINER_OVERHEAD_BYTES
    members = {}
    for name, value in raw.items():
        members[name], member_size = normalise(value, depth + 1)
        size += text_size(name) + member_size + _ELEMENT_OVERHEAD_BYTES
    return members, size


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise validation("Nesting Levels have exceeded supported limits")


_Normaliser = Callable[[Any, int], tuple[Any, int]]


def _set_of(kind: str, empty: str, rule: _Normaliser) -> _Normaliser:
    def normal_set(raw: Any, depth: int) -> tuple[list[str], int]:
        if raw.__class__ is not list:
            raise malformed("Unexpected value type in payload")
        if not raw:
            raise invalid_parameter(empty)
        normal = [rule(member, depth) for member in raw]
        members = [member for member, _ in normal]
        if len(set(members)) != len(members):
            raise invalid_parameter(f"Input collection [{', '.join(raw)}] contains duplicates.")
        return sorted_members(kind, members), sum(size for _, size in normal)

    return normal_set


def sorted_members(set_kind: str, members: list[str]) -> list[str]:
    """The canonical order of a set, so that equal sets are equal lists."""
    return sorted(members, key=lambda member: comparable(set_kind[0], member))


_NORMALISERS: dict[str, _Normaliser] = {
    "S": _normal_text,
    "N": _normal_number,
    "B": _normal_binary,
    "BOOL": _normal_bool,
    "NULL": _normal_null,
    "L": _normal_list,
    "M": _normal_map,
    "SS": _set_of("SS", "An string set  may not be empty", _normal_text),
    "NS": _set_of("NS", "An number set  may not be empty", _normal_number),
    "BS": _set_of("BS", "Binary sets should not be empty", _normal_binary),
}


def _binary_size(raw: str) -> int:
    return len(raw) * 3 // 4 - raw.count("=")


_SIZES: dict[str, Callable[[Any], int]] = {
    "N": lambda raw: decimals.parse(raw)[1],
    "B": _binary_size,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
    "SS": lambda raw: sum(map(text_size, raw)),
    "NS": lambda raw: sum(decimals.parse(member)[1] for member in raw),
    "BS": lambda raw: sum(map(_binary_size, raw)),
    "L": lambda raw: _CONTAINER_OVERHEAD_BYTES + sum(value_size(member) + _ELEMENT_OVERHEAD_BYTES for member in raw),
    "M": lambda raw: (
        _CONTAINER_OVERHEAD_BYTES
        + sum(text_size(name) + value_size(member) + _ELEMENT_OVERHEAD_BYTES for name, member in raw.items())
    ),
}
