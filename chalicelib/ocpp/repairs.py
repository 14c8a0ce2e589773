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
from functools import partial
from typing import Final

import msgspec

from chalicelib.kernel.clock import to_rfc3339
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.readings import NUMBER_WITH_UNIT
from chalicelib.ocpp.repair_values import GONE, Gone, fold, is_deep, read_number, read_text, read_truth
from chalicelib.ocpp.repair_words import (
    MISSING_OBJECTS,
    MISSING_VALUES,
    MISSING_WITHIN,
    MISSING_WORDS,
    RECEIPT_TIMES,
    SCALAR_HOMES,
    TELLING,
    UNKNOWN_WORDS,
)
from chalicelib.ocpp.schemas import Schema

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
_NOTHING: Final[tuple[object, ...]] = (None, "", {}, [])
_KINDS: Final[Mapping[type, str]] = {bool: "boolean", str: "string"}


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

    def note(self, pointer: str, rule: str, detail: str, value: object) -> None:
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
            if isinstance(read, Gone) and told not in _NOTHING:
                read = self._unknown(spec, told, place, name)
            if not isinstance(read, Gone):
                mended[name] = read
            elif name not in required:
                self._leave_out(spec, told, place)
                if name in TELLING and told not in _NOTHING and _is_reading(known):
                    return mended, [name]
        missing = [name for name in required if name not in mended and not self._fill(mended, known, name, pointer)]
        for name in missing:
            self.note(f"{pointer}/{name}", "missing", "not told", value.get(name))
        return mended, missing

    def mend(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        """The value as `spec` has it, or GONE."""
        if value is None:
            return GONE
        kind = spec.get("type")
        if kind == "object":
            return self._object(spec, value, pointer, name)
        if kind == "array":
            return self._array(spec, value, pointer, name)
        note = partial(self.note, pointer)
        if kind == "string":
            return read_text(spec, value, note)
        if kind in ("integer", "number"):
            return read_number(spec, value, name, note)
        if kind == "boolean":
            return read_truth(value, note)
        return GONE if is_deep(value) else value

    def _resolve(self, spec: Schema) -> Schema:
        reference = spec.get("$ref")
        return spec if reference is None else self._definitions[reference.rpartition("/")[2]]

    # -- objects and arrays -------------------------------------------------------------------------------------

    def _object(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        if isinstance(value, list) and len(value) == 1:
            self.note(pointer, "array_for_object", "its only element was taken", value)
            value = value[0]
        elif name in SCALAR_HOMES and isinstance(value, str | int):
            self.note(pointer, "value_for_object", f"taken as its {SCALAR_HOMES[name]}", value)
            value = {SCALAR_HOMES[name]: value}
        if not isinstance(value, dict):
            return GONE
        mended, missing = self.properties(spec, self._reading(spec, value, pointer), pointer)
        return GONE if missing else mended

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
            if schema.get("additionalProperties", True) is not False and not is_deep(told):
                named[name] = told
            elif meant is not None and meant not in named:
                self.note(f"{pointer}/{meant}", "property_case", f"read as {meant}", name)
                named[meant] = told
            else:
                self.note(f"{pointer}/*", "unknown_property", "left out", name)
        return named

    def _reading(self, spec: Schema, value: Payload, pointer: str) -> Payload:
        """A 2.x sampled value whose number carries its unit: the unit is put where it belongs."""
        told = value.get("value")
        if not isinstance(told, str) or "unitOfMeasure" not in spec.get("properties", {}):
            return value
        found = NUMBER_WITH_UNIT.fullmatch(told)
        if found is None or not found[2]:
            return value
        self.note(f"{pointer}/value", "unit_in_value", f"read as {found[1]} in {found[2]}", told)
        if value.get("unitOfMeasure") in _NOTHING:
            return {**value, "value": found[1], "unitOfMeasure": {"unit": found[2]}}
        return {**value, "value": found[1]}

    def _array(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        items = self._resolve(spec.get("items", {}))
        if not isinstance(value, list):
            if isinstance(value, dict) is not (items.get("type") == "object"):
                return GONE
            self.note(pointer, "object_for_array", "taken as its only element", value)
            value = [value]
        place = f"{pointer}/*"
        kept = []
        for element in value:
            read = self.mend(items, element, place, name)
            if isinstance(read, Gone):
                self._leave_out(items, element, place)
            else:
                kept.append(read)
        most = spec.get("maxItems")
        if most is not None and len(kept) > most:
            self.note(pointer, "too_many", f"the first {most} were taken", f"{len(kept)} elements")
            kept = kept[:most]
        return GONE if len(kept) < spec.get("minItems", 0) else kept

    # -- what could not be told ---------------------------------------------------------------------------------

    def _leave_out(self, spec: Schema, value: object, pointer: str) -> None:
        rule = "unreadable"
        if value in _NOTHING:
            rule = "empty"
        elif "enum" in spec and isinstance(value, str):
            rule = "unknown_value"
        self.note(pointer, rule, "left out", value)

    def _unknown(self, spec: Schema, value: object, pointer: str, name: str) -> object:
        for word in UNKNOWN_WORDS.get(name, ()):
            if word in spec.get("enum", ()):
                self.note(pointer, "unknown_value", f"taken as {word}", value)
                return word
        return GONE

    def _fill(self, mended: Payload, known: Mapping[str, Schema], name: str, pointer: str) -> bool:
        """Puts what stands for a required property that was not told, if anything may."""
        spec, home = self._resolve(known[name]), pointer.rpartition("/")[2]
        filling: object = GONE
        if "enum" in spec:
            filling = next((word for word in MISSING_WORDS.get(name, ()) if word in spec["enum"]), GONE)
        elif name in RECEIPT_TIMES and spec.get("type") == "string":
            filling = to_rfc3339(self._received_at)
        elif name in MISSING_OBJECTS and spec.get("type") == "object":
            whole, missing = self.properties(spec, {}, f"{pointer}/{name}")
            filling = GONE if missing else whole
        elif spec.get("type") == "string" and (home, name) in MISSING_WITHIN:
            filling = MISSING_WITHIN[home, name]
        elif spec.get("type") == _KINDS.get(type(MISSING_VALUES.get(name))):
            filling = MISSING_VALUES[name]
        if isinstance(filling, Gone):
            return False
        self.note(f"{pointer}/{name}", "missing", f"taken as {filling!r}", None)
        mended[name] = filling
        return True


def as_example(value: object) -> str:
    """What was sent, as JSON, short enough to keep and to show."""
    try:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except RecursionError:
        text = f"{type(value).__name__} nested without end"
    text = text if len(text) <= EXAMPLE_LENGTH else f"{text[: EXAMPLE_LENGTH - 1]}…"
    return text.encode(errors="replace").decode()  # half a surrogate pair is no text that can be stored


def _is_reading(known: Mapping[str, Schema]) -> bool:
    """Whether an object with these properties is a sampled value, or the unit of one."""
    return "value" in known or "multiplier" in known


def _is_secret(pointer: str) -> bool:
    """Values of configuration may be passwords."""
    return pointer.startswith("/configurationKey/") or pointer.endswith("/attributeValue")
