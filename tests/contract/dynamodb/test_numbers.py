"""Numbers: 38 exact digits, canonical text, numeric order of keys."""

from __future__ import annotations

import pytest

from tests.contract.dynamodb.differences import cases
from tests.contract.dynamodb.target import Target, number, text

CANONICAL = [
    ("0", "0"),
    ("-0.0", "0"),
    ("007", "7"),
    ("1.50", "1.5"),
    ("1E3", "1000"),
    ("12E-4", "0.0012"),
    ("+5", "5"),
    (".5", "0.5"),
    ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
    ("-1.2345678901234567890123456789012345678", "-1.2345678901234567890123456789012345678"),
    ("9.9E125", "99" + "0" * 124),
]


CANONICAL_DIFFERING = dict.fromkeys(["-0.0", "007", "1.50", "1E3", "12E-4", "+5", ".5", "9.9E125"], "canonical-numbers")
BEYOND = ["1_000", "1" * 39, "1.00000000000000000000000000000000000001", "1E126"]
NO_NUMBERS = ["", "abc", "NaN", "Infinity", "1E-131", *BEYOND]


@pytest.mark.parametrize(("given", "stored"), cases(CANONICAL, CANONICAL_DIFFERING))
def test_is_stored_in_canonical_form(dynamodb: Target, given: str, stored: str) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, "a": number(given)})
    item = dynamodb.get("plain", key)
    assert item is not None
    assert item["a"] == number(stored)


@pytest.mark.parametrize("given", cases([(given,) for given in NO_NUMBERS], dict.fromkeys(BEYOND, "number-range")))
def test_what_is_no_such_number_is_refused(dynamodb: Target, given: str) -> None:
    with dynamodb.refuses():
        dynamodb.put("plain", {"pk": text(dynamodb.new_key()), "a": number(given)})


def test_sums_are_exact(dynamodb: Target) -> None:
    key = {"pk": text(dynamodb.new_key())}
    dynamodb.put("plain", {**key, "a": number("99999999999999999999999999999999999998")})
    dynamodb.update("plain", key, "ADD a :v", {":v": number(1)})
    dynamodb.update("plain", key, "SET b = :x + :y", {":x": number("0.1"), ":y": number("0.2")})
    assert dynamodb.get("plain", key) == {
        **key,
        "a": number("99999999999999999999999999999999999999"),
        "b": number("0.3"),
    }


def test_number_keys_sort_as_numbers(dynamodb: Target) -> None:
    pk = text(dynamodb.new_key())
    ascending = ["-1E10", "-123", "-12.5", "-12", "-0.002", "-0.001", "0", "1E-7", "0.5", "2", "10", "100.25", "1E9"]
    for value in sorted(ascending):
        dynamodb.put("numbers", {"pk": pk, "sk": number(value), "given": text(value)})
    reply = dynamodb.query("numbers", "pk = :pk", {":pk": pk})
    assert [item["given"]["S"] for item in reply["Items"]] == ascending
    between = dynamodb.query(
        "numbers", "pk = :pk AND sk BETWEEN :a AND :b", {":pk": pk, ":a": number(-12), ":b": number("0.50")}
    )
    assert [item["given"]["S"] for item in between["Items"]] == ["-12", "-0.002", "-0.001", "0", "1E-7", "0.5"]


def test_equal_numbers_are_one_key(dynamodb: Target) -> None:
    pk = text(dynamodb.new_key())
    dynamodb.put("numbers", {"pk": pk, "sk": number("1.0"), "a": number(1)})
    dynamodb.put("numbers", {"pk": pk, "sk": number("1"), "a": number(2)})
    assert dynamodb.get("numbers", {"pk": pk, "sk": number("10E-1")}) == {"pk": pk, "sk": number(1), "a": number(2)}
    assert dynamodb.query("numbers", "pk = :pk", {":pk": pk})["Count"] == 1
