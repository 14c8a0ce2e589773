"""What a charger is set to: its variables as it tells them. Pure.

One grammar of names for all versions: a 1.6 configuration key is its name; a 2.x variable is
`Component[.instance][@evse[.connector]]/Variable[.instance]`. Names are compared without case (CiString,
identifierString). The value of a secret is forgotten before it is kept anywhere.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import msgspec

MAX_NAME_LENGTH: Final = 500
MAX_VALUE_LENGTH: Final = 2500
"""OCPP 2.1 GetVariables: attributeValue; 2.0.1 has 2500 too, 1.6 has 500."""
MAX_PART_BYTES: Final = 60_000
"""A charger that tells without end fills its parts and no more: names beyond are not taken. All parts at once still fit
a transaction (4 MB)."""

KEYS_PART: Final = "keys"
_COMPONENT_PARTS: Final = 64
_MAX_DETAIL: Final = 1000
_SECRET = re.compile(
    r"password|passphrase|secret|authorizationkey|privatekey|vpnkey|(?:apn|sim)pin|pincode|presharedkey"
)


class Variable(msgspec.Struct, frozen=True, array_like=True):
    """One variable (2.x: its Actual attribute) as the charger told it; `value` None: not set, or not to be read.

    `mutability` to `values_list` are what a 2.x NotifyReport tells beside it, in its words. `reported_at` is when the
    charger first told this value; who records it may leave it out. Stored as an array: a 2.x charger has thousands.
    """

    name: str
    value: str | None = None
    readonly: bool | None = None
    reported_at: datetime | None = None
    mutability: str | None = None
    data_type: str | None = None
    unit: str | None = None
    values_list: str | None = None


@dataclass(frozen=True)
class ConfigurationPart:
    """A share of a charger's variables that is stored together: all 1.6 keys, or the 2.x components that one of
    64 places falls to. `revision` counts its changes."""

    charger_id: str
    part: str
    variables: list[Variable] = field(default_factory=list)
    revision: int = 0


def variable_key(name: str) -> str:
    """The form in which names are compared."""
    return name.strip().lower()


def is_component_name(name: str) -> bool:
    """A variable of a 2.x component, not a 1.6 key."""
    return "/" in name


def is_secret(name: str) -> bool:
    """Passwords and keys: their values are never stored, shown, expected or written as configuration."""
    return _SECRET.search(variable_key(name).rpartition("/")[2]) is not None


def has_components(protocol: str) -> bool:
    """Whether chargers of this subprotocol have the 2.x device model."""
    return protocol != "ocpp1.6"


def part_of(name: str) -> str:
    """Where a variable is stored: instances and EVSEs of a component together, at most 64 parts whatever a charger
    invents."""
    if not is_component_name(name):
        return KEYS_PART
    component = re.split(r"[.@/]", variable_key(name), maxsplit=1)[0]
    return f"{zlib.crc32(component.encode()) % _COMPONENT_PARTS:02d}"


def by_part(variables: Iterable[Variable]) -> dict[str, list[Variable]]:
    parts: dict[str, list[Variable]] = {}
    for variable in variables:
        if variable.name.strip():
            parts.setdefault(part_of(variable.name), []).append(variable)
    return parts


def told(part: ConfigurationPart, variables: Sequence[Variable], now: datetime) -> ConfigurationPart:
    """The part after the charger told some of its variables; the same object when it told nothing new."""
    known = {variable_key(variable.name): variable for variable in part.variables}
    before = dict(known)
    room = MAX_PART_BYTES - sum(_size(variable) for variable in part.variables)
    for variable in variables:
        key = variable_key(variable.name)
        fresh = _renewed(known.get(key), _cleaned(variable), now)
        grown = _size(fresh) - (_size(known[key]) if key in known else 0)
        if grown <= room:
            known[key] = fresh
            room -= grown
    if known == before:
        return part
    return replace(part, variables=[known[key] for key in sorted(known)], revision=part.revision + 1)


def index_of(parts: Iterable[ConfigurationPart]) -> dict[str, Variable]:
    """All variables by the key of their name."""
    return {variable_key(variable.name): variable for part in parts for variable in part.variables}


def of_version(variables: Mapping[str, Variable], protocol: str) -> dict[str, Variable]:
    """Those in the names of the version that is spoken: a charger that was upgraded had others before."""
    wanted = has_components(protocol)
    return {key: variable for key, variable in variables.items() if is_component_name(key) == wanted}


def same_value(wanted: str, actual: str | None) -> bool:
    """Whether a charger means the same: `TRUE` is true, `540.0` is 540, members of a list come in any order, and an
    empty value is often not told at all."""
    return _meaning(wanted) == _meaning(actual or "")


def _meaning(value: str) -> object:
    text = value.strip().lower()
    if "," in text:
        return frozenset(member.strip() for member in text.split(",") if member.strip())
    number = re.fullmatch(r"([+-]?)0*(\d+)(?:\.0*)?", text)
    if number is None:
        return text
    return int(number[2]) * (-1 if number[1] == "-" else 1)


def _cleaned(variable: Variable) -> Variable:
    name = variable.name.strip()[:MAX_NAME_LENGTH]
    value = None if variable.value is None or is_secret(name) else variable.value[:MAX_VALUE_LENGTH]
    readonly = variable.readonly
    if readonly is None and variable.mutability is not None:
        readonly = variable.mutability == "ReadOnly"
    values_list = variable.values_list[:_MAX_DETAIL] if variable.values_list else None
    return msgspec.structs.replace(variable, name=name, value=value, readonly=readonly, values_list=values_list)


def _renewed(known: Variable | None, said: Variable, now: datetime) -> Variable:
    """Facts that are not told again (GetVariables tells the value alone) stay."""
    if known is None:
        return msgspec.structs.replace(said, reported_at=said.reported_at or now)
    return Variable(
        name=known.name,
        value=said.value,
        readonly=known.readonly if said.readonly is None else said.readonly,
        reported_at=known.reported_at if known.value == said.value else said.reported_at or now,
        mutability=said.mutability or known.mutability,
        data_type=said.data_type or known.data_type,
        unit=said.unit or known.unit,
        values_list=said.values_list or known.values_list,
    )


def _size(variable: Variable) -> int:
    return len(msgspec.json.encode(variable)) + 1
