"""TransactWriteItems and TransactGetItems: all or nothing, reasons in order, request tokens, limits."""

from __future__ import annotations

import uuid
from typing import Any

from tests.contract.dynamodb.differences import differs
from tests.contract.dynamodb.target import Item, Target, number, refused, text


def write(dynamodb: Target, *entries: dict[str, dict[str, Any]], **more: Any) -> Any:
    """A transaction on the table `plain`, except where an entry names its own."""
    items = [
        {kind: {"TableName": dynamodb.table("plain"), **body} for kind, body in entry.items()} for entry in entries
    ]
    return dynamodb.client.transact_write_items(TransactItems=items, **more)


def stocked(dynamodb: Target, **attributes: Any) -> Item:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, "n": number(1), **attributes})
    return key


def add_one(key: Item, **more: Any) -> dict[str, Any]:
    return {
        "Update": {
            "Key": key,
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": number(1)},
            **more,
        }
    }


def count_of(dynamodb: Target, key: Item) -> str:
    item = dynamodb.get("plain", key)
    assert item is not None
    return str(item["n"]["N"])


def test_all_four_kinds_together(dynamodb: Target) -> None:
    checked, updated, deleted = (stocked(dynamodb) for _ in range(3))
    fresh = {"pk": text(dynamodb.new_key())}
    write(
        dynamodb,
        {"Put": {"Item": {**fresh, "n": number(7)}, "ConditionExpression": "attribute_not_exists(pk)"}},
        add_one(updated),
        {"Delete": {"Key": deleted, "ConditionExpression": "attribute_exists(pk)"}},
        {"ConditionCheck": {"Key": checked, "ConditionExpression": "attribute_exists(pk)"}},
    )
    assert count_of(dynamodb, fresh) == "7"
    assert count_of(dynamodb, updated) == "2"
    assert count_of(dynamodb, checked) == "1"
    assert dynamodb.get("plain", deleted) is None


