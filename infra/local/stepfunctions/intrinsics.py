"""The intrinsic functions of the States Language (`States.Format` ... `States.JsonMerge`).

Called by `expressions` alone, with JSON values. A bad argument is a ValueError, which becomes
States.IntrinsicFailure there. Pure but for States.UUID and States.MathRandom, whose results are committed with
the state's input, so that a repeated attempt sees the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import random
import re
import uuid
from collections.abc import Callable

from infra.local.stepfunctions.values import Json, JsonObject, from_text, to_text

_MAX_ARRAY = 1000  # elements that ArrayRange may make
_MAX_ENCODED = 10_000  # characters that Base64 and Hash functions take
_HASHES = {"MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"}
_UNBOUNDED = 1000


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise ValueError(f"{to_text(value)} is not an array")
    return value


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise ValueError(f"{to_text(value)} is not an object")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{to_text(value)} is not a string")
    return value


def _integer(value: Json) -> int:
    """Numbers with a fraction are rounded half up, as the service says it does for ArrayRange and MathAdd."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{to_text(value)} is not a number")
    return value if isinstance(value, int) else int(value // 1 + (1 if value % 1 >= 0.5 else 0))


def _format(template: Json, *arguments: Json) -> Json:
    rest = list(arguments)

    def piece(match: re.Match[str]) -> str:
        if match[0] != "{}":
            return match[0][1:]
        if not rest:
            raise ValueError("there are more {} than arguments")
        return _shown(rest.pop(0))

    text = re.sub(r"\\.|\{\}", piece, _text(template))
    if rest:
        raise ValueError("there are more arguments than {}")
    return text


def _shown(value: Json) -> str:
    """A value inside a text. The service shows arrays and objects as `[a, b]` and `{k=v}`, which is not JSON."""
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) + "}"
    return value if isinstance(value, str) else to_text(value)


def _string_to_json(text: Json) -> Json:
    return from_text(_text(text))


def _array_partition(array: Json, size: Json) -> Json:
    items, length = _array(array), _integer(size)
    if length < 1:
        raise ValueError("the chunk size must be a positive number")
    return [items[at : at + length] for at in range(0, len(items), length)]


def _array_contains(array: Json, wanted: Json) -> Json:
    return to_text(wanted) in {to_text(item) for item in _array(array)}


def _array_range(first: Json, last: Json, step: Json) -> Json:
    low, high, stride = _integer(first), _integer(last), _integer(step)
    if stride == 0:
        raise ValueError("the step must not be zero")
    numbers = range(low, high + (1 if stride > 0 else -1), stride)
    if len(numbers) > _MAX_ARRAY:
        raise ValueError(f"the range has more than {_MAX_ARRAY} elements")
    return list(numbers)


def _array_get_item(array: Json, index: Json) -> Json:
    items, at = _array(array), _integer(index)
    if not 0 <= at < len(items):
        raise ValueError(f"the index {at} is outside of the array of {len(items)}")
    return items[at]


def _array_unique(array: Json) -> Json:
    """The first of each value, in order."""
    firsts: dict[str, Json] = {}
    for item in _array(array):
        firsts.setdefault(to_text(item), item)
    return list(firsts.values())


def _base64_encode(text: Json) -> Json:
    return base64.b64encode(_bounded(text).encode()).decode()


def _base64_decode(text: Json) -> Json:
    try:
        return base64.b64decode(_bounded(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise ValueError(f"not Base64 of a text: {problem}") from problem


def _bounded(text: Json) -> str:
    if len(_text(text)) > _MAX_ENCODED:
        raise ValueError(f"the text is longer than {_MAX_ENCODED} characters")
    return _text(text)


def _hash(data: Json, algorithm: Json) -> Json:
    if algorithm not in _HASHES:
        raise ValueError(f"the algorithm must be one of {', '.join(sorted(_HASHES))}")
    text = data if isinstance(data, str) else to_text(data)
    return hashlib.new(str(algorithm).replace("-", ""), _bounded(text).encode()).hexdigest()


def _json_merge(first: Json, second: Json, deep: Json) -> Json:
    if deep is not False:
        raise ValueError("only shallow merging (false) is supported by the service")
    return {**_object(first), **_object(second)}


def _math_random(low: Json, high: Json, seed: Json = None) -> Json:
    source = random.Random(None if seed is None else _integer(seed))
    first, last = _integer(low), _integer(high)
    if first >= last:
        raise ValueError("the start must be below the end")
    return source.randrange(first, last)


def _math_add(first: Json, second: Json) -> Json:
    return _integer(first) + _integer(second)


def _string_split(text: Json, separators: Json) -> Json:
    """Every character of `separators` separates; empty pieces are dropped."""
    characters = re.escape(_text(separators))
    pieces = re.split(f"[{characters}]", _text(text)) if characters else [_text(text)]
    return [piece for piece in pieces if piece]


def _array_of(*items: Json) -> Json:
    return list(items)


def _array_length(array: Json) -> Json:
    return len(_array(array))


def _uuid() -> Json:
    return str(uuid.uuid4())


def _json_to_string(value: Json) -> Json:
    return to_text(value)


_TABLE: dict[str, tuple[Callable[..., Json], int, int]] = {
    "States.Format": (_format, 1, _UNBOUNDED),
    "States.StringToJson": (_string_to_json, 1, 1),
    "States.JsonToString": (_json_to_string, 1, 1),
    "States.Array": (_array_of, 0, _UNBOUNDED),
    "States.ArrayPartition": (_array_partition, 2, 2),
    "States.ArrayContains": (_array_contains, 2, 2),
    "States.ArrayRange": (_array_range, 3, 3),
    "States.ArrayGetItem": (_array_get_item, 2, 2),
    "States.ArrayLength": (_array_length, 1, 1),
    "States.ArrayUnique": (_array_unique, 1, 1),
    "States.Base64Encode": (_base64_encode, 1, 1),
    "States.Base64Decode": (_base64_decode, 1, 1),
    "States.Hash": (_hash, 2, 2),
    "States.JsonMerge": (_json_merge, 3, 3),
    "States.MathRandom": (_math_random, 2, 3),
    "States.MathAdd": (_math_add, 2, 2),
    "States.StringSplit": (_string_split, 2, 2),
    "States.UUID": (_uuid, 0, 0),
}
FUNCTIONS = {name: function for name, (function, _, _) in _TABLE.items()}
ARITY = {name: (low, high) for name, (_, low, high) in _TABLE.items()}
