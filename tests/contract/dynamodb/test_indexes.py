"""Secondary indexes: sparse, ordered, projected, paged; what they refuse; indexes added later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.dynamodb.differences import differs
from tests.contract.dynamodb.target import TABLES, Item, Target, index, number, text


def fleet(dynamodb: Target) -> str:
    """Five items of one partition; owner and kind are unique to the case, the fifth has neither."""
    name = dynamodb.new_key()
    for position in range(4):
        dynamodb.put(
            "indexed",
            {
                "pk": text(name),
                "sk": text(f"s{position}"),
                "owner": text(name),
                "at": number(-position),
                "kind": text(name),
                "label": text(f"label {position}"),
                "weight": number(position),
            },
        )
    dynamodb.put("indexed", {"pk": text(name), "sk": text("s4"), "weight": number(4)})
    return name


def ask(dynamodb: Target, index_name: str, condition: str, values: Item, **more: Any) -> Any:
    return dynamodb.query("indexed", condition, values, IndexName=index_name, **more)


def sort_keys(reply: Any) -> list[str]:
    return [item["sk"]["S"] for item in reply["Items"]]


def test_a_global_index_orders_by_its_own_sort_key(dynamodb: Target) -> None:
    name = fleet(dynamodb)
    reply = ask(dynamodb, "by-owner", "#o = :o", {":o": text(name)}, ExpressionAttributeNames={"#o": "owner"})
    assert sort_keys(reply) == ["s3", "s2", "s1", "s0"]
    assert reply["Items"][0]["weight"] == number(3)
    reply = ask(
        dynamodb,
        "by-owner",
        "#o = :o AND #at > :a",
        {":o": text(name), ":a": number("-1.5")},
        ExpressionAttributeNames={"#o": "owner", "#at": "at"},
        ScanIndexForward=False,
    )
    assert sort_keys(reply) == ["s0", "s1"]


def test_an_index_is_sparse(dynamodb: Target) -> None:
    name = fleet(dynamodb)
    assert len(ask(dynamodb, "by-kind", "kind = :k", {":k": text(name)})["Items"]) == 4
    dynamodb.update("indexed", {"pk": text(name), "sk": text("s1")}, "REMOVE kind")
    dynamodb.update("indexed", {"pk": text(name), "sk": text("s2")}, "SET kind = :k", {":k": text(f"{name}-b")})
    dynamodb.client.delete_item(TableName=dynamodb.table("indexed"), Key={"pk": text(name), "sk": text("s3")})
    assert sort_keys(ask(dynamodb, "by-kind", "kind = :k", {":k": text(name)})) == ["s0"]
    assert sort_keys(ask(dynamodb, "by-kind", "kind = :k", {":k": text(f"{name}-b")})) == ["s2"]


def test_keys_only_shows_keys_only(dynamodb: Target) -> None:
    name = fleet(dynamodb)
    reply = ask(dynamodb, "by-kind", "kind = :k", {":k": text(name)}, Limit=1)
    assert set(reply["Items"][0]) == {"pk", "sk", "kind"}


def test_include_shows_keys_and_what_it_includes(dynamodb: Target) -> None:
    name = fleet(dynamodb)
    reply = ask(dynamodb, "by-kind-label", "kind = :k", {":k": text(name)}, Limit=1)
    assert set(reply["Items"][0]) == {"pk", "sk", "kind", "at", "label"}


def test_a_filter_sees_only_what_is_projected(dynamodb: Target) -> None:
    name = fleet(dynamodb)
    reply = ask(
        dynamodb,
        "by-kind-label",
        "kind = :k",
        {":k": text(name)},
        FilterExpression="attribute_exists(weight)",
    )
    assert (reply["Count"], reply["ScannedCount"]) == (0, 4)


def test_a_local_index_fetches_what_it_does_not_project(dynamodb: Target) -> None:
    name = fleet(dynamodb)
    reply = ask(dynamodb, "by-at", "pk = :p", {":p": text(name)}, ConsistentRead=True)
    assert sort_keys(reply) == ["s3", "s2", "s1", "s0"]
    assert set(reply["Items"][0]) == {"pk", "sk", "at", "label"}


@differs("local-index-fetch")
def test_a_local_index_fetches_all_attributes_when_asked(dynamodb: Target) -> None:
    name = fleet(dynamodb)
    reply = ask(dynamodb, "by-at", "pk = :p", {":p": text(name)}, Select="ALL_ATTRIBUTES")
    assert [item["weight"] for item in reply["Items"]] == [number(3), number(2), number(1), number(0)]


def test_pages_of_equal_index_keys_join(dynamodb: Target) -> None:
    name = fleet(dynamodb)
    found: list[str] = []
    more: dict[str, Any] = {}
    for _ in range(10):
        reply = ask(dynamodb, "by-kind", "kind = :k", {":k": text(name)}, Limit=1, **more)
        found += sort_keys(reply)
        if "LastEvaluatedKey" not in reply:
            break
        assert set(reply["LastEvaluatedKey"]) == {"pk", "sk", "kind"}
        more = {"ExclusiveStartKey": reply["LastEvaluatedKey"]}
    assert sorted(found) == ["s0", "s1", "s2", "s3"]


def test_scan_of_an_index_sees_its_entries(dynamodb: Target) -> None:
    table = dynamodb.new_table("indexed")
    for position in range(6):
        item = {"pk": text("p"), "sk": text(f"s{position}"), "kind": text("k")}
        if position % 2:
            del item["kind"]
        dynamodb.client.put_item(TableName=table, Item=item)
    first = dynamodb.client.scan(TableName=table, IndexName="by-kind", Limit=2)
    rest = dynamodb.client.scan(TableName=table, IndexName="by-kind", ExclusiveStartKey=first["LastEvaluatedKey"])
    assert sorted(sort_keys(first) + sort_keys(rest)) == ["s0", "s2", "s4"]


def test_consistent_reads_of_a_global_index_are_refused(dynamodb: Target) -> None:
    with dynamodb.refuses("Consistent reads are not supported"):
        ask(dynamodb, "by-kind", "kind = :k", {":k": text("k")}, ConsistentRead=True)


@differs("index-projection")
def test_a_global_index_refuses_a_projection_of_what_it_has_not(dynamodb: Target) -> None:
    with dynamodb.refuses("does not project"):
        ask(dynamodb, "by-kind", "kind = :k", {":k": text("k")}, ProjectionExpression="weight")


def test_a_global_index_refuses_all_attributes_if_it_has_not_all(dynamodb: Target) -> None:
    with dynamodb.refuses("not ALL"):
        ask(dynamodb, "by-kind", "kind = :k", {":k": text("k")}, Select="ALL_ATTRIBUTES")


def test_an_index_added_later_is_filled(dynamodb: Target) -> None:
    table = dynamodb.new_table("texts")
    for position in range(3):
        dynamodb.client.put_item(
            TableName=table, Item={"pk": text("p"), "sk": text(f"s{position}"), "late": text("yes")}
        )
    dynamodb.client.update_table(
        TableName=table,
        AttributeDefinitions=[
            *TABLES["texts"]["AttributeDefinitions"],
            {"AttributeName": "late", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexUpdates=[{"Create": index("by-late", "late", projection="ALL")}],
    )
    if dynamodb.name == "aws":
        pytest.skip("takes minutes on AWS")
    reply = dynamodb.client.query(
        TableName=table,
        IndexName="by-late",
        KeyConditionExpression="late = :l",
        ExpressionAttributeValues={":l": text("yes")},
    )
    assert reply["Count"] == 3
    dynamodb.client.update_table(TableName=table, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-late"}}])
    described = dynamodb.client.describe_table(TableName=table)["Table"]
    assert not described.get("GlobalSecondaryIndexes")
