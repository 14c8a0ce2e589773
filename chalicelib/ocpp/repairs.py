"""Payloads that break their schema, read as what was meant ("accept, repair, record"). Pure.

Called by the gateway (what chargers ask) and by outbound (what they answer).

The schema leads: at each place the value is made what the schema asks for if only the form was wrong (a number as text,
an enumeration in small letters, a text too long), and is left out if it cannot be told. What is left out never changes
the meaning of what stays: an element of an array goes as a whole, an object without what it requires goes, a reading
goes with its unit; nothing becomes 0. So everything inside the result conforms, and only required properties of the
payload's top may be `absent`. An action of NEVER_LOST copes with that, and reads those with `payload.get`:

    StatusNotification connectorId, status; 2.x: evseId, connectorId, connectorStatus
    MeterValues        connectorId, meterValue; 2.x: evseId, meterValue
    StartTransaction   connectorId, idTag, meterStart (unknown, not 0)
    StopTransaction    transactionId, meterStop
    TransactionEvent   triggerReason, seqNo, transactionInfo

`timestamp` (then that of receipt), `errorCode`, `reason`, `eventType`, vendor and model (then empty) are never absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

import msgspec

from chalicelib.kernel.clock import to_rfc3339
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.readings import NUMBER_WITH_UNIT
from chalicelib.ocpp.repair_words import (
    METER_REGISTERS,
    METERS,
    MISSING_OBJECTS,
    MISSING_VALUES,
    MISSING_WORDS,
    RECEIPT_TIMES,
    SCALAR_HOMES,
    SYNONYMS,
    TELLING,
    UNKNOWN_WORDS,
)
from chalicelib.ocpp.schemas import MAX_INTEGER, Schema

NEVER_LOST: Final = frozenset(
    {
        "BootNotification",
        "MeterValues",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
        "TransactionEvent",
    }
)
"""Actions whose content is energy or the state of a place: no fault of form is a reason to refuse them."""

EXAMPLE_LENGTH: Final = 80
_MAX_REPAIRS: Final = 32
_MAX_DEPTH: Final = 24
_NOTHING: Final[tuple[object, ...]] = (None, "", {}, [])
_KINDS: Final[Mapping[type, str]] = {bool: "boolean", str: "string"}
_TRUTHS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Repair:
    """One departure from the schema: `rule` a stable word, `pointer` the place (array places as `*`), `detail` what was
    made of it, `example` what stood there, shortened."""

    rule: str
    pointer: str
    detail: str
    example: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """`absent`: the required properties of the payload's top that could not be told."""

    payload: Payload
    repairs: tuple[Repair, ...]
    absent: tuple[str, ...]


class _Gone:
    """In the place of a value that could not be told."""


_GONE: Final = _Gone()


def repair(schema: Schema, payload: Payload, received_at: datetime) -> Repaired:
    """The payload as `schema` would have it. Terminates: it follows the schema, not the payload."""
    mender = _Mender(schema, received_at)
    mended, absent = mender.properties(schema, payload, "")
    return Repaired(mended, tuple(mender.repairs.values()), tuple(absent))


