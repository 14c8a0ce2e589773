"""The tables that are deployed are the ones that the stores declare: any difference, in either direction, fails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pynamodb.attributes import NumberAttribute

from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row
from infra.local import template
from infra.local.dynamodb.engine import Engine
from tests.world import table_definitions

KEPT = {
    *("identity", "drivers", "chargers", "tariffs", "charging"),
    *("maintenance", "ledger", "wallets", "payments", "settlement", "idempotency", "webhooks"),
}
"""What money, prices and people rest on outlives the stack; the others can be made again."""

Definition = dict[str, Any]


def deployed() -> dict[str, dict[str, Any]]:
    """The template's tables by name of their capability."""
    description = template.load_template()
    tables = template.tables(description, template.parameters(description) | {"TablePrefix": ""})
    return {table["Properties"]["TableName"]: table for table in tables["Resources"].values()}


def declared() -> dict[str, Definition]:
    prefix = table_name("")
    return {definition["TableName"].removeprefix(prefix): definition for definition in table_definitions()}


def shape(definition: Definition) -> Definition:
    """What DynamoDB would make of a definition: the order of attributes and indexes means nothing."""
    return {
        "keys": definition["KeySchema"],
        "attributes": sorted((a["AttributeName"], a["AttributeType"]) for a in definition["AttributeDefinitions"]),
        "indexes": {
            index["IndexName"]: (
                index["KeySchema"],
                index["Projection"]["ProjectionType"],
                sorted(index["Projection"].get("NonKeyAttributes", [])),
            )
            for index in definition.get("GlobalSecondaryIndexes", [])
        },
        "stream": (definition.get("StreamSpecification") or {}).get("StreamViewType"),
        "billing": definition["BillingMode"],
    }


def expiring_rows() -> set[str]:
    """Tables with a row that DynamoDB is to remove: it has the number `expires_at`."""
    table_definitions()
    return {
        row.Meta.table_name.removeprefix(table_name(""))
        for row in Row.__subclasses__()
        if row.__module__.startswith("chalicelib.")
        for attribute in row.get_attributes().values()
        if attribute.attr_name == "expires_at" and isinstance(attribute, NumberAttribute)
    }


def test_no_table_is_missing_or_left_over() -> None:
    assert sorted(deployed()) == sorted(declared())


@pytest.mark.parametrize("name", sorted(declared()))
def test_a_table_is_deployed_as_it_is_declared(name: str) -> None:
    assert shape(deployed()[name]["Properties"]) == shape(declared()[name])


@pytest.mark.parametrize("name", sorted(declared()))
def test_rows_expire_where_they_say_so(name: str) -> None:
    expiry = deployed()[name]["Properties"].get("TimeToLiveSpecification")
    assert expiry == ({"AttributeName": "expires_at", "Enabled": True} if name in expiring_rows() else None)


def test_an_expiry_that_is_no_number_has_another_name() -> None:
    """DynamoDB would pass over it in silence."""
    table_definitions()
    misnamed = [
        row.__name__
        for row in Row.__subclasses__()
        for attribute in row.get_attributes().values()
        if attribute.attr_name == "expires_at" and not isinstance(attribute, NumberAttribute)
    ]
    assert misnamed == []


@pytest.mark.parametrize("name", sorted(declared()))
def test_a_table_is_recoverable_encrypted_and_kept_if_it_matters(name: str) -> None:
    table = deployed()[name]
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True}
    policies = {table.get("DeletionPolicy"), table.get("UpdateReplacePolicy")}
    assert policies == ({"Retain"} if name in KEPT else {None})


def test_the_local_stack_can_make_them_all_with_the_outbox_stream() -> None:
    description = template.load_template()
    engine = Engine(":memory:", lambda: datetime(2026, 3, 1, tzinfo=UTC))
    values = template.parameters(description) | {"TablePrefix": "t-"}
    engine.create_tables_from_template(template.tables(description, values))
    assert len(engine.execute("ListTables", {})["TableNames"]) == len(declared())
    outbox = engine.execute("DescribeTable", {"TableName": "t-outbox"})["Table"]
    assert outbox["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    engine.close()
