"""ConsumedCapacity as AWS counts it: 1 KB writes, 4 KB reads, halves, doubles, and what indexes add."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.dynamodb.differences import differs
from tests.contract.dynamodb.target import Item, Target, number, text

pytestmark = differs("capacity")


def units(reply: Any) -> float:
    consumed = reply["ConsumedCapacity"]
    return float((consumed[0] if isinstance(consumed, list) else consumed)["CapacityUnits"])


def sized(dynamodb: Target, total_bytes: int) -> Item:
    key = dynamodb.new_key()
    return {"pk": text(key), "fill": text("x" * (total_bytes - len(f"pk{key}fill")))}


def test_a_write_counts_kilobytes_of_the_larger_of_before_and_after(dynamodb: Target) -> None:
    item = sized(dynamodb, 1025)
    assert units(dynamodb.put("plain", item, ReturnConsumedCapacity="TOTAL")) == 2
    smaller = {"pk": item["pk"]}
    assert units(dynamodb.put("plain", smaller, ReturnConsumedCapacity="TOTAL")) == 2
    assert units(dynamodb.put("plain", smaller, ReturnConsumedCapacity="TOTAL")) == 1
    exact = sized(dynamodb, 1024)
    assert units(dynamodb.put("plain", exact, ReturnConsumedCapacity="TOTAL")) == 1


@pytest.mark.parametrize(("size", "consistent", "expected"), [(4096, True, 1), (4097, True, 2), (4097, False, 1)])
def test_a_read_counts_4_kilobytes(dynamodb: Target, size: int, consistent: bool, expected: float) -> None:
    item = sized(dynamodb, size)
    dynamodb.put("plain", item)
    reply = dynamodb.client.get_item(
        TableName=dynamodb.table("plain"),
        Key={"pk": item["pk"]},
        ConsistentRead=consistent,
        ReturnConsumedCapacity="TOTAL",
    )
    assert units(reply) == expected


def test_a_query_rounds_its_sum_once(dynamodb: Target) -> None:
    pk = text(dynamodb.new_key())
    for letter in "abcdefgh":
        dynamodb.put("texts", {"pk": pk, "sk": text(letter), "fill": text("x" * 1000)})
    reply = dynamodb.query("texts", "pk = :pk", {":pk": pk}, ConsistentRead=True, ReturnConsumedCapacity="TOTAL")
    assert units(reply) == 2


def indexed(dynamodb: Target, **attributes: Any) -> Item:
    key = dynamodb.new_key()
    return {"pk": text(key), "sk": text("s"), "owner": text("o"), "at": number(1), **attributes}


def spent(reply: Any) -> dict[str, float]:
    consumed = reply["ConsumedCapacity"]
    parts = {"table": consumed["Table"]["CapacityUnits"]}
    for parameter in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for name, entry in consumed.get(parameter, {}).items():
            parts[name] = entry["CapacityUnits"]
    return parts


def test_an_index_costs_only_when_its_entry_changes(dynamodb: Target) -> None:
    item = indexed(dynamodb, label=text("l"), weight=number(1))
    first = dynamodb.put("indexed", item, ReturnConsumedCapacity="INDEXES")
    assert spent(first) == {"table": 1, "by-owner": 1, "by-at": 1}
    key = {"pk": item["pk"], "sk": item["sk"]}
    # Only `by-owner` projects the weight.
    reply = dynamodb.update("indexed", key, "SET weight = :w", {":w": number(2)}, ReturnConsumedCapacity="INDEXES")
    assert spent(reply) == {"table": 1, "by-owner": 1}
    # Nothing changes at all.
    reply = dynamodb.update("indexed", key, "SET weight = :w", {":w": number(2)}, ReturnConsumedCapacity="INDEXES")
    assert spent(reply) == {"table": 1}
    # A changed key is a delete and a put.
    reply = dynamodb.update(
        "indexed",
        key,
        "SET #o = :o",
        {":o": text("p")},
        ExpressionAttributeNames={"#o": "owner"},
        ReturnConsumedCapacity="INDEXES",
    )
    assert spent(reply) == {"table": 1, "by-owner": 2}


def test_a_transaction_counts_double(dynamodb: Target) -> None:
    item = sized(dynamodb, 1500)
    table = dynamodb.table("plain")
    reply = dynamodb.client.transact_write_items(
        TransactItems=[{"Put": {"TableName": table, "Item": item}}], ReturnConsumedCapacity="TOTAL"
    )
    assert units(reply) == 4
    reply = dynamodb.client.transact_get_items(
        TransactItems=[{"Get": {"TableName": table, "Key": {"pk": item["pk"]}}}], ReturnConsumedCapacity="TOTAL"
    )
    assert units(reply) == 2
