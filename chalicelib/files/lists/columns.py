"""From what a list shows to the columns of a file. Pure.

A moment becomes two columns, in UTC and on the operator's clock; money an amount in decimals and a currency; a value
with members one column per member. What has no plain form (lists of objects, free maps) is written as JSON.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.files.model import OutColumn
from chalicelib.kernel.money import Money

FieldType = Literal["text", "integer", "boolean", "moment", "money", "json"]
MAX_TEXT: Final = 8_000
"""Of one cell; only JSON of long lists is longer, and it is cut."""


@dataclass(frozen=True)
class OutField:
    """A member of what is listed, by its path."""

    path: tuple[str, ...]
    type: FieldType

    def columns(self) -> Iterator[OutColumn]:
        name = "_".join(self.path)
        if self.type == "moment":
            base = name.removesuffix("_at")
            yield OutColumn(f"{base}_utc", "moment")
            yield OutColumn(f"{base}_local", "moment")
        elif self.type == "money":
            yield OutColumn(name, "decimal")
            yield OutColumn(f"{name}_currency")
        else:
            yield OutColumn(name, "text" if self.type == "json" else self.type)

    def cells(self, view: Any, zone: ZoneInfo) -> Iterator[Any]:
        value = view
        for name in self.path:
            value = None if value is None else getattr(value, name)
        if self.type == "moment":
            yield from _moment(value, zone)
        elif self.type == "money":
            yield from _money(value)
        elif self.type == "json":
            yield _words(value)
        else:
            yield value if value is None or self.type != "text" else str(value)[:MAX_TEXT]


def fields_of(view: Any, path: tuple[str, ...] = ()) -> Iterator[OutField]:
    """The members of a shape, in its order."""
    hints = get_type_hints(view, include_extras=False)
    for field in msgspec.structs.fields(view):
        kinds = _kinds(hints[field.name])
        member = (*path, field.name)
        only = kinds[0] if len(kinds) == 1 else None
        if isinstance(only, type) and issubclass(only, msgspec.Struct) and only is not Money:
            yield from fields_of(only, member)
        else:
            yield OutField(member, _type(kinds))


def _kinds(hint: Any) -> list[Any]:
    """What a value may be, None aside."""
    if get_origin(hint) is Annotated:
        return _kinds(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return [kind for arm in get_args(hint) for kind in _kinds(arm)]
    if get_origin(hint) is Literal:
        return list(dict.fromkeys(type(value) for value in get_args(hint)))
    return [] if hint in (type(None), msgspec.UnsetType) else [hint]


def _type(kinds: list[Any]) -> FieldType:
    simple: Mapping[Any, FieldType] = {
        str: "text",
        int: "integer",
        bool: "boolean",
        datetime: "moment",
        date: "text",
        Money: "money",
    }
    found = {simple.get(kind, "json") for kind in kinds}
    return found.pop() if len(found) == 1 else "json"


def _moment(value: datetime | None, zone: ZoneInfo) -> Iterator[str | None]:
    if value is None:
        yield from (None, None)
        return
    whole = value.astimezone(UTC).replace(microsecond=0)
    yield whole.isoformat().replace("+00:00", "Z")
    yield whole.astimezone(zone).replace(tzinfo=None).isoformat()


def _money(value: Money | None) -> Iterator[str | None]:
    yield from (None, None) if value is None else (str(value).partition(" ")[0], value.currency)


def _words(value: Any) -> str | None:
    """A list of words as words, anything else as JSON; None and what is empty as nothing."""
    if not value and value != 0:
        return None
    if isinstance(value, list | tuple) and all(isinstance(item, str | int) for item in value):
        return ", ".join(str(item) for item in value)[:MAX_TEXT]
    return msgspec.json.encode(value).decode()[:MAX_TEXT] if not isinstance(value, str) else value[:MAX_TEXT]
