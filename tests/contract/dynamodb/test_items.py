"""Put, get and delete: every value type, keys, sizes, ReturnValues."""

from __future__ import annotations

import pytest

from tests.contract.dynamodb.differences import cases, differs
from tests.contract.dynamodb.target import Item, Target, Value, number, refused, text

EVERY_TYPE: Item = {
    "text": {"S": "Überladung ⚡"},
    "empty": {"S": ""},
    "whole": {"N": "42"},
    "fraction": {"N": "-0.125"},
    "yes": {"BOOL": True},
    "no": {"BOOL": False},
    "nothing": {"NULL": True},
    "binary": {"B": b"\x00\xff\x10"},
    "list": {"L": [{"S": "a"}, {"N": "1"}, {"B": b"z"}, {"L": []}, {"M": {}}]},
    "map": {"M": {"nest": {"M": {"deep": {"B": b"deep"}}}, "B": {"S": "named like a type"}}},
}


def test_every_type_comes_back_as_it_went_in(dynamodb: Target) -> None:
    item = {"pk": text(dynamodb.new_key()), **EVERY_TYPE}
    dynamodb.put("plain", item)
    assert dynamodb.get("plain", {"pk": item["pk"]}) == item


def test_sets_come_back_with_their_members(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    sets: Item = {"texts": {"SS": ["b", "a"]}, "numbers": {"NS": ["10", "-2"]}, "binaries": {"BS": [b"y", b"x"]}}
    dynamodb.put("plain", {**key, **sets})
    item = dynamodb.get("plain", key)
    assert item is not None
    assert sorted(item["texts"]["SS"]) == ["a", "b"]
    assert sorted(item["numbers"]["NS"]) == ["-2", "10"]
    assert sorted(item["binaries"]["BS"]) == [b"x", b"y"]


def test_a_missing_item_is_no_item(dynamodb: Target) -> None:
    assert dynamodb.get("plain", {"pk": text(dynamodb.new_key())}) is None


def test_put_replaces_the_whole_item(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, "a": number(1), "b": number(2)})
    old = dynamodb.put("plain", {**key, "a": number(3)}, ReturnValues="ALL_OLD")
    assert old["Attributes"] == {**key, "a": number(1), "b": number(2)}
    assert dynamodb.get("plain", key) == {**key, "a": number(3)}


def test_the_first_put_has_no_old_attributes(dynamodb: Target) -> None:
    reply = dynamodb.put("plain", {"pk": text(dynamodb.new_key())}, ReturnValues="ALL_OLD")
    assert not reply.get("Attributes")


def test_delete_gives_back_what_it_deleted(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, "b": {"B": b"bytes"}})
    table = dynamodb.table("plain")
    reply = dynamodb.client.delete_item(TableName=table, Key=key, ReturnValues="ALL_OLD")
    assert reply["Attributes"] == {**key, "b": {"B": b"bytes"}}
    assert dynamodb.get("plain", key) is None
    again = dynamodb.client.delete_item(TableName=table, Key=key, ReturnValues="ALL_OLD")
    assert "Attributes" not in again


@pytest.mark.parametrize("returns", ["ALL_NEW", "UPDATED_NEW", "UPDATED_OLD", "SOMETHING"])
def test_put_returns_only_the_old(dynamodb: Target, returns: str) -> None:
    with dynamodb.refuses():
        dynamodb.put("plain", {"pk": text(dynamodb.new_key())}, ReturnValues=returns)


def test_an_unknown_table_is_not_found(dynamodb: Target) -> None:
    with refused("ResourceNotFoundException"):
        dynamodb.client.get_item(TableName="no-such-table", Key={"pk": text("a")})


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"sk": {"S": "a"}},
        {"pk": {"S": "a"}, "sk": {"S": "b"}},
        pytest.param({"pk": {"N": "1"}}, marks=differs("key-type")),
    ],
    ids=["none", "another", "too-many", "wrong-type"],
)
def test_a_key_that_does_not_fit_is_refused(dynamodb: Target, key: Item) -> None:
    with dynamodb.refuses():
        dynamodb.get("plain", key)


def test_an_item_without_its_key_is_refused(dynamodb: Target) -> None:
    with dynamodb.refuses("Missing the key pk in the item"):
        dynamodb.put("plain", {"a": number(1)})


def test_an_item_whose_key_has_another_type_is_refused(dynamodb: Target) -> None:
    with dynamodb.refuses("Type mismatch for key pk expected: S actual: N"):
        dynamodb.put("plain", {"pk": number(1)})


def test_an_empty_key_is_refused(dynamodb: Target) -> None:
    with dynamodb.refuses("empty string value"):
        dynamodb.put("plain", {"pk": text("")})


@pytest.mark.parametrize("kind", cases([("SS",), ("NS",), ("BS",)], {"BS": "set-members"}))
def test_an_empty_set_is_refused(dynamodb: Target, kind: str) -> None:
    with dynamodb.refuses():
        dynamodb.put("plain", {"pk": text(dynamodb.new_key()), "a": {kind: []}})


