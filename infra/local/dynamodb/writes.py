"""Writing one item: the condition, the new item, its index entries, its stream record, its units.

`prepare` checks everything that can be known without the stored item; `perform` runs inside the caller's
storage transaction and either does all of it or raises with nothing done. PutItem, UpdateItem, DeleteItem,
batches, transactions and the time-to-live sweep all write through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.local.dynamodb import streams
from infra.local.dynamodb.capacity import NO_INDEXES, Units, write_units
from infra.local.dynamodb.database import Database
from infra.local.dynamodb.errors import condition_failed, invalid_parameter, validation
from infra.local.dynamodb.expressions.bindings import Bindings
from infra.local.dynamodb.expressions.conditions import Condition, Values
from infra.local.dynamodb.expressions.updates import Update
from infra.local.dynamodb.storage import Row, encode, may_hold_binary
from infra.local.dynamodb.tables import Index, Key, Table
from infra.local.dynamodb.ttl import expiry_of
from infra.local.dynamodb.values import Item, attribute_size, item_size, normalise_item, reply_item

MAX_ITEM_BYTES = 400 * 1024
_ON_FAILURE = frozenset({"NONE", "ALL_OLD"})


@dataclass(slots=True)
class Write:
    """A checked request. `kind` is Put, Update, Delete or ConditionCheck; `item` is what Put puts."""

    kind: str
    table: Table
    key: Key
    key_item: Item
    condition: Condition | None
    values: Values
    item: Item | None = None
    size: int = 0
    update: Update | None = None
    shows_old_on_failure: bool = False


@dataclass(slots=True)
class Outcome:
    """What a write did. `after` is None when there is no item now."""

    before: Row | None
    after: Item | None
    body: bytes | None
    units: Units
    streamed: bool

    def reply_after(self) -> Item:
        if self.after is None or self.body is None:
            return {}
        return reply_item(self.after) if may_hold_binary(self.body) else self.after


def prepare(kind: str, table: Table, request: dict[str, Any]) -> Write:
    """Checks the request of one write. ValidationException for anything wrong with it alone."""
    bindings = Bindings(request)
    update = bindings.update() if kind == "Update" else None
    condition = bindings.condition()
    bindings.finish()
    on_failure = request.get("ReturnValuesOnConditionCheckFailure") or "NONE"
    if on_failure not in _ON_FAILURE:
        raise validation("ReturnValuesOnConditionCheckFailure can only be ALL_OLD or NONE")
    shows_old = on_failure == "ALL_OLD"
    if kind == "Put":
        item, size = normalise_item(request.get("Item"))
        key = table.key_of_item(item)
        if size > MAX_ITEM_BYTES:
            raise validation("Item size has exceeded the maximum allowed size")
        return Write(kind, table, key, item, condition, bindings.values, item, size, None, shows_old)
    key, key_item = table.key_of(request.get("Key"))
    if update is not None:
        for name in table.keys.names:
            if name in update.top_names:
                raise invalid_parameter(f"Cannot update attribute {name}. This attribute is part of the key")
    if kind == "ConditionCheck" and condition is None:
        raise validation("The ConditionExpression parameter must be specified for ConditionCheck")
    return Write(kind, table, key, key_item, condition, bindings.values, None, 0, update, shows_old)


def perform(database: Database, write: Write, weight: int = 1) -> Outcome:
    """Does the write in the open transaction. `weight` multiplies the units of a condition that fails.

    ConditionalCheckFailedException, or ValidationException if an update does not fit the stored item.
    """
    table = write.table
    before = database.storage.get(table.items_id, write.key)
    if write.condition is not None and not write.condition.test(
        before.item if before is not None else {}, write.values
    ):
        database.count_units(table, "write", weight * write_units(before.size if before is not None else 0))
        raise condition_failed(before.reply() if before is not None and write.shows_old_on_failure else None)
    if write.kind == "ConditionCheck":
        return Outcome(before, None, None, Units(write_units(before.size if before else 0)), streamed=False)
    if write.kind == "Put":
        return replace(database, table, write.key, before, write.item, write.size)
    if write.kind == "Delete":
        return replace(database, table, write.key, before, None, 0)
    item, size = _updated(write, before)
    return replace(database, table, write.key, before, item, size)


def _updated(write: Write, before: Row | None) -> tuple[Item, int]:
    """The item after an update, and its size; only the attributes it names are measured again."""
    old, size = (before.item, before.size) if before is not None else (write.key_item, item_size(write.key_item))
    update = write.update
    if update is None:
        return old, size
    item = update.apply(old, write.values)
    for name in update.top_names:
        size += attribute_size(item, name) - attribute_size(old, name)
    if size > MAX_ITEM_BYTES:
        raise validation("Item size to update has exceeded the maximum allowed size")
    write.table.check_index_keys(item)
    return item, size


def replace(
    database: Database,
    table: Table,
    key: Key,
    before: Row | None,
    after: Item | None,
    after_size: int,
    *,
    by_service: bool = False,
) -> Outcome:
    """Puts `after` (None: nothing) where `before` is, with entries and stream record."""
    storage = database.storage
    body = encode(after) if after is not None else None
    units = write_units(max(before.size if before is not None else 0, after_size))
    if _same(before, after, body):
        return Outcome(before, after, body, Units(units), streamed=False)
    if after is None or body is None:
        storage.delete(table.items_id, key)
    else:
        storage.put(table.items_id, key, after_size, body)
    index_units = NO_INDEXES
    if table.indexes:
        index_units = _write_entries(database, table, key, before, after, after_size)
    if table.ttl_attribute is not None:
        _write_expiry(database, table, key, before, after)
    if table.stream_view is not None:
        keys = table.key_attributes(after if after is not None else before.item if before else {})
        streams.append(database, table, keys, before.body if before else None, body, by_service=by_service)
    return Outcome(before, after, body, Units(units, index_units), streamed=table.stream_view is not None)


def _same(before: Row | None, after: Item | None, body: bytes | None) -> bool:
    """Whether nothing changes: no item before and after, or an equal one."""
    if before is None or body is None:
        return before is None and body is None
    if before.body == body:
        return True
    # The same attributes in another order have the same length.
    return len(before.body) == len(body) and before.item == after


def _write_entries(
    database: Database, table: Table, key: Key, before: Row | None, after: Item | None, after_size: int
) -> dict[str, float]:
    """Moves the item in every index that its change touches; the units of each."""
    units: dict[str, float] = {}
    storage = database.storage
    for index in table.indexes.values():
        old_entry = index.entry_of(before.item) if before is not None else None
        new_entry = index.entry_of(after) if after is not None else None
        old_size = index.projected_size(before.item, before.size) if before is not None and old_entry else 0
        new_size = index.projected_size(after, after_size) if after is not None and new_entry else 0
        if old_entry == new_entry:
            if new_entry is not None and _projection_changed(index, before, after):
                units[index.name] = write_units(max(old_size, new_size))
            continue
        cost = 0
        if old_entry is not None:
            storage.delete_entry(index.id, old_entry, key)
            cost += write_units(old_size)
        if new_entry is not None:
            storage.put_entry(index.id, new_entry, key)
            cost += write_units(new_size)
        units[index.name] = cost
    return units


def _projection_changed(index: Index, before: Row | None, after: Item | None) -> bool:
    if index.attributes is None or before is None or after is None:
        return True
    old = before.item
    return any(old.get(name) != after.get(name) for name in index.attributes)


def _write_expiry(database: Database, table: Table, key: Key, before: Row | None, after: Item | None) -> None:
    attribute = table.ttl_attribute
    if attribute is None:
        return
    old = expiry_of(before.item, attribute) if before is not None else None
    new = expiry_of(after, attribute) if after is not None else None
    if old == new:
        return
    if old is not None:
        database.storage.delete_entry(table.expiry_id, (old, ""), key)
    if new is not None:
        database.storage.put_entry(table.expiry_id, (new, ""), key)
