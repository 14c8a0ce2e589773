"""Tables: create, describe, list, delete; what does not fit is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.dynamodb.differences import differs
from tests.contract.dynamodb.target import TABLES, Target, refused, text


def test_describe_says_what_was_created(dynamodb: Target) -> None:
    table = dynamodb.client.describe_table(TableName=dynamodb.table("indexed"))["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["KeySchema"] == TABLES["indexed"]["KeySchema"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["CreationDateTime"].tzinfo is not None
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert indexes["by-owner"]["Projection"] == {"ProjectionType": "ALL"}
    assert indexes["by-kind-label"]["Projection"]["NonKeyAttributes"] == ["label"]
    assert [index["IndexName"] for index in table["LocalSecondaryIndexes"]] == ["by-at"]


def test_a_table_is_created_once(dynamodb: Target) -> None:
    with refused("ResourceInUseException"):
        dynamodb.client.create_table(TableName=dynamodb.table("plain"), **TABLES["plain"])


def test_a_deleted_table_is_gone_with_its_items(dynamodb: Target) -> None:
    name = dynamodb.new_table("plain")
    dynamodb.client.put_item(TableName=name, Item={"pk": text("a")})
    dynamodb.client.delete_table(TableName=name)
    dynamodb.created.remove(name)
    if dynamodb.name == "aws":
        dynamodb.client.get_waiter("table_not_exists").wait(TableName=name)
    with refused("ResourceNotFoundException"):
        dynamodb.client.describe_table(TableName=name)
    with refused("ResourceNotFoundException"):
        dynamodb.client.delete_table(TableName=name)


def test_list_shows_all_tables_in_pages(dynamodb: Target) -> None:
    pages = dynamodb.client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 2})
    names = [name for page in pages for name in page["TableNames"]]
    assert {dynamodb.table(name) for name in TABLES} <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "change",
    [
        {"AttributeDefinitions": []},
        pytest.param({"KeySchema": [{"AttributeName": "pk", "KeyType": "RANGE"}]}, marks=differs("table-definition")),
        {"KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}]},
        {
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "unused", "AttributeType": "S"},
            ]
        },
    ],
    ids=["no-definitions", "no-hash", "undefined-key", "unused-definition"],
)
def test_a_definition_that_does_not_fit_is_refused(dynamodb: Target, change: dict[str, Any]) -> None:
    with dynamodb.refuses():
        dynamodb.client.create_table(TableName="contract-never-created", **{**TABLES["plain"], **change})


@differs("time-to-live-twice")
def test_time_to_live_is_switched_and_described(dynamodb: Target) -> None:
    table = dynamodb.new_table("plain")
    client = dynamodb.client
    assert client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
    on = {"Enabled": True, "AttributeName": "expires_at"}
    client.update_time_to_live(TableName=table, TimeToLiveSpecification=on)
    described = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert described["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}
    assert described["AttributeName"] == "expires_at"
    with dynamodb.refuses("already enabled"):
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=on)