@differs("set-members")
@pytest.mark.parametrize("value", [{"SS": ["a", "a"]}, {"NS": ["1", "1.0"]}], ids=["texts", "numbers"])
def test_a_set_with_duplicates_is_refused(dynamodb: Target, value: dict[str, list[str]]) -> None:
    with dynamodb.refuses("contains duplicates"):
        dynamodb.put("plain", {"pk": text(dynamodb.new_key()), "a": value})


def test_null_is_true(dynamodb: Target) -> None:
    with dynamodb.refuses():
        dynamodb.put("plain", {"pk": text(dynamodb.new_key()), "a": {"NULL": False}})


@differs("one-type-per-value")
def test_a_value_has_one_type(dynamodb: Target) -> None:
    with dynamodb.refuses():
        dynamodb.put("plain", {"pk": text(dynamodb.new_key()), "a": {"S": "a", "N": "1"}})


def test_keys_have_their_own_limits(dynamodb: Target) -> None:
    pk = dynamodb.new_key()
    dynamodb.put("texts", {"pk": text(pk.ljust(2048, "p")), "sk": text("s" * 1024)})
    with dynamodb.refuses("2048 bytes"):
        dynamodb.put("texts", {"pk": text(pk.ljust(2049, "p")), "sk": text("s")})
    with dynamodb.refuses("1024 bytes"):
        dynamodb.put("texts", {"pk": text(pk), "sk": text("s" * 1025)})


def _filled(key: str, total_bytes: int) -> Item:
    """An item of exactly this size: names and values in UTF-8."""
    return {"pk": text(key), "fill": text("x" * (total_bytes - len("pk") - len(key) - len("fill")))}


@differs("item-size")
def test_an_item_may_have_400_kb(dynamodb: Target) -> None:
    key = dynamodb.new_key()
    dynamodb.put("plain", _filled(key, 400 * 1024))
    with dynamodb.refuses("Item size has exceeded the maximum allowed size"):
        dynamodb.put("plain", _filled(key, 400 * 1024 + 1))


@differs("item-size")
def test_an_update_may_not_grow_an_item_beyond_400_kb(dynamodb: Target) -> None:
    key = dynamodb.new_key()
    dynamodb.put("plain", _filled(key, 400 * 1024 - 10))
    dynamodb.update("plain", {"pk": text(key)}, "SET a = :a", {":a": text("123456789")})
    with dynamodb.refuses("Item size to update has exceeded the maximum allowed size"):
        dynamodb.update("plain", {"pk": text(key)}, "SET a = :a", {":a": text("1234567890")})
    item = dynamodb.get("plain", {"pk": text(key)})
    assert item is not None
    assert item["a"] == text("123456789")


@differs("nesting")
def test_32_levels_of_nesting_are_the_most(dynamodb: Target) -> None:
    def nested(levels: int) -> Value:
        value: Value = {"S": "core"}
        for _ in range(levels):
            value = {"M": {"a": value}}
        return value

    dynamodb.put("plain", {"pk": text(dynamodb.new_key()), "a": nested(31)})
    with dynamodb.refuses("Nesting Levels"):
        dynamodb.put("plain", {"pk": text(dynamodb.new_key()), "a": nested(33)})


@differs("projection-paths")
def test_projection_takes_parts_of_documents(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    document = {"M": {"list": {"L": [{"S": "0"}, {"S": "1"}, {"M": {"x": {"N": "2"}}}]}, "other": {"S": "o"}}}
    dynamodb.put("plain", {**key, "doc": document, "flat": number(7)})
    item = dynamodb.get(
        "plain",
        key,
        ProjectionExpression="#d.#l[0], #d.#l[2].x, flat, absent.deeper",
        ExpressionAttributeNames={"#d": "doc", "#l": "list"},
    )
    picked = {"M": {"list": {"L": [{"S": "0"}, {"M": {"x": {"N": "2"}}}]}}}
    assert item == {"doc": picked, "flat": number(7)}


def test_a_projection_of_nothing_present_is_an_empty_item(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", key)
    reply = dynamodb.client.get_item(TableName=dynamodb.table("plain"), Key=key, ProjectionExpression="absent")
    assert reply["Item"] == {}


@differs("projection-paths")
def test_overlapping_projections_are_refused(dynamodb: Target) -> None:
    with dynamodb.refuses("overlap"):
        dynamodb.get("plain", {"pk": text("a")}, ProjectionExpression="a, a.b")


def test_an_unused_name_in_a_projection_is_refused(dynamodb: Target) -> None:
    with dynamodb.refuses("unused in expressions"):
        dynamodb.get(
            "plain",
            {"pk": text("a")},
            ProjectionExpression="a",
            ExpressionAttributeNames={"#unused": "b"},
        )


@pytest.mark.parametrize("word", ["status", "Name", "ttl", "location"])
def test_reserved_words_need_a_placeholder(dynamodb: Target, word: str) -> None:
    with dynamodb.refuses("reserved keyword"):
        dynamodb.get("plain", {"pk": text("none")}, ProjectionExpression=word)
