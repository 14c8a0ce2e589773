"""JSON values as a workflow sees them: their type, their one text form, their size limit. Pure.

Invariant: no value over 256 KB passes from one state to the next (Step Functions quota).
"""

from __future__ import annotations

import json
from typing import TypeAlias

from infra.local.stepfunctions.errors import DATA_LIMIT_EXCEEDED, StatesError

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = "dict[str, Json]"

MAX_PAYLOAD_BYTES = 262_144
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def to_text(value: object) -> str:
    """The compact JSON text. TypeError or ValueError if `value` is no JSON (NaN, a set, a datetime)."""
    return _encode(value)


def from_text(text: str) -> Json:
    """The value of a JSON text. ValueError if it is none (NaN and Infinity are not), or nested beyond reason."""
    try:
        value: Json = json.loads(text, parse_constant=_refuse)
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem
    return value


def _refuse(constant: str) -> Json:
    raise ValueError(f"{constant} is not JSON")


def copy_of(value: object) -> Json:
    """`value` as it arrives after a trip over the wire: tuples are arrays, keys are strings, nothing is shared."""
    return from_text(to_text(value))


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def fits(text: str) -> bool:
    return len(text) * 4 <= MAX_PAYLOAD_BYTES or len(text.encode()) <= MAX_PAYLOAD_BYTES


def within_limit(value: Json, what: str) -> Json:
    """`value`, unless its text exceeds 256 KB: then States.DataLimitExceeded."""
    if not fits(to_text(value)):
        raise StatesError(DATA_LIMIT_EXCEEDED, f"The {what} is larger than the limit of {MAX_PAYLOAD_BYTES} bytes.")
    return value
