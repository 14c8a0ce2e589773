"""Reading CreateTable's request into a `Table`, and back for storage and DescribeTable. Pure."""

from __future__ import annotations

from typing import Any

from infra.local.dynamodb.errors import invalid_parameter, validation
from infra.local.dynamodb.tables import (
    IDS_PER_TABLE,
    MAX_GLOBAL_INDEXES,
    MAX_LOCAL_INDEXES,
    Index,
    KeySchema,
    Table,
)

_KEY_KINDS = frozenset({"S", "N", "B"})
_PROJECTIONS = frozenset({"ALL", "KEYS_ONLY", "INCLUDE"})
STREAM_VIEWS = frozenset({"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"})
_MAX_NAME = 255
_MIN_NAME = 3


def table_from_request(table_id: int, request: dict[str, Any], created_at: float) -> Table:
    """A new table from CreateTable's parameters. ValidationException if they do not fit each other."""
    name = request.get("TableName") or ""
    if not _MIN_NAME <= len(name) <= _MAX_NAME or not name.replace("-", "").replace(".", "").replace("_", "").isalnum():
        raise invalid_parameter(
            "TableName must be at least 3 characters long and at most 255 characters long, "
            "and hold only letters, digits, '_', '-' and '.'"
        )
    kinds = attribute_kinds(request)
    keys = _key_schema(request.get("KeySchema"), kinds)
    table = Table(table_id, name, keys, kinds, {}, created_at, _billing(request))
    for parameter, is_global, limit in (
        ("LocalSecondaryIndexes", False, MAX_LOCAL_INDEXES),
        ("GlobalSecondaryIndexes", True, MAX_GLOBAL_INDEXES),
    ):
        wanted = request.get(parameter) or []
        if len(wanted) > limit:
            raise invalid_parameter(f"Number of {parameter} exceeds per-table limit of {limit}")
        for definition in wanted:
            add_index(table, definition, is_global=is_global)
    _check_all_attributes_used(table)
    set_stream(table, request.get("StreamSpecification"), created_at)
    return table


def add_index(table: Table, definition: dict[str, Any], *, is_global: bool) -> Index:
    """Adds a secondary index to the table's definition and returns it."""
    name = definition.get("IndexName") or ""
    if name in table.indexes:
        raise invalid_parameter(f"Duplicate index name: {name}")
    if not _MIN_NAME <= len(name) <= _MAX_NAME:
        raise invalid_parameter("IndexName must be at least 3 characters long and at most 255 characters long")
    keys = _key_schema(definition.get("KeySchema"), table.attribute_kinds)
    if not is_global and (keys.range_name is None or keys.hash_name != table.keys.hash_name):
        raise invalid_parameter(
            f"Table KeySchema: a local secondary index has the table's partition key and a sort key: {name}"
        )
    projection = definition.get("Projection") or {}
    kind = projection.get("ProjectionType")
    if kind not in _PROJECTIONS:
        raise invalid_parameter(f"Unknown ProjectionType: {kind}")
    extra = projection.get("NonKeyAttributes") or []
    if bool(extra) is not (kind == "INCLUDE"):
        raise invalid_parameter(
            f"ProjectionType is {kind}, "
            + ("but NonKeyAttributes is not specified" if not extra else "but NonKeyAttributes is specified")
        )
    attributes = None if kind == "ALL" else frozenset({*table.keys.names, *keys.names, *extra})
    taken = {index.id for index in table.indexes.values()}
    identifier = next(free for free in range(table.items_id + 1, table.items_id + IDS_PER_TABLE) if free not in taken)
    index = Index(identifier, name, is_global, keys, dict(projection), attributes)
    table.indexes[name] = index
    table.refresh()
    return index


def attribute_kinds(request: dict[str, Any]) -> dict[str, str]:
    kinds = {
        definition["AttributeName"]: definition["AttributeType"]
        for definition in request.get("AttributeDefinitions") or []
    }
    for name, kind in kinds.items():
        if kind not in _KEY_KINDS:
            raise validation(
                f"1 validation error detected: Value '{kind}' of attribute {name} failed to satisfy "
                "constraint: Member must satisfy enum value set: [B, N, S]"
            )
    return kinds


