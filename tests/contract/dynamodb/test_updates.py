"""Update expressions: SET, REMOVE, ADD, DELETE, nested paths, ReturnValues, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.dynamodb.differences import cases, differs
from tests.contract.dynamodb.target import Item, Target, number, text

START: Item = {
    "amount": number(10),
    "word": text("old"),
    "words": {"SS": ["a", "b"]},
    "amounts": {"NS": ["1", "2"]},
    "list": {"L": [text("l0"), text("l1"), text("l2")]},
    "map": {"M": {"x": number(1), "nest": {"M": {"y": number(2)}}}},
}
ONE: Item = {":v": number(1)}


def started(dynamodb: Target) -> Item:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, **START})
    return key


def changed(**attributes: Any) -> Item:
    """START with these attributes; None takes one away."""
    item = {**START, **attributes}
    return {name: value for name, value in item.items() if value is not None}


CASES: list[tuple[str, Item, Item]] = [
    ("SET amount = :v", ONE, changed(amount=number(1))),
    ("SET fresh = :v", ONE, changed(fresh=number(1))),
    ("SET amount = amount + :v", ONE, changed(amount=number(11))),
    ("SET amount = amount - :v", ONE, changed(amount=number(9))),
    ("SET amount = :v - amount", ONE, changed(amount=number(-9))),
    ("SET amount = amount + :v", {":v": number("0.1")}, changed(amount=number("10.1"))),
    ("SET copied = word, word = :v", {":v": text("new")}, changed(copied=text("old"), word=text("new"))),
    ("SET amount = if_not_exists(amount, :v)", ONE, changed()),
    ("SET fresh = if_not_exists(fresh, :v)", ONE, changed(fresh=number(1))),
    ("SET fresh = if_not_exists(fresh, :v) + :v", ONE, changed(fresh=number(2))),
    (
        "SET #l = list_append(#l, :v)",
        {":v": {"L": [text("l3")]}},
        changed(list={"L": [text("l0"), text("l1"), text("l2"), text("l3")]}),
    ),
    (
        "SET #l = list_append(:v, #l)",
        {":v": {"L": [text("l3")]}},
        changed(list={"L": [text("l3"), text("l0"), text("l1"), text("l2")]}),
    ),
    (
        "SET fresh = list_append(if_not_exists(fresh, :e), :v)",
        {":v": {"L": [text("l3")]}, ":e": {"L": []}},
        changed(fresh={"L": [text("l3")]}),
    ),
    ("SET #l[1] = :v", ONE, changed(list={"L": [text("l0"), number(1), text("l2")]})),
    ("SET #l[9] = :v", ONE, changed(list={"L": [text("l0"), text("l1"), text("l2"), number(1)]})),
    ("SET #m.x = #m.x + :v", ONE, changed(map={"M": {"x": number(2), "nest": {"M": {"y": number(2)}}}})),
    (
        "SET #m.nest.z = :v",
        ONE,
        changed(map={"M": {"x": number(1), "nest": {"M": {"y": number(2), "z": number(1)}}}}),
    ),
    ("REMOVE word", {}, changed(word=None)),
    ("REMOVE absent", {}, changed()),
    ("REMOVE #l[0], #l[2]", {}, changed(list={"L": [text("l1")]})),
    ("REMOVE #m.nest", {}, changed(map={"M": {"x": number(1)}})),
    ("REMOVE #l[9]", {}, changed()),
    ("ADD amount :v", ONE, changed(amount=number(11))),
    ("ADD amount :v", {":v": number("-10.5")}, changed(amount=number("-0.5"))),
    ("ADD fresh :v", ONE, changed(fresh=number(1))),
    ("ADD #m.x :v", ONE, changed(map={"M": {"x": number(2), "nest": {"M": {"y": number(2)}}}})),
    ("ADD words :v", {":v": {"SS": ["b", "c"]}}, changed(words={"SS": ["a", "b", "c"]})),
    ("ADD fresh :v", {":v": {"SS": ["b"]}}, changed(fresh={"SS": ["b"]})),
    ("DELETE words :v", {":v": {"SS": ["b", "z"]}}, changed(words={"SS": ["a"]})),
    ("DELETE words :v", {":v": {"SS": ["a", "b"]}}, changed(words=None)),
    ("DELETE absent :v", {":v": {"SS": ["a"]}}, changed()),
    ("DELETE amounts :v", {":v": {"NS": ["1.0"]}}, changed(amounts={"NS": ["2"]})),
    (
        "SET word = :v ADD amount :n REMOVE #m DELETE words :s",
        {":v": text("w"), ":n": number(1), ":s": {"SS": ["a"]}},
        changed(word=text("w"), amount=number(11), map=None, words={"SS": ["b"]}),
    ),
    ("set word = :v remove amount", ONE, changed(word=number(1), amount=None)),
]


def names_in(expression: str) -> dict[str, Any]:
    names = {"#m": "map", "#l": "list"}
    used = {name: names[name] for name in names if name in expression}
    return {"ExpressionAttributeNames": used} if used else {}


def unordered(item: Item | None) -> Item:
    """The item with its sets sorted: DynamoDB promises no order of a set's members."""
    assert item is not None
    return {
        name: {kind: sorted(raw) if kind in {"SS", "NS"} else raw for kind, raw in value.items()}
        for name, value in item.items()
    }


