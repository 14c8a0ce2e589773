"""BatchGetItem and BatchWriteItem: many single operations in one request, without a common transaction."""

from __future__ import annotations

from typing import Any

from infra.local.dynamodb import capacity
from infra.local.dynamodb.capacity import Units
from infra.local.dynamodb.database import Database
from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.expressions.bindings import Bindings
from infra.local.dynamodb.tables import Key, Table
from infra.local.dynamodb.values import reply_item
from infra.local.dynamodb.writes import Write, perform, prepare

Request = dict[str, Any]
Reply = dict[str, Any]
MAX_GETS = 100
MAX_WRITES = 25
_REPLY_BYTES = 16 * 1024 * 1024


def batch_get_item(database: Database, request: Request) -> Reply:
    """Up to 100 items, 16 MB; what does not fit comes back in UnprocessedKeys."""
    wanted = _request_items(request)
    asked = sum(len(per_table.get("Keys") or ()) for per_table in wanted.values())
    if asked > MAX_GETS:
        raise validation("Too many items requested for the BatchGetItem call")
    responses: dict[str, list[Any]] = {}
    unprocessed: dict[str, Any] = {}
    consumed: list[tuple[Table, Units]] = []
    left_bytes = _REPLY_BYTES
    for name, per_table in wanted.items():
        table = database.table({"TableName": name})
        keys = _distinct_keys(table, per_table.get("Keys"))
        bindings = Bindings(per_table)
        projection = bindings.projection()
        bindings.finish()
        consistent = bool(per_table.get("ConsistentRead"))
        found = responses.setdefault(name, [])
        units = 0.0
        for key, given in keys:
            row = database.storage.get(table.items_id, key)
            size = row.size if row is not None else 0
            if size > left_bytes:
                rest = unprocessed.setdefault(name, {**per_table, "Keys": []})
                rest["Keys"].append(given)
                continue
            left_bytes -= size
            units += capacity.read_units(size, consistent=consistent)
            if row is not None:
                found.append(reply_item(projection.pick(row.item)) if projection else row.reply())
        consumed.append((table, Units(units)))
    reply: Reply = {"Responses": responses, "UnprocessedKeys": unprocessed}
    return _with_capacity(database, request, reply, consumed, "read")


def batch_write_item(database: Database, request: Request) -> Reply:
    """Up to 25 puts and deletes; a wrong one refuses all of them, and all are written or none."""
    wanted = _request_items(request)
    if sum(len(entries) for entries in wanted.values()) > MAX_WRITES:
        raise validation("Too many items requested for the BatchWriteItem call")
    writes: list[Write] = []
    for name, entries in wanted.items():
        table = database.table({"TableName": name})
        seen: set[Key] = set()
        for entry in entries:
            write = _write(table, entry)
            if write.key in seen:
                raise validation("Provided list of item keys contains duplicates")
            seen.add(write.key)
            writes.append(write)
    with database.storage.write():
        outcomes = [perform(database, write) for write in writes]
    streamed = {
        write.table.name: write.table for write, outcome in zip(writes, outcomes, strict=True) if outcome.streamed
    }
    database.announce(streamed.values())
    consumed = [(write.table, outcome.units) for write, outcome in zip(writes, outcomes, strict=True)]
    return _with_capacity(database, request, {"UnprocessedItems": {}}, consumed, "write")


def _write(table: Table, entry: dict[str, Any]) -> Write:
    if len(entry) != 1:
        raise validation(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
            "operations: PutRequest, DeleteRequest"
        )
    if "PutRequest" in entry:
        return prepare("Put", table, {"Item": entry["PutRequest"].get("Item")})
    if "DeleteRequest" in entry:
        return prepare("Delete", table, {"Key": entry["DeleteRequest"].get("Key")})
    raise validation(f"Unknown write request: {', '.join(entry)}")


def _request_items(request: Request) -> dict[str, Any]:
    wanted = request.get("RequestItems")
    if not wanted or not all(wanted.values()):
        raise validation(
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    return dict(wanted)


def _distinct_keys(table: Table, given: Any) -> list[tuple[Key, Any]]:
    if not given:
        raise validation(
            "1 validation error detected: Value at 'requestItems.member.keys' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    keys = {table.key_of(key)[0]: key for key in given}
    if len(keys) < len(given):
        raise validation("Provided list of item keys contains duplicates")
    return list(keys.items())


def _with_capacity(
    database: Database, request: Request, reply: Reply, consumed: list[tuple[Table, Units]], kind: str
) -> Reply:
    totals: dict[str, tuple[Table, Units]] = {}
    for table, units in consumed:
        database.count_units(table, kind, units.total)
        before = totals.get(table.name)
        totals[table.name] = (table, before[1].plus(units) if before else units)
    mode = capacity.wanted(request)
    if mode != "NONE":
        reply["ConsumedCapacity"] = [capacity.report(mode, table, units) for table, units in totals.values()]
    return reply