def set_stream(table: Table, specification: dict[str, Any] | None, now_s: float) -> None:
    """Turns the stream on or off as StreamSpecification says."""
    if not specification or not specification.get("StreamEnabled"):
        table.stream_view = None
        return
    view = specification.get("StreamViewType")
    if view not in STREAM_VIEWS:
        raise invalid_parameter("StreamViewType is required when StreamEnabled is true")
    table.stream_view = view
    table.stream_label = f"{now_s:.3f}"


def _check_all_attributes_used(table: Table) -> None:
    used = set(table.keys.names)
    for index in table.indexes.values():
        used.update(index.keys.names)
    unused = set(table.attribute_kinds) - used
    if unused:
        raise invalid_parameter(
            "Some AttributeDefinitions are not used. AttributeDefinitions: "
            f"[{', '.join(table.attribute_kinds)}], keys used: [{', '.join(sorted(used))}]"
        )


def _key_schema(schema: list[dict[str, str]] | None, kinds: dict[str, str]) -> KeySchema:
    schema = schema or []
    names = [element["AttributeName"] for element in schema]
    roles = [element["KeyType"] for element in schema]
    if roles not in (["HASH"], ["HASH", "RANGE"]):
        raise invalid_parameter("A KeySchema is one HASH key and at most one RANGE key, in this order")
    if len(set(names)) != len(names):
        raise invalid_parameter("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    for name in names:
        if name not in kinds:
            raise invalid_parameter(
                "Some index key attributes are not defined in AttributeDefinitions. "
                f"Keys: [{name}], AttributeDefinitions: [{', '.join(kinds)}]"
            )
    if len(names) == 1:
        return KeySchema(names[0], kinds[names[0]])
    return KeySchema(names[0], kinds[names[0]], names[1], kinds[names[1]])


def _billing(request: dict[str, Any]) -> dict[str, Any]:
    """Remembered for DescribeTable; this engine never throttles."""
    throughput = request.get("ProvisionedThroughput") or {}
    on_demand = request.get("BillingMode", "PROVISIONED") == "PAY_PER_REQUEST"
    if not on_demand and not throughput:
        raise invalid_parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )
    return {
        "mode": "PAY_PER_REQUEST" if on_demand else "PROVISIONED",
        "read": throughput.get("ReadCapacityUnits", 0),
        "write": throughput.get("WriteCapacityUnits", 0),
    }


def to_stored(table: Table) -> dict[str, Any]:
    """The table as JSON, for the storage."""
    return {
        "name": table.name,
        "keys": table.keys.describe(),
        "kinds": table.attribute_kinds,
        "indexes": [
            {
                "id": index.id,
                "name": index.name,
                "global": index.is_global,
                "keys": index.keys.describe(),
                "projection": index.projection,
                "attributes": None if index.attributes is None else sorted(index.attributes),
            }
            for index in table.indexes.values()
        ],
        "created_at": table.created_at,
        "billing": table.billing,
        "stream_view": table.stream_view,
        "stream_label": table.stream_label,
        "ttl_attribute": table.ttl_attribute,
    }


def from_stored(table_id: int, stored: dict[str, Any]) -> Table:
    kinds = stored["kinds"]
    indexes = {
        row["name"]: Index(
            row["id"],
            row["name"],
            row["global"],
            _key_schema(row["keys"], kinds),
            row["projection"],
            None if row["attributes"] is None else frozenset(row["attributes"]),
        )
        for row in stored["indexes"]
    }
    return Table(
        table_id,
        stored["name"],
        _key_schema(stored["keys"], kinds),
        kinds,
        indexes,
        stored["created_at"],
        stored["billing"],
        stored["stream_view"],
        stored["stream_label"],
        stored["ttl_attribute"],
    )