@pytest.mark.parametrize(("expression", "values", "expected"), cases(CASES, {"DELETE amounts :v": "set-members"}))
def test_the_item_after(dynamodb: Target, expression: str, values: Item, expected: Item) -> None:
    key = started(dynamodb)
    reply = dynamodb.update("plain", key, expression, values, ReturnValues="ALL_NEW", **names_in(expression))
    assert unordered(reply["Attributes"]) == unordered({**key, **expected})
    assert unordered(dynamodb.get("plain", key)) == unordered({**key, **expected})


def test_update_creates_an_item_that_is_not_there(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.update("plain", key, "SET a = :v ADD b :v", ONE)
    assert dynamodb.get("plain", key) == {**key, "a": number(1), "b": number(1)}


@differs("update-bare")
def test_update_without_an_expression_creates_the_bare_key(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.client.update_item(TableName=dynamodb.table("plain"), Key=key)
    assert dynamodb.get("plain", key) == key


@differs("update-list-order")
def test_two_elements_beyond_the_end_keep_their_order(dynamodb: Target) -> None:
    key = started(dynamodb)
    dynamodb.update(
        "plain",
        key,
        "SET #l[8] = :b, #l[5] = :a",
        {":a": text("first"), ":b": text("second")},
        ExpressionAttributeNames={"#l": "list"},
    )
    item = dynamodb.get("plain", key)
    assert item is not None
    assert item["list"]["L"][3:] == [text("first"), text("second")]


@differs("update-delete-in-list")
def test_a_set_emptied_within_a_list_does_not_shift_its_neighbours(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, "l": {"L": [{"SS": ["a"]}, text("b"), text("c")]}})
    dynamodb.update("plain", key, "DELETE l[0] :s SET l[1] = :v", {":s": {"SS": ["a"]}, ":v": text("new")})
    item = dynamodb.get("plain", key)
    assert item is not None
    assert item["l"] == {"L": [text("new"), text("c")]}


RETURNS: list[tuple[str, Item | None]] = [
    ("ALL_OLD", START),
    ("UPDATED_OLD", {"amount": number(10), "map": {"M": {"x": number(1)}}, "word": text("old")}),
    ("UPDATED_NEW", {"amount": number(11), "map": {"M": {"x": number(5)}}, "fresh": number(5)}),
    ("NONE", None),
]


@pytest.mark.parametrize(("returns", "expected"), cases(RETURNS, {"UPDATED_OLD": "update-returns"}))
def test_return_values(dynamodb: Target, returns: str, expected: Item | None) -> None:
    key = started(dynamodb)
    reply = dynamodb.update(
        "plain",
        key,
        "SET amount = amount + :one, #m.x = :five, fresh = :five REMOVE word",
        {":one": number(1), ":five": number(5)},
        ReturnValues=returns,
        ExpressionAttributeNames={"#m": "map"},
    )
    if expected is not None and returns.startswith("ALL"):
        expected = {**key, **expected}
    assert reply.get("Attributes") == expected


@differs("update-returns")
def test_updated_new_shows_an_attribute_whose_value_did_not_change(dynamodb: Target) -> None:
    key = started(dynamodb)
    reply = dynamodb.update("plain", key, "SET amount = :v", {":v": number(10)}, ReturnValues="UPDATED_NEW")
    assert reply["Attributes"] == {"amount": number(10)}


@differs("update-returns")
def test_updated_new_of_a_new_item_shows_no_key(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    reply = dynamodb.update("plain", key, "SET amount = :v", ONE, ReturnValues="UPDATED_NEW")
    assert reply["Attributes"] == {"amount": number(1)}


REFUSED: list[tuple[str, Item, str]] = [
    ("SET #m.absent.deeper = :v", ONE, "document path"),
    ("SET absent.deeper = :v", ONE, "document path"),
    ("SET word.deeper = :v", ONE, "document path"),
    ("SET #m[0] = :v", ONE, "document path"),
    ("SET #l.x = :v", ONE, "document path"),
    ("REMOVE absent.deeper", {}, "document path"),
    ("SET pk = :v", {":v": text("x")}, "part of the key"),
    ("REMOVE pk", {}, "part of the key"),
    ("SET a = :v, a = :v", ONE, "overlap"),
    ("SET #m = :v REMOVE #m.x", ONE, "overlap"),
    ("SET a.b = :v, a[0] = :v", ONE, "conflict"),
    ("SET a = :v SET b = :v", ONE, "only be used once"),
    ("SET a = absent", {}, "does not exist in the item"),
    ("SET a = absent + :v", ONE, "does not exist in the item"),
    ("SET a = word + :v", ONE, "incorrect data type"),
    ("SET a = amount + :v", {":v": text("1")}, "Incorrect operand type"),
    ("SET a = list_append(word, :v)", {":v": {"L": []}}, "incorrect data type"),
    ("SET a = list_append(#l, :v)", ONE, "Incorrect operand type"),
    ("ADD word :v", ONE, "incorrect data type"),
    ("ADD amount :v", {":v": text("1")}, "Incorrect operand type"),
    ("ADD words :v", {":v": {"NS": ["1"]}}, "incorrect data type"),
    ("DELETE words :v", {":v": {"NS": ["1"]}}, "incorrect data type"),
    ("DELETE amount :v", ONE, "Incorrect operand type"),
    ("SET a = :undefined", ONE, "not defined"),
    ("SET a = :v", {**ONE, ":w": number(2)}, "unused in expressions"),
    ("SET a :v", ONE, "Syntax error"),
    ("SET a = :v,", ONE, "Syntax error"),
    ("PUT a = :v", ONE, "Syntax error"),
    ("SET status = :v", ONE, "reserved keyword"),
    ("", {}, "can not be empty"),
    ("SET a = begins_with(a, :v)", ONE, "not allowed"),
    ("SET a = :empty", {":empty": {"SS": []}}, "may not be empty"),
    ("ADD amount :small", {":small": number("1E-40")}, "38 significant digits"),
]
REFUSED_DIFFERING = {
    **dict.fromkeys(["SET word.deeper = :v", "SET #l.x = :v", "SET #m = :v REMOVE #m.x"], "update-paths"),
    **dict.fromkeys(["SET a = :empty", "ADD amount :small"], "update-operands"),
}


@pytest.mark.parametrize(("expression", "values", "match"), cases(REFUSED, REFUSED_DIFFERING))
def test_is_refused_and_nothing_is_changed(dynamodb: Target, expression: str, values: Item, match: str) -> None:
    key = started(dynamodb)
    with dynamodb.refuses(match):
        dynamodb.update("plain", key, expression, values, **names_in(expression))
    assert unordered(dynamodb.get("plain", key)) == unordered({**key, **START})


@differs("index-key-type")
def test_an_index_key_keeps_its_type(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key()), "sk": text("a")}
    with dynamodb.refuses():
        dynamodb.update("indexed", key, "SET #o = :v", ONE, ExpressionAttributeNames={"#o": "owner"})
    with dynamodb.refuses():
        dynamodb.put("indexed", {**key, "owner": number(1)})
    with dynamodb.refuses():
        dynamodb.put("indexed", {**key, "kind": text("")})
    assert dynamodb.get("indexed", key) is None
