"""Conditions and filters: what is true of which item, and which expressions are refused."""

from __future__ import annotations

import pytest

from tests.contract.dynamodb.differences import cases, differs
from tests.contract.dynamodb.target import Item, Target, number, refused, text

ITEM: Item = {
    "word": text("charger"),
    "amount": number(5),
    "zero": number("0.0"),
    "live": {"BOOL": True},
    "nothing": {"NULL": True},
    "bytes_": {"B": b"\x01\x02\x03"},
    "words": {"SS": ["a", "b"]},
    "amounts": {"NS": ["1", "20"]},
    "list": {"L": [text("x"), number(7), {"M": {"deep": text("y")}}]},
    "map": {"M": {"nest": {"M": {"leaf": number(3)}}}},
}
S: Item = {":v": text("charger")}
FIVE: Item = {":v": number("5.00")}

TRUE_CASES: list[tuple[str, Item]] = [
    ("word = :v", S),
    ("amount = :v", FIVE),
    ("amount <= :v AND amount >= :v", FIVE),
    ("amount < :v", {":v": number(10)}),
    ("amount > :v", {":v": number("-10")}),
    ("amount <> :v", {":v": number(6)}),
    ("word < :v", {":v": text("charges")}),
    ("bytes_ < :v", {":v": {"B": b"\x01\x03"}}),
    ("zero = :v", {":v": number(0)}),
    ("live = :v", {":v": {"BOOL": True}}),
    ("words = :v", {":v": {"SS": ["b", "a"]}}),
    ("amounts = :v", {":v": {"NS": ["20.0", "1"]}}),
    ("#m = :v", {":v": {"M": {"nest": {"M": {"leaf": number("3.0")}}}}}),
    ("amount BETWEEN :a AND :b", {":a": number(5), ":b": number(5)}),
    ("word BETWEEN :a AND :b", {":a": text("a"), ":b": text("d")}),
    ("amount IN (:a, :b)", {":a": number(1), ":b": number(5)}),
    ("attribute_exists(word)", {}),
    ("attribute_exists(#m.nest.leaf)", {}),
    ("attribute_exists(#l[2].deep)", {}),
    ("attribute_not_exists(absent)", {}),
    ("attribute_not_exists(#l[9])", {}),
    ("attribute_not_exists(word.nest)", {}),
    ("attribute_type(amount, :v)", {":v": text("N")}),
    ("attribute_type(nothing, :v)", {":v": text("NULL")}),
    ("begins_with(word, :v)", {":v": text("char")}),
    ("begins_with(bytes_, :v)", {":v": {"B": b"\x01"}}),
    ("contains(word, :v)", {":v": text("arg")}),
    ("contains(bytes_, :v)", {":v": {"B": b"\x02\x03"}}),
    ("contains(words, :v)", S | {":v": text("a")}),
    ("contains(amounts, :v)", {":v": number("20.0")}),
    ("contains(#l, :v)", {":v": number("7.0")}),
    ("size(word) = :v", {":v": number(7)}),
    ("size(words) = :v", {":v": number(2)}),
    ("size(#l) > :v", {":v": number(2)}),
    ("size(bytes_) = :v", {":v": number(3)}),
    ("size(#m) = :v", {":v": number(1)}),
    ("#m.nest.leaf = :v", {":v": number(3)}),
    ("#l[1] = :v", {":v": number(7)}),
    ("NOT amount = :v", {":v": number(6)}),
    ("word = :w OR amount = :v", {":w": text("none"), ":v": number(5)}),
    ("word = :w OR word = :x AND amount = :v", {":w": text("charger"), ":x": text("n"), ":v": number(0)}),
    ("NOT (word = :w AND amount = :v)", {":w": text("charger"), ":v": number(0)}),
    (":v = amount", FIVE),
    ("amount < size(word)", {}),
]
FALSE_CASES: list[tuple[str, Item]] = [
    ("word = :v", FIVE),
    ("amount = :v", {":v": text("5")}),
    ("words = :v", {":v": {"SS": ["a"]}}),
    ("#l = :v", {":v": {"L": [text("x")]}}),
    ("attribute_type(amount, :v)", {":v": text("S")}),
    ("begins_with(word, :v)", {":v": text("harger")}),
    ("contains(words, :v)", {":v": text("c")}),
    ("contains(#l, :v)", {":v": text("deep")}),
    ("amount IN (:a, :b)", {":a": number(1), ":b": text("5")}),
    ("word = :w AND amount = :v", {":w": text("charger"), ":v": number(0)}),
    ("attribute_exists(#l[3])", {}),
    ("amount BETWEEN :a AND :b", {":a": number(6), ":b": number(9)}),
]
# Missing attributes and other types: false, and nothing breaks.
MISFIT_CASES: list[tuple[str, Item]] = [
    ("absent = :v", FIVE),
    ("absent < :v", FIVE),
    ("absent BETWEEN :a AND :b", {":a": number(1), ":b": number(9)}),
    ("absent IN (:v)", FIVE),
    ("begins_with(absent, :v)", S),
    ("contains(absent, :v)", S),
    ("size(absent) < :v", FIVE),
    ("size(amount) < :v", {":v": number(100)}),
    ("word < :v", FIVE),
    ("word BETWEEN :a AND :b", {":a": number(1), ":b": number(9)}),
    ("live < :v", FIVE),
    ("begins_with(amount, :v)", S),
    ("contains(amount, :v)", {":v": number(5)}),
    ("absent = another", {}),
    ("word < amount", {}),
]


