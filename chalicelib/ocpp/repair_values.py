"""One value that breaks its schema, read as what was meant: a text, a word of an enumeration, a number, a truth. Pure.

For `ocpp/repairs.py` alone, which knows the place that the value stands at. GONE stands for what could not be told:
a value is never made up.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

import msgspec

from chalicelib.ocpp.readings import NUMBER_WITH_UNIT
from chalicelib.ocpp.repair_words import METER_REGISTERS, METERS, SYNONYMS
from chalicelib.ocpp.schemas import MAX_INTEGER, Schema

Note = Callable[[str, str, object], None]
"""`(rule, what was made of it, what stood there)`: told for each departure."""

_MAX_DEPTH: Final = 24
_TRUTHS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Gone:
    """In the place of a value that could not be told."""


GONE: Final = Gone()


def read_text(spec: Schema, value: object, note: Note) -> object:
    """A text that fits, and is a word of the enumeration where there is one."""
    text = value
    most: int | None = spec.get("maxLength")
    if isinstance(value, dict | list) and (most is not None or "enum" in spec or "format" in spec):
        return GONE
    if not isinstance(text, str):
        if is_deep(value):
            return GONE
        text = msgspec.json.encode(value).decode()
        note("not_text", "taken as text", value)
    if "enum" in spec:
        return _word(spec["enum"], text, note)
    if most is not None and len(text) > most:
        note("too_long", f"cut to {most} characters", text)
        text = text[:most]
    return text


def _word(options: list[str], text: str, note: Note) -> object:
    if text in options:
        return text
    folded = fold(text)
    alike = [option for option in options if fold(option) == folded]
    if len(alike) == 1:
        note("enum_case", f"read as {alike[0]}", text)
        return alike[0]
    meant = next((word for word in SYNONYMS.get(folded, ()) if word in options), None)
    if meant is None:
        return GONE
    note("synonym", f"read as {meant}", text)
    return meant


def read_number(spec: Schema, value: object, name: str, note: Note) -> object:
    """An int, or a float where the schema has fractions; within its bounds and no finer than it has steps."""
    is_whole = spec["type"] == "integer"
    number = _decimal(value, name, note)
    if number is None:
        return GONE
    step = Decimal(1) if is_whole else Decimal(str(spec.get("multipleOf", 0)))
    if step and number % step:
        number = (number / step).to_integral_value(ROUND_HALF_UP) * step
        note("too_fine", f"rounded to {number}", value)
    elif is_whole and isinstance(value, float):
        note("not_whole", "taken as a whole number", value)
    least, most = spec.get("minimum", -MAX_INTEGER), spec.get("maximum", MAX_INTEGER)
    if not Decimal(str(least)) <= number <= Decimal(str(most)):
        return GONE
    whole = number == number.to_integral_value()
    return int(number) if whole else float(number)


def _decimal(value: object, name: str, note: Note) -> Decimal | None:
    """The number that is meant; a register with its unit behind it is one in Wh."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # Beyond this it is out of every bound, and a Decimal of it would be work without end.
        return Decimal(str(value)) if abs(value) <= MAX_INTEGER else None
    if not isinstance(value, str):
        return None
    found = NUMBER_WITH_UNIT.fullmatch(value)
    unit = None if found is None else found[2].lower()
    factor = METERS.get(unit or "") if name in METER_REGISTERS else (None if unit else 1)
    if found is None or factor is None:
        return None
    note("text_for_number", "read as a number", value)
    number = Decimal(found[1].replace(",", ".")) * factor
    return number if abs(number) <= MAX_INTEGER else None


def read_truth(value: object, note: Note) -> object:
    if isinstance(value, bool):
        return value
    read = _TRUTHS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if read is None:
        return GONE
    note("not_boolean", f"read as {str(read).lower()}", value)
    return read


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """A name without what firmware gets wrong: case, spaces, dots, dashes, underscores."""
    return "".join(character for character in text.lower() if character.isalnum() or character == "%")


def is_deep(value: object) -> bool:
    """Nested deeper than the validator follows and DynamoDB keeps. Level by level: no text is too deep for this."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True
