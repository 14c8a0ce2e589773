"""Lists in pages: how a page is cut from the steps that a table walks, and the cursors by which a list goes on.

A cursor is the key of the last row that was looked at, made opaque. Whoever asks may send any text for one, so it is
checked before it comes near the store.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind

if TYPE_CHECKING:
    from chalicelib.kernel.table import Table

Entity = TypeVar("Entity")
AttributeMap = dict[str, dict[str, Any]]

MAX_EXAMINED = 2_000
_FOLLOWED_AT_ONCE = 100
"""What one round trip to the store brings."""


@dataclass(frozen=True)
class Page(Generic[Entity]):
    """One page of a list; `next_cursor` is opaque and absent on the last page."""

    data: list[Entity]
    next_cursor: str | None = None


Step = tuple[Entity, AttributeMap]
"""An entity of a list, and the key to continue after it."""


def page_of(steps: Iterable[Step[Entity]], limit: int, keep: Callable[[Entity], bool] | None = None) -> Page[Entity]:
    """The first `limit` entities that `keep` keeps. After MAX_EXAMINED a page may be short, or empty: its cursor
    goes on from there, so that a rare match costs more requests, never an endless one."""
    found: list[Entity] = []
    last: AttributeMap | None = None
    for examined, (entity, place) in enumerate(steps):
        if len(found) == limit or examined == MAX_EXAMINED:
            return Page(found, encode_cursor(last))
        last = place
        if keep is None or keep(entity):
            found.append(entity)
    return Page(found)


def follow(
    ctx: Context, entries: Iterator[Step[Any]], table: Table[Entity], key: Callable[[Any], tuple[str, str]]
) -> Iterator[Step[Entity]]:
    """What the entries of a list name (`key`), in the list's order, each with its entry's place: a round trip per
    hundred. What is gone is passed over."""
    while chunk := list(islice(entries, _FOLLOWED_AT_ONCE)):
        places = {key(entry): place for entry, place in chunk}
        for entity in table.batch_get(ctx, list(places)):
            yield entity, places[table.key_of(entity)]


def encode_cursor(key: AttributeMap | None) -> str | None:
    if not key:
        return None
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> AttributeMap:
    """Raises DomainError cursor.invalid (400) for anything that `encode_cursor` cannot have made."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise cursor_invalid() from None
    if not (isinstance(key, dict) and key and all(map(_is_key_value, key.values()))):
        raise cursor_invalid()
    return key


def _is_key_value(value: Any) -> bool:
    if not (isinstance(value, dict) and len(value) == 1):
        return False
    [(kind, text)] = value.items()
    return kind in ("S", "N") and isinstance(text, str)


def cursor_invalid() -> DomainError:
    return DomainError("cursor.invalid", "The cursor is not one that this list gave out.", Kind.INVALID)