TRUE_DIFFERING = dict.fromkeys(["begins_with(bytes_, :v)", "contains(bytes_, :v)"], "condition-binary")
MISFIT_DIFFERING = dict.fromkeys(
    [
        "size(absent) < :v",
        "size(amount) < :v",
        "word < :v",
        "word BETWEEN :a AND :b",
        "live < :v",
        "absent = another",
        "word < amount",
    ],
    "condition-misfit",
)


def _names(condition: str) -> dict[str, str] | None:
    names = {"#m": "map", "#l": "list"}
    return {name: names[name] for name in names if name in condition} or None


@pytest.mark.parametrize(("condition", "values"), cases(TRUE_CASES, TRUE_DIFFERING))
def test_is_true(dynamodb: Target, condition: str, values: Item) -> None:
    assert dynamodb.holds(ITEM, condition, values, _names(condition))


@pytest.mark.parametrize(("condition", "values"), cases(FALSE_CASES))
def test_is_false(dynamodb: Target, condition: str, values: Item) -> None:
    assert not dynamodb.holds(ITEM, condition, values, _names(condition))


@pytest.mark.parametrize(("condition", "values"), cases(MISFIT_CASES, MISFIT_DIFFERING))
def test_a_misfit_is_false(dynamodb: Target, condition: str, values: Item) -> None:
    assert not dynamodb.holds(ITEM, condition, values)


@pytest.mark.parametrize("condition", ["absent <> :v", "word <> :v"])
def test_unequal_is_true_of_a_missing_attribute_and_of_another_type(dynamodb: Target, condition: str) -> None:
    assert dynamodb.holds(ITEM, condition, FIVE)