def test_one_failed_condition_cancels_all_and_names_its_reason(dynamodb: Target) -> None:
    first, second, third = (stocked(dynamodb, raw_bytes={"B": b"raw"}) for _ in range(3))
    fresh = {"pk": text(dynamodb.new_key())}
    with refused("TransactionCanceledException") as caught:
        write(
            dynamodb,
            add_one(first),
            {
                "Put": {
                    "Item": {**second, "n": number(9)},
                    "ConditionExpression": "attribute_not_exists(pk)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
            {"Put": {"Item": fresh}},
            {"Delete": {"Key": third, "ConditionExpression": "attribute_not_exists(pk)"}},
        )
    assert isinstance(caught.value, dynamodb.client.exceptions.TransactionCanceledException)
    assert "[None, ConditionalCheckFailed, None, ConditionalCheckFailed]" in str(caught.value)
    reasons = caught.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == [
        "None",
        "ConditionalCheckFailed",
        "None",
        "ConditionalCheckFailed",
    ]
    assert reasons[1]["Item"] == {**second, "n": number(1), "raw_bytes": {"B": b"raw"}}
    assert reasons[1]["Message"] == "The conditional request failed"
    assert "Item" not in reasons[3]
    assert [count_of(dynamodb, key) for key in (first, second, third)] == ["1", "1", "1"]
    assert dynamodb.get("plain", fresh) is None


@differs("transact-runtime-validation")
def test_an_update_that_does_not_fit_the_stored_item_is_a_reason(dynamodb: Target) -> None:
    first, second = stocked(dynamodb), stocked(dynamodb, word=text("w"))
    with refused("TransactionCanceledException") as caught:
        write(
            dynamodb,
            add_one(first),
            {
                "Update": {
                    "Key": second,
                    "UpdateExpression": "ADD word :one",
                    "ExpressionAttributeValues": {":one": number(1)},
                }
            },
        )
    assert [reason["Code"] for reason in caught.value.response["CancellationReasons"]] == ["None", "ValidationError"]
    assert count_of(dynamodb, first) == "1"


def test_a_wrong_expression_refuses_the_request(dynamodb: Target) -> None:
    first, second = stocked(dynamodb), stocked(dynamodb)
    with dynamodb.refuses():
        write(dynamodb, add_one(first), {"Update": {"Key": second, "UpdateExpression": "SET n :one"}})
    assert count_of(dynamodb, first) == "1"


def test_an_item_may_be_named_once(dynamodb: Target) -> None:
    key = stocked(dynamodb)
    with dynamodb.refuses("multiple operations on one item"):
        write(dynamodb, add_one(key), {"ConditionCheck": {"Key": key, "ConditionExpression": "n = n2"}})
    assert count_of(dynamodb, key) == "1"


def test_a_hundred_items_are_the_most(dynamodb: Target) -> None:
    keys = [{"pk": text(dynamodb.new_key())} for _ in range(101)]
    puts = [{"Put": {"Item": key}} for key in keys]
    with dynamodb.refuses():
        write(dynamodb, *puts)
    assert dynamodb.get("plain", keys[0]) is None
    write(dynamodb, *puts[:100])
    assert dynamodb.get("plain", keys[99]) == keys[99]


@differs("transact-size")
def test_4_mb_are_the_most(dynamodb: Target) -> None:
    keys = [{"pk": text(dynamodb.new_key())} for _ in range(11)]
    with dynamodb.refuses():
        write(dynamodb, *({"Put": {"Item": {**key, "fill": text("x" * 400_000)}}} for key in keys))
    assert dynamodb.get("plain", keys[0]) is None


@differs("request-token")
def test_a_request_token_makes_a_repeat_harmless(dynamodb: Target) -> None:
    key, request_token = stocked(dynamodb), str(uuid.uuid4())
    write(dynamodb, add_one(key), ClientRequestToken=request_token)
    write(dynamodb, add_one(key), ClientRequestToken=request_token)
    assert count_of(dynamodb, key) == "2"
    with refused("IdempotentParameterMismatchException"):
        write(dynamodb, add_one(stocked(dynamodb)), ClientRequestToken=request_token)
    write(dynamodb, add_one(key), ClientRequestToken=str(uuid.uuid4()))
    assert count_of(dynamodb, key) == "3"


def test_a_cancelled_transaction_does_not_use_up_its_token(dynamodb: Target) -> None:
    key, request_token = stocked(dynamodb), str(uuid.uuid4())
    guarded = add_one(key, ConditionExpression="attribute_exists(ready)")
    with refused("TransactionCanceledException"):
        write(dynamodb, guarded, ClientRequestToken=request_token)
    dynamodb.update("plain", key, "SET ready = :r", {":r": number(1)})
    write(dynamodb, guarded, ClientRequestToken=request_token)
    assert count_of(dynamodb, key) == "2"


@differs("transact-get-projection")
def test_transact_get_answers_in_the_order_asked(dynamodb: Target) -> None:
    first, second = stocked(dynamodb), stocked(dynamodb, more=text("m"))
    missing = {"pk": text(dynamodb.new_key())}
    table = dynamodb.table("plain")
    reply = dynamodb.client.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": table, "Key": second, "ProjectionExpression": "n"}},
            {"Get": {"TableName": table, "Key": missing}},
            {"Get": {"TableName": table, "Key": first}},
        ]
    )
    assert [response.get("Item") for response in reply["Responses"]] == [
        {"n": number(1)},
        None,
        {**first, "n": number(1)},
    ]


@differs("transact-get-limit")
def test_transact_get_takes_a_hundred(dynamodb: Target) -> None:
    gets = [
        {"Get": {"TableName": dynamodb.table("plain"), "Key": {"pk": text(f"k{position}")}}} for position in range(101)
    ]
    assert len(dynamodb.client.transact_get_items(TransactItems=gets[:100])["Responses"]) == 100
    with dynamodb.refuses():
        dynamodb.client.transact_get_items(TransactItems=gets)