class _Mender:
    """One repair; `repairs` collects, once per rule and place."""

    def __init__(self, schema: Schema, received_at: datetime) -> None:
        self._definitions: Mapping[str, Schema] = schema.get("definitions", {})
        self._received_at = received_at
        self.repairs: dict[tuple[str, str], Repair] = {}

    def note(self, rule: str, pointer: str, detail: str, value: object) -> None:
        if (rule, pointer) not in self.repairs and len(self.repairs) < _MAX_REPAIRS:
            example = "" if _is_secret(pointer) else as_example(value)
            self.repairs[(rule, pointer)] = Repair(rule, pointer, detail, example)

    def properties(self, schema: Schema, value: Payload, pointer: str) -> tuple[Payload, list[str]]:
        """The object, and which of the properties that it requires could not be told."""
        known: Mapping[str, Schema] = schema.get("properties", {})
        required = schema.get("required", ())
        mended: Payload = {}
        for name, told in self._named(schema, known, value, pointer).items():
            if name not in known:
                mended[name] = told
                continue
            spec, place = self._resolve(known[name]), f"{pointer}/{name}"
            read = self.mend(spec, told, place, name)
            if isinstance(read, _Gone) and told not in _NOTHING:
                read = self._unknown(spec, told, place, name)
            if not isinstance(read, _Gone):
                mended[name] = read
            elif name not in required:
                self._leave_out(spec, told, place)
                if name in TELLING and told not in _NOTHING and _is_reading(known):
                    return mended, [name]
        missing = [name for name in required if name not in mended and not self._fill(mended, known, name, pointer)]
        for name in missing:
            self.note("missing", f"{pointer}/{name}", "not told", value.get(name))
        return mended, missing

    def mend(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        """The value as `spec` has it, or _GONE."""
        if value is None:
            return _GONE
        kind = spec.get("type")
        if kind == "object":
            return self._object(spec, value, pointer, name)
        if kind == "array":
            return self._array(spec, value, pointer, name)
        if kind == "string":
            return self._text(spec, value, pointer)
        if kind in ("integer", "number"):
            return self._number(spec, value, pointer, name)
        if kind == "boolean":
            return self._truth(value, pointer)
        return _GONE if _is_deep(value) else value

    def _resolve(self, spec: Schema) -> Schema:
        reference = spec.get("$ref")
        return spec if reference is None else self._definitions[reference.rpartition("/")[2]]

    # -- objects and arrays -------------------------------------------------------------------------------------

    def _object(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        if isinstance(value, list) and len(value) == 1:
            self.note("array_for_object", pointer, "its only element was taken", value)
            value = value[0]
        elif name in SCALAR_HOMES and isinstance(value, str | int):
            self.note("value_for_object", pointer, f"taken as its {SCALAR_HOMES[name]}", value)
            value = {SCALAR_HOMES[name]: value}
        if not isinstance(value, dict):
            return _GONE
        mended, missing = self.properties(spec, self._reading(spec, value, pointer), pointer)
        return _GONE if missing else mended

    def _named(self, schema: Schema, known: Mapping[str, Schema], value: Payload, pointer: str) -> Payload:
        """The properties under the names that the schema has; what it has no name for is left out, unless it may be."""
        if all(name in known for name in value):
            return value
        folded = {fold(name): name for name in known}
        named = {name: told for name, told in value.items() if name in known}
        for name, told in value.items():
            meant = folded.get(fold(name))
            if name in known:
                continue
            if schema.get("additionalProperties", True) is not False and not _is_deep(told):
                named[name] = told
            elif meant is not None and meant not in named:
                self.note("property_case", f"{pointer}/{meant}", f"read as {meant}", name)
                named[meant] = told
            else:
                self.note("unknown_property", f"{pointer}/*", "left out", name)
        return named

    def _reading(self, spec: Schema, value: Payload, pointer: str) -> Payload:
        """A 2.x sampled value whose number carries its unit: the unit is put where it belongs."""
        told = value.get("value")
        if not isinstance(told, str) or "unitOfMeasure" not in spec.get("properties", {}):
            return value
        found = NUMBER_WITH_UNIT.fullmatch(told)
        if found is None or not found[2]:
            return value
        self.note("unit_in_value", f"{pointer}/value", f"read as {found[1]} in {found[2]}", told)
        if value.get("unitOfMeasure") in _NOTHING:
            return {**value, "value": found[1], "unitOfMeasure": {"unit": found[2]}}
        return {**value, "value": found[1]}

    def _array(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        items = self._resolve(spec.get("items", {}))
        if not isinstance(value, list):
            if isinstance(value, dict) is not (items.get("type") == "object"):
                return _GONE
            self.note("object_for_array", pointer, "taken as its only element", value)
            value = [value]
        place = f"{pointer}/*"
        kept = []
        for element in value:
            read = self.mend(items, element, place, name)
            if isinstance(read, _Gone):
                self._leave_out(items, element, place)
            else:
                kept.append(read)
        most = spec.get("maxItems")
        if most is not None and len(kept) > most:
            self.note("too_many", pointer, f"the first {most} were taken", f"{len(kept)} elements")
            kept = kept[:most]
        return _GONE if len(kept) < spec.get("minItems", 0) else kept

    # -- what could not be told ---------------------------------------------------------------------------------

    def _leave_out(self, spec: Schema, value: object, pointer: str) -> None:
        rule = "unreadable"
        if value in _NOTHING:
            rule = "empty"
        elif "enum" in spec and isinstance(value, str):
            rule = "unknown_value"
        self.note(rule, pointer, "left out", value)

    def _unknown(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        for word in UNKNOWN_WORDS.get(name, ()):
            if word in spec.get("enum", ()):
                self.note("unknown_value", pointer, f"taken as {word}", value)
                return word
        return _GONE

    def _fill(self, mended: Payload, known: Mapping[str, Schema], name: str, pointer: str) -> bool:
        """Puts what stands for a required property that was not told, if anything may."""
        spec = self._resolve(known[name])
        filling: object = _GONE
        if "enum" in spec:
            filling = next((word for word in MISSING_WORDS.get(name, ()) if word in spec["enum"]), _GONE)
        elif name in RECEIPT_TIMES and spec.get("type") == "string":
            filling = to_rfc3339(self._received_at)
        elif name in MISSING_OBJECTS and spec.get("type") == "object":
            whole, missing = self.properties(spec, {}, f"{pointer}/{name}")
            filling = _GONE if missing else whole
        elif spec.get("type") == _KINDS.get(type(MISSING_VALUES.get(name))):
            filling = MISSING_VALUES[name]
        if isinstance(filling, _Gone):
            return False
        self.note("missing", f"{pointer}/{name}", f"taken as {filling!r}", None)
        mended[name] = filling
        return True

    # -- values -------------------------------------------------------------------------------------------------

    def _text(self, spec: Schema, value: object, pointer: str) -> object:
        text = value
        most: int | None = spec.get("maxLength")
        if isinstance(value, dict | list) and (most is not None or "enum" in spec or "format" in spec):
            return _GONE
        if not isinstance(text, str):
            if _is_deep(value):
                return _GONE
            text = msgspec.json.encode(value).decode()
            self.note("not_text", pointer, "taken as text", value)
        if "enum" in spec:
            return self._word(spec["enum"], text, pointer)
        if most is not None and len(text) > most:
            self.note("too_long", pointer, f"cut to {most} characters", text)
            text = text[:most]
        return text

    def _word(self, options: list[str], text: str, pointer: str) -> object:
        if text in options:
            return text
        folded = fold(text)
        alike = [option for option in options if fold(option) == folded]
        if len(alike) == 1:
            self.note("enum_case", pointer, f"read as {alike[0]}", text)
            return alike[0]
        meant = next((word for word in SYNONYMS.get(folded, ()) if word in options), None)
        if meant is None:
            return _GONE
        self.note("synonym", pointer, f"read as {meant}", text)
        return meant

    def _number(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        is_whole = spec["type"] == "integer"
        number = self._decimal(value, pointer, name)
        if number is None:
            return _GONE
        step = Decimal(1) if is_whole else Decimal(str(spec.get("multipleOf", 0)))
        if step and number % step:
            number = (number / step).to_integral_value(ROUND_HALF_UP) * step
            self.note("too_fine", pointer, f"rounded to {number}", value)
        elif is_whole and isinstance(value, float):
            self.note("not_whole", pointer, "taken as a whole number", value)
        least, most = spec.get("minimum", -MAX_INTEGER), spec.get("maximum", MAX_INTEGER)
        if not Decimal(str(least)) <= number <= Decimal(str(most)):
            return _GONE
        whole = number == number.to_integral_value()
        return int(number) if whole else float(number)

    def _decimal(self, value: object, pointer: str, name: str) -> Decimal | None:
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
        self.note("text_for_number", pointer, "read as a number", value)
        number = Decimal(found[1].replace(",", ".")) * factor
        return number if abs(number) <= MAX_INTEGER else None

    def _truth(self, value: object, pointer: str) -> object:
        if isinstance(value, bool):
            return value
        read = _TRUTHS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
        if read is None:
            return _GONE
        self.note("not_boolean", pointer, f"read as {str(read).lower()}", value)
        return read


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """A name without what firmware gets wrong: case, spaces, dots, dashes, underscores."""
    return "".join(character for character in text.lower() if character.isalnum() or character == "%")


def as_example(value: object) -> str:
    """What was sent, as JSON, short enough to keep and to show."""
    try:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except RecursionError:
        text = f"{type(value).__name__} nested without end"
    text = text if len(text) <= EXAMPLE_LENGTH else f"{text[: EXAMPLE_LENGTH - 1]}…"
    return text.encode(errors="replace").decode()  # half a surrogate pair is no text that can be stored


def _is_deep(value: object) -> bool:
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


def _is_reading(known: Mapping[str, Schema]) -> bool:
    """Whether an object with these properties is a sampled value, or the unit of one."""
    return "value" in known or "multiplier" in known


def _is_secret(pointer: str) -> bool:
    """Values of configuration may be passwords."""
    return pointer.startswith("/configurationKey/") or pointer.endswith("/attributeValue")