REFUSED: list[tuple[str, Item, str]] = [
    ("word == :v", S, "Syntax error"),
    ("word = ", {}, "Syntax error"),
    ("word = :v AND", S, "Syntax error"),
    ("(word = :v", S, "Syntax error"),
    ("word", {}, "Syntax error"),
    ("", {}, "can not be empty"),
    ("status = :v", S, "reserved keyword"),
    ("exists(word)", {}, "Invalid function name"),
    ("begins_with(word)", {}, "Incorrect number of operands"),
    ("word = :undefined", S, "not defined"),
    ("#undefined = :v", S, "not defined"),
    ("attribute_exists(:v)", S, "requires a document path"),
    ("begins_with(word, :v)", FIVE, "Incorrect operand type"),
    ("amount < :v", {":v": {"BOOL": True}}, "Incorrect operand type"),
    ("attribute_type(word, :v)", {":v": text("STRING")}, "type"),
    ("amount BETWEEN :high AND :low", {":high": number(9), ":low": number(1)}, "upper bound"),
    ("amount BETWEEN :low AND :text", {":low": number(1), ":text": text("9")}, "same data type"),
    ("word = word", {}, "must be distinct"),
    ("((word = :v))", S, "redundant parentheses"),
    ("if_not_exists(word, :v)", S, "not allowed"),
]
REFUSED_DIFFERING = {
    **dict.fromkeys(
        [
            "word == :v",
            "word = ",
            "word = :v AND",
            "(word = :v",
            "word",
            "",
            "begins_with(word)",
            "word = :undefined",
            "#undefined = :v",
            "attribute_exists(:v)",
            "if_not_exists(word, :v)",
        ],
        "condition-syntax",
    ),
    **dict.fromkeys(
        [
            "begins_with(word, :v)",
            "amount < :v",
            "attribute_type(word, :v)",
            "amount BETWEEN :high AND :low",
            "amount BETWEEN :low AND :text",
            "word = word",
        ],
        "condition-operand-types",
    ),
}


@pytest.mark.parametrize(("condition", "values", "match"), cases(REFUSED, REFUSED_DIFFERING))
def test_is_refused_and_nothing_is_written(dynamodb: Target, condition: str, values: Item, match: str) -> None:
    key = {"pk": text(dynamodb.new_key())}
    given = {"ExpressionAttributeValues": values} if values else {}
    with dynamodb.refuses(match):
        dynamodb.put("plain", {**key, **ITEM}, ConditionExpression=condition, **given)
    assert dynamodb.get("plain", key) is None


@differs("unused-placeholders")
def test_unused_values_and_names_are_refused(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    with dynamodb.refuses("unused in expressions: keys: {:unused}"):
        dynamodb.put(
            "plain",
            key,
            ConditionExpression="attribute_not_exists(pk)",
            ExpressionAttributeValues={":unused": number(1)},
        )
    with dynamodb.refuses("unused in expressions: keys: {#unused}"):
        dynamodb.put(
            "plain",
            key,
            ConditionExpression="attribute_not_exists(pk)",
            ExpressionAttributeNames={"#unused": "a"},
        )


def test_a_condition_guards_the_first_put(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, "a": number(1)}, ConditionExpression="attribute_not_exists(pk)")
    with refused("ConditionalCheckFailedException") as caught:
        dynamodb.put("plain", {**key, "a": number(2)}, ConditionExpression="attribute_not_exists(pk)")
    assert isinstance(caught.value, dynamodb.client.exceptions.ConditionalCheckFailedException)
    assert "Item" not in caught.value.response
    assert dynamodb.get("plain", key) == {**key, "a": number(1)}


def test_a_failed_condition_shows_the_item_when_asked(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, "bytes_": {"B": b"bytes_"}})
    with refused("ConditionalCheckFailedException") as caught:
        dynamodb.update(
            "plain",
            key,
            "SET a = :a",
            {":a": number(1)},
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert caught.value.response["Item"] == {**key, "bytes_": {"B": b"bytes_"}}


@pytest.mark.parametrize("operation", ["update_item", "delete_item"])
def test_a_condition_on_a_missing_item_fails(dynamodb: Target, operation: str) -> None:
    key = {"pk": text(dynamodb.new_key())}
    with refused("ConditionalCheckFailedException"):
        getattr(dynamodb.client, operation)(
            TableName=dynamodb.table("plain"), Key=key, ConditionExpression="attribute_exists(pk)"
        )
    assert dynamodb.get("plain", key) is None
