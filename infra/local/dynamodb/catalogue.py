"""CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable and the two TimeToLive operations.

A table is usable when CreateTable returns; an index added later is filled before UpdateTable returns.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from infra.local.aws_hooks import AwsError
from infra.local.dynamodb import definitions
from infra.local.dynamodb.database import Database
from infra.local.dynamodb.errors import table_not_found, validation
from infra.local.dynamodb.tables import Index, Table
from infra.local.dynamodb.ttl import expiry_of

Request = dict[str, Any]
Reply = dict[str, Any]
_LIST_LIMIT = 100


def create_table(database: Database, request: Request) -> Reply:
    with database.storage.write() as storage:
        database.load_tables()
        if request.get("TableName") in database.tables:
            raise AwsError("ResourceInUseException", f"Table already exists: {request['TableName']}")
        table = definitions.table_from_request(storage.next_table_id(), request, database.now().timestamp())
        storage.put_definition(table.id, definitions.to_stored(table))
    database.tables[table.name] = table
    return {"TableDescription": _describe(database, table)}


def describe_table(database: Database, request: Request) -> Reply:
    return {"Table": _describe(database, _named(database, request))}


def list_tables(database: Database, request: Request) -> Reply:
    database.load_tables()
    after = request.get("ExclusiveStartTableName") or ""
    limit = min(int(request.get("Limit") or _LIST_LIMIT), _LIST_LIMIT)
    names = sorted(name for name in database.tables if name > after)
    reply: Reply = {"TableNames": names[:limit]}
    if len(names) > limit:
        reply["LastEvaluatedTableName"] = names[limit - 1]
    return reply


def delete_table(database: Database, request: Request) -> Reply:
    table = _named(database, request)
    description = _describe(database, table)
    with database.storage.write() as storage:
        storage.drop(table.id, table.items_id, table.expiry_id)
    del database.tables[table.name]
    return {"TableDescription": {**description, "TableStatus": "DELETING"}}


def update_table(database: Database, request: Request) -> Reply:
    """Adds and deletes global secondary indexes, switches the stream, remembers the billing."""
    current = _named(database, request)
    table = definitions.from_stored(current.id, definitions.to_stored(current))
    table.attribute_kinds = {**table.attribute_kinds, **definitions.attribute_kinds(request)}
    if "StreamSpecification" in request:
        if request["StreamSpecification"].get("StreamEnabled") and table.stream_view:
            raise validation("Table already has an enabled stream")
        definitions.set_stream(table, request["StreamSpecification"], database.now().timestamp())
    if "BillingMode" in request:
        table.billing = {**table.billing, "mode": request["BillingMode"]}
    added: list[Index] = []
    dropped: list[int] = []
    for change in request.get("GlobalSecondaryIndexUpdates") or []:
        if "Create" in change:
            added.append(definitions.add_index(table, change["Create"], is_global=True))
        elif "Delete" in change:
            index = table.index(change["Delete"]["IndexName"])
            del table.indexes[index.name]
            dropped.append(index.id)
    table.refresh()
    with database.storage.write() as storage:
        for index_id in dropped:
            storage.delete_entries(index_id)
        for index in added:
            _fill(database, table, index)
        storage.put_definition(table.id, definitions.to_stored(table))
    database.tables[table.name] = table
    return {"TableDescription": _describe(database, table)}


def _fill(database: Database, table: Table, index: Index) -> None:
    for key, row in list(database.storage.all_items(table.items_id)):
        kinds = index.keys.kinds()
        # Items whose value has another type stay out of an index made after them, as on AWS.
        if all(kind in row.item.get(name, {}) for name, kind in kinds):
            entry = index.entry_of(row.item)
            if entry is not None:
                database.storage.put_entry(index.id, entry, key)


def update_time_to_live(database: Database, request: Request) -> Reply:
    table = _named(database, request)
    wanted = request["TimeToLiveSpecification"]
    enabled, attribute = wanted["Enabled"], wanted["AttributeName"]
    if enabled and table.ttl_attribute is not None:
        raise validation("TimeToLive is already enabled")
    if not enabled and table.ttl_attribute is None:
        raise validation("TimeToLive is already disabled")
    if not enabled and table.ttl_attribute != attribute:
        raise validation(f"TimeToLive is active on a different AttributeName: {table.ttl_attribute}")
    set_time_to_live(database, table, attribute if enabled else None)
    return {"TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute}}


def set_time_to_live(database: Database, table: Table, attribute: str | None) -> None:
    with database.storage.write() as storage:
        storage.delete_entries(table.expiry_id)
        if attribute is not None:
            for key, row in list(storage.all_items(table.items_id)):
                second = expiry_of(row.item, attribute)
                if second is not None:
                    storage.put_entry(table.expiry_id, (second, ""), key)
        stored = {**definitions.to_stored(table), "ttl_attribute": attribute}
        storage.put_definition(table.id, stored)
    table.ttl_attribute = attribute


def describe_time_to_live(database: Database, request: Request) -> Reply:
    attribute = _named(database, request).ttl_attribute
    if attribute is None:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}}


def create_from_template(database: Database, template: dict[str, Any]) -> list[str]:
    """Creates the AWS::DynamoDB::Table resources that are missing; the names of those it created. A table that is there
    gets the indexes that it lacks, or has otherwise: data of an earlier version goes on.

    Intrinsic functions must be resolved already. ValueError for a table without a literal TableName.
    """
    created = []
    for logical_name, resource in (template.get("Resources") or {}).items():
        if resource.get("Type") != "AWS::DynamoDB::Table":
            continue
        properties = resource.get("Properties") or {}
        name = properties.get("TableName")
        if not isinstance(name, str):
            raise ValueError(f"{logical_name}: TableName is not resolved: {name!r}")
        if name in database.tables:
            _catch_up(database, properties)
            continue
        request = {key: value for key, value in properties.items() if key in _TEMPLATE_PARAMETERS}
        if "StreamSpecification" in properties:  # CloudFormation has no StreamEnabled
            request["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
        create_table(database, request)
        time_to_live = properties.get("TimeToLiveSpecification") or {}
        if str(time_to_live.get("Enabled")).lower() == "true":
            set_time_to_live(database, database.tables[name], time_to_live["AttributeName"])
        created.append(name)
    return created


def _catch_up(database: Database, properties: dict[str, Any]) -> None:
    name = properties["TableName"]
    for wanted in properties.get("GlobalSecondaryIndexes") or []:
        known = database.tables[name].indexes.get(wanted["IndexName"])
        if known is not None:
            if (known.keys.describe(), known.projection) == (wanted["KeySchema"], wanted["Projection"]):
                continue
            gone = {"Delete": {"IndexName": wanted["IndexName"]}}
            update_table(database, {"TableName": name, "GlobalSecondaryIndexUpdates": [gone]})
        keys = {key["AttributeName"] for key in wanted["KeySchema"]}
        update_table(
            database,
            {
                "TableName": name,
                "AttributeDefinitions": [
                    known for known in properties["AttributeDefinitions"] if known["AttributeName"] in keys
                ],
                "GlobalSecondaryIndexUpdates": [{"Create": wanted}],
            },
        )


_TEMPLATE_PARAMETERS = frozenset(
    {
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ProvisionedThroughput",
        "TableName",
    }
)


def _named(database: Database, request: Request) -> Table:
    try:
        return database.table(request)
    except AwsError as error:
        raise table_not_found(request.get("TableName")) from error


def _describe(database: Database, table: Table) -> dict[str, Any]:
    count, size = database.storage.count(table.items_id)
    billing = table.billing
    description: dict[str, Any] = {
        "TableName": table.name,
        "TableArn": table.arn,
        "TableId": f"00000000-0000-0000-0000-{table.id:012x}",
        "TableStatus": "ACTIVE",
        "CreationDateTime": datetime.fromtimestamp(table.created_at, UTC),
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in table.attribute_kinds.items()
        ],
        "KeySchema": table.keys.describe(),
        "ItemCount": count,
        "TableSizeBytes": size,
        "ProvisionedThroughput": _throughput(billing),
        "DeletionProtectionEnabled": False,
    }
    if billing["mode"] == "PAY_PER_REQUEST":
        description["BillingModeSummary"] = {"BillingMode": "PAY_PER_REQUEST"}
    for parameter, is_global in (("GlobalSecondaryIndexes", True), ("LocalSecondaryIndexes", False)):
        indexes = [_describe_index(table, index) for index in table.indexes.values() if index.is_global is is_global]
        if indexes:
            description[parameter] = indexes
    if table.stream_view is not None:
        description["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream_view}
        description["LatestStreamArn"] = table.stream_arn
        description["LatestStreamLabel"] = table.stream_label
    return description


def _describe_index(table: Table, index: Index) -> dict[str, Any]:
    row: dict[str, Any] = {
        "IndexName": index.name,
        "IndexArn": f"{table.arn}/index/{index.name}",
        "KeySchema": index.keys.describe(),
        "Projection": index.projection,
    }
    if index.is_global:
        row["IndexStatus"] = "ACTIVE"
        row["ProvisionedThroughput"] = _throughput(table.billing)
    return row


def _throughput(billing: dict[str, Any]) -> dict[str, Any]:
    return {
        "ReadCapacityUnits": billing["read"],
        "WriteCapacityUnits": billing["write"],
        "NumberOfDecreasesToday": 0,
    }
