"""BatchWriteItem and BatchGetItem: limits, duplicates, several tables."""

from __future__ import annotations

from typing import Any

from tests.contract.dynamodb.differences import differs
from tests.contract.dynamodb.target import Item, Target, number, text


def put(item: Item) -> dict[str, Any]:
    return {"PutRequest": {"Item": item}}


def write(dynamodb: Target, **requests: list[dict[str, Any]]) -> Any:
    return dynamodb.client.batch_write_item(
        RequestItems={dynamodb.table(name): entries for name, entries in requests.items()}
    )


def keys(dynamodb: Target, count: int) -> list[Item]:
    return [{"pk": text(dynamodb.new_key())} for _ in range(count)]


def test_puts_and_deletes_in_several_tables(dynamodb: Target) -> None:
    old, fresh = keys(dynamodb, 2)
    dynamodb.put("plain", old)
    row = {"pk": text("batch"), "sk": number(1)}
    reply = write(dynamodb, plain=[{"DeleteRequest": {"Key": old}}, put(fresh)], numbers=[put(row)])
    assert reply["UnprocessedItems"] == {}
    assert dynamodb.get("plain", old) is None
    assert dynamodb.get("plain", fresh) == fresh
    assert dynamodb.get("numbers", row) == row


@differs("batch-limits")
def test_25_writes_are_the_most(dynamodb: Target) -> None:
    many = keys(dynamodb, 26)
    with dynamodb.refuses():
        write(dynamodb, plain=[put(key) for key in many])
    assert dynamodb.get("plain", many[0]) is None
    write(dynamodb, plain=[put(key) for key in many[:25]])
    assert dynamodb.get("plain", many[24]) == many[24]


@differs("batch-limits")
def test_an_item_may_be_named_once(dynamodb: Target) -> None:
    (key,) = keys(dynamodb, 1)
    with dynamodb.refuses("duplicates"):
        write(dynamodb, plain=[put(key), {"DeleteRequest": {"Key": key}}])
    with dynamodb.refuses("duplicates"):
        _get(dynamodb, [key, key])


@differs("batch-all-or-nothing")
def test_one_wrong_write_refuses_them_all(dynamodb: Target) -> None:
    (key,) = keys(dynamodb, 1)
    with dynamodb.refuses():
        write(dynamodb, plain=[put(key), put({"a": number(1)})])
    assert dynamodb.get("plain", key) is None


def _get(dynamodb: Target, wanted: list[Item], **more: Any) -> Any:
    table = dynamodb.table("plain")
    reply = dynamodb.client.batch_get_item(RequestItems={table: {"Keys": wanted, **more}})
    assert reply["UnprocessedKeys"] == {}
    return reply["Responses"][table]


def test_get_gives_what_is_there(dynamodb: Target) -> None:
    here, gone = keys(dynamodb, 2)
    dynamodb.put("plain", {**here, "a": number(1), "blob": {"B": b"\x00"}})
    assert _get(dynamodb, [gone, here]) == [{**here, "a": number(1), "blob": {"B": b"\x00"}}]
    assert _get(dynamodb, [here], ProjectionExpression="#a", ExpressionAttributeNames={"#a": "a"}) == [{"a": number(1)}]


def test_100_gets_are_the_most(dynamodb: Target) -> None:
    many = keys(dynamodb, 101)
    with dynamodb.refuses():
        _get(dynamodb, many)
    assert _get(dynamodb, many[:100]) == []
