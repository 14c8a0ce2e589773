"""Query and Scan, of a table or an index: pages, filters, projections and their read units.

A page ends at `Limit` items or 1 MB read, before the filter; its last key starts the next page.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from infra.local.dynamodb import capacity, ranges
from infra.local.dynamodb.capacity import Units
from infra.local.dynamodb.database import Database
from infra.local.dynamodb.errors import invalid_parameter, validation
from infra.local.dynamodb.expressions.bindings import Bindings
from infra.local.dynamodb.expressions.conditions import Condition, Values
from infra.local.dynamodb.expressions.projections import Projection
from infra.local.dynamodb.ranges import Range
from infra.local.dynamodb.storage import Row
from infra.local.dynamodb.tables import Index, Table
from infra.local.dynamodb.values import Item, encode_key, reply_item

Request = dict[str, Any]
Reply = dict[str, Any]
PAGE_BYTES = 1024 * 1024
MAX_SEGMENTS = 1_000_000
_SELECTS = frozenset({"ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"})


@dataclass(slots=True)
class _Read:
    """A checked request. `whole` says that each item is read from the table, not only its projection."""

    table: Table
    index: Index | None
    filter: Condition | None
    projection: Projection | None
    values: Values
    select: str
    limit: int | None
    consistent: bool
    whole: bool


class _Page(NamedTuple):
    items: list[Item]
    matched: int
    scanned: int
    index_bytes: int
    fetched_units: float
    last: Item | None


def query(database: Database, request: Request) -> Reply:
    bindings = Bindings(request)
    table = database.table(request)
    index = table.index(request["IndexName"]) if request.get("IndexName") else None
    keys = index.keys if index else table.keys
    partition, sort = bindings.key_condition().split(keys.hash_name, keys.range_name)
    read = _prepare(request, table, index, bindings)
    if read.filter is not None:
        for name in keys.names:
            if name in read.filter.top_names:
                raise validation(
                    f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
                )
    forward = request.get("ScanIndexForward", True) is not False
    found = ranges.of_query(table, index, partition, sort, bindings.values, forward=forward)
    start = request.get("ExclusiveStartKey")
    if start is not None:
        found = ranges.after(found, table, index, start, within=bindings.values[partition.operands[0]])
    return _answer(database, request, read, found)


def scan(database: Database, request: Request) -> Reply:
    bindings = Bindings(request)
    table = database.table(request)
    index = table.index(request["IndexName"]) if request.get("IndexName") else None
    read = _prepare(request, table, index, bindings)
    found = ranges.of_scan(table, index)
    start = request.get("ExclusiveStartKey")
    if start is not None:
        found = ranges.after(found, table, index, start, within=None)
    return _answer(database, request, read, found, _segment(request))


def _prepare(request: Request, table: Table, index: Index | None, bindings: Bindings) -> _Read:
    condition = bindings.condition("FilterExpression")
    projection = bindings.projection()
    bindings.finish()
    consistent = bool(request.get("ConsistentRead"))
    if consistent and index is not None and index.is_global:
        raise validation("Consistent reads are not supported on global secondary indexes")
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        raise validation(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    select = _select(request, index, projection)
    whole = _reads_whole_items(index, select, projection)
    return _Read(table, index, condition, projection, bindings.values, select, limit, consistent, whole)


def _select(request: Request, index: Index | None, projection: Projection | None) -> str:
    given = request.get("Select")
    if given is None:
        if projection is not None:
            return "SPECIFIC_ATTRIBUTES"
        return "ALL_ATTRIBUTES" if index is None else "ALL_PROJECTED_ATTRIBUTES"
    if given not in _SELECTS:
        raise validation(
            f"1 validation error detected: Value '{given}' at 'select' failed to satisfy constraint: Member "
            "must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"
        )
    if projection is not None and given != "SPECIFIC_ATTRIBUTES":
        raise validation(f"Cannot specify the ProjectionExpression when choosing to get {given}")
    if given == "SPECIFIC_ATTRIBUTES" and projection is None:
        raise validation("Must specify the ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
    if given == "ALL_PROJECTED_ATTRIBUTES" and index is None:
        raise invalid_parameter("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    return str(given)


def _reads_whole_items(index: Index | None, select: str, projection: Projection | None) -> bool:
    """A local index fetches what it does not project; a global one refuses."""
    if index is None or index.attributes is None:
        return index is None
    if select == "ALL_ATTRIBUTES":
        if index.is_global:
            raise invalid_parameter(
                "Select type ALL_ATTRIBUTES is not supported for global secondary index "
                f"{index.name} because its projection type is not ALL"
            )
        return True
    missing = projection.top_names - index.attributes if projection is not None else frozenset()
    if missing and index.is_global:
        raise invalid_parameter(f"Global secondary index {index.name} does not project [{', '.join(sorted(missing))}]")
    return bool(missing)


def _segment(request: Request) -> tuple[int, int] | None:
    segment, total = request.get("Segment"), request.get("TotalSegments")
    if segment is None and total is None:
        return None
    if segment is None or total is None:
        lacking = "Segment" if segment is None else "TotalSegments"
        raise validation(
            f"The {lacking} parameter is required but was not present in the request when "
            f"{'TotalSegments' if segment is None else 'Segment'} is present"
        )
    if not 1 <= total <= MAX_SEGMENTS or not 0 <= segment < total:
        raise validation(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )
    return segment, total


def _answer(
    database: Database,
    request: Request,
    read: _Read,
    found: Range,
    segment: tuple[int, int] | None = None,
) -> Reply:
    with database.storage.lock:
        page = _page(read, _rows(database, read, found, segment))
    reply: Reply = {"Count": page.matched, "ScannedCount": page.scanned}
    if read.select != "COUNT":
        reply["Items"] = page.items
    if page.last is not None:
        names = dict.fromkeys((*read.table.keys.names, *(read.index.keys.names if read.index else ())))
        reply["LastEvaluatedKey"] = reply_item({name: page.last[name] for name in names})
    units = _units(read, page)
    database.count_units(read.table, "read", units.total)
    mode = capacity.wanted(request)
    if mode != "NONE":
        reply["ConsumedCapacity"] = capacity.report(mode, read.table, units)
    return reply


def _rows(database: Database, read: _Read, found: Range, segment: tuple[int, int] | None) -> Iterator[Row]:
    names = (read.index.keys if read.index else read.table.keys).hash_name
    for size, body in database.storage.execute(found.sql, found.parameters):
        row = Row(size, body)
        if segment is None or _segment_of(row.item[names], segment[1]) == segment[0]:
            yield row


def _segment_of(partition: dict[str, str], total: int) -> int:
    encoded = encode_key(partition)
    return zlib.crc32(encoded.encode() if isinstance(encoded, str) else encoded) % total


def _page(read: _Read, rows: Iterator[Row]) -> _Page:
    """Reads rows until the page is full; filters and projects what it read."""
    items: list[Item] = []
    count = scanned = read_bytes = 0
    fetched = 0.0
    last: Row | None = None
    full = False
    is_whole = read.index is None or read.index.attributes is None
    for row in rows:
        size = row.size if is_whole else _projected_size(read, row)
        if scanned and read_bytes + size > PAGE_BYTES:
            full = True
            break
        scanned += 1
        read_bytes += size
        last = row
        if read.whole and read.index is not None:
            fetched += capacity.read_units(row.size, consistent=read.consistent)
        if read.filter is None or read.filter.test(_visible(read, row), read.values):
            count += 1
            if read.select != "COUNT":
                items.append(_shown(read, row))
        if scanned == read.limit:
            full = True
            break
    return _Page(items, count, scanned, read_bytes, fetched, last.item if full and last else None)


def _projected_size(read: _Read, row: Row) -> int:
    return row.size if read.index is None else read.index.projected_size(row.item, row.size)


def _visible(read: _Read, row: Row) -> Item:
    return row.item if read.whole or read.index is None else read.index.project(row.item)


def _shown(read: _Read, row: Row) -> Item:
    if read.projection is not None:
        return reply_item(read.projection.pick(_visible(read, row)))
    if read.whole or read.index is None or read.index.attributes is None:
        return row.reply()
    return reply_item(read.index.project(row.item))


def _units(read: _Read, page: _Page) -> Units:
    units = capacity.read_units(page.index_bytes, consistent=read.consistent)
    return Units(units) if read.index is None else Units(page.fetched_units, {read.index.name: units})
