"""Query and Scan: ranges, order, paging, filters, projections, segments, 1 MB pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.dynamodb.differences import cases, differs
from tests.contract.dynamodb.target import Item, Target, number, text

WORDS = ["apple", "apricot", "banana", "cherry", "Überfluss", "éclair", "漢字"]


def shelf(dynamodb: Target) -> Item:
    """A partition of `texts` with WORDS as sort keys; its key."""
    pk = text(dynamodb.new_key())
    for position, word in enumerate(WORDS):
        dynamodb.put("texts", {"pk": pk, "sk": text(word), "position": number(position)})
    return pk


def words(reply: Any) -> list[str]:
    return [item["sk"]["S"] for item in reply["Items"]]


RANGES: list[tuple[str, Item, list[str]]] = [
    ("pk = :pk", {}, ["apple", "apricot", "banana", "cherry", "Überfluss", "éclair", "漢字"]),
    ("pk = :pk AND sk = :a", {":a": text("banana")}, ["banana"]),
    ("pk = :pk AND sk < :a", {":a": text("banana")}, ["apple", "apricot"]),
    ("pk = :pk AND sk <= :a", {":a": text("banana")}, ["apple", "apricot", "banana"]),
    ("pk = :pk AND sk > :a", {":a": text("cherry")}, ["Überfluss", "éclair", "漢字"]),
    ("pk = :pk AND sk >= :a", {":a": text("éclair")}, ["éclair", "漢字"]),
    ("pk = :pk AND sk BETWEEN :a AND :b", {":a": text("apz"), ":b": text("cherry")}, ["banana", "cherry"]),
    ("pk = :pk AND begins_with(sk, :a)", {":a": text("ap")}, ["apple", "apricot"]),
    ("pk = :pk AND begins_with(sk, :a)", {":a": text("漢")}, ["漢字"]),
    ("(pk = :pk) AND (sk = :a)", {":a": text("none")}, []),
    ("sk = :a AND pk = :pk", {":a": text("apple")}, ["apple"]),
    (":pk = pk AND :a > sk", {":a": text("apricot")}, ["apple"]),
]


@pytest.mark.parametrize(("condition", "values", "expected"), cases(RANGES, {":pk = pk AND :a > sk": "key-condition"}))
def test_ranges_come_in_the_order_of_their_bytes(
    dynamodb: Target, condition: str, values: Item, expected: list[str]
) -> None:
    pk = shelf(dynamodb)
    assert words(dynamodb.query("texts", condition, {":pk": pk, **values})) == sorted(expected, key=str.encode)
    backwards = dynamodb.query("texts", condition, {":pk": pk, **values}, ScanIndexForward=False)
    assert words(backwards) == sorted(expected, key=str.encode, reverse=True)


def test_binary_sort_keys(dynamodb: Target) -> None:
    pk = text(dynamodb.new_key())
    keys = [b"\x00", b"\x01\xff", b"\x01\xff\x00", b"\x7f", b"\xff", b"\xff\xff"]
    for key in reversed(keys):
        dynamodb.put("binaries", {"pk": pk, "sk": {"B": key}})
    reply = dynamodb.query("binaries", "pk = :pk", {":pk": pk})
    assert [item["sk"]["B"] for item in reply["Items"]] == keys
    tail = dynamodb.query("binaries", "pk = :pk AND begins_with(sk, :a)", {":pk": pk, ":a": {"B": b"\xff"}})
    assert [item["sk"]["B"] for item in tail["Items"]] == [b"\xff", b"\xff\xff"]


@pytest.mark.parametrize("forward", [True, False])
def test_pages_join_without_gap_or_overlap(dynamodb: Target, forward: bool) -> None:
    pk = shelf(dynamodb)
    found: list[str] = []
    more: dict[str, Any] = {}
    for _ in range(10):
        reply = dynamodb.query("texts", "pk = :pk", {":pk": pk}, Limit=3, ScanIndexForward=forward, **more)
        found += words(reply)
        if "LastEvaluatedKey" not in reply:
            break
        more = {"ExclusiveStartKey": reply["LastEvaluatedKey"]}
    assert found == sorted(WORDS, key=str.encode, reverse=not forward)


@differs("last-key-at-limit")
def test_a_page_that_ends_with_the_last_item_still_has_a_last_key(dynamodb: Target) -> None:
    pk = shelf(dynamodb)
    reply = dynamodb.query("texts", "pk = :pk", {":pk": pk}, Limit=len(WORDS))
    assert reply["LastEvaluatedKey"] == {"pk": pk, "sk": text(max(WORDS, key=str.encode))}
    after = dynamodb.query("texts", "pk = :pk", {":pk": pk}, ExclusiveStartKey=reply["LastEvaluatedKey"])
    assert after["Items"] == []
    assert "LastEvaluatedKey" not in after


def test_the_filter_comes_after_the_limit(dynamodb: Target) -> None:
    pk = shelf(dynamodb)
    reply = dynamodb.query(
        "texts",
        "pk = :pk",
        {":pk": pk, ":p": number(2)},
        Limit=2,
        FilterExpression="#p >= :p",
        ExpressionAttributeNames={"#p": "position"},
    )
    assert (reply["Count"], reply["ScannedCount"], reply["Items"]) == (0, 2, [])
    assert reply["LastEvaluatedKey"] == {"pk": pk, "sk": text("apricot")}


def test_count_counts_and_shows_nothing(dynamodb: Target) -> None:
    pk = shelf(dynamodb)
    reply = dynamodb.query(
        "texts",
        "pk = :pk",
        {":pk": pk, ":p": number(2)},
        Select="COUNT",
        FilterExpression="#p >= :p",
        ExpressionAttributeNames={"#p": "position"},
    )
    assert (reply["Count"], reply["ScannedCount"]) == (5, 7)
    assert "Items" not in reply


def test_a_projection_shows_what_it_names(dynamodb: Target) -> None:
    pk = shelf(dynamodb)
    reply = dynamodb.query(
        "texts",
        "pk = :pk AND sk = :a",
        {":pk": pk, ":a": text("apple")},
        ProjectionExpression="#p",
        ExpressionAttributeNames={"#p": "position"},
    )
    assert reply["Items"] == [{"position": number(0)}]


def test_a_page_holds_1_mb(dynamodb: Target) -> None:
    pk = text(dynamodb.new_key())
    for letter in "abcdef":
        dynamodb.put("texts", {"pk": pk, "sk": text(letter), "fill": text("x" * 300_000)})
    first = dynamodb.query("texts", "pk = :pk", {":pk": pk})
    assert words(first) == ["a", "b", "c"]
    second = dynamodb.query("texts", "pk = :pk", {":pk": pk}, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert words(second) == ["d", "e", "f"]


REFUSED: list[tuple[str, str, Item, dict[str, Any]]] = [
    ("no-partition", "sk = :a", {}, {}),
    ("range-of-partitions", "pk > :a", {}, {}),
    ("or", "pk = :a OR sk = :a", {}, {}),
    ("another-attribute", "pk = :a AND another = :a", {}, {}),
    ("unequal", "pk = :a AND sk <> :a", {}, {}),
    ("contains", "pk = :a AND contains(sk, :a)", {}, {}),
    ("three-tests", "pk = :a AND sk = :a AND sk > :a", {}, {}),
    ("sort-key-type", "pk = :a AND sk = :n", {":n": number(1)}, {}),
    ("partition-key-type", "pk = :n AND sk = :a", {":n": number(1)}, {}),
    ("undefined-value", "pk = :a AND sk = :undefined", {}, {}),
    ("inverted-bounds", "pk = :a AND sk BETWEEN :high AND :low", {":high": text("b"), ":low": text("a")}, {}),
    ("filter-on-key", "pk = :a", {}, {"FilterExpression": "sk = :a"}),
    ("specific-without-projection", "pk = :a", {}, {"Select": "SPECIFIC_ATTRIBUTES"}),
    ("count-with-projection", "pk = :a", {}, {"Select": "COUNT", "ProjectionExpression": "a"}),
    ("unknown-index", "pk = :a", {}, {"IndexName": "no-such-index"}),
    ("half-a-start", "pk = :a", {}, {"ExclusiveStartKey": {"pk": text("x")}}),
    ("start-elsewhere", "pk = :a", {}, {"ExclusiveStartKey": {"pk": text("other"), "sk": text("x")}}),
    ("empty-key", "pk = :a AND sk = :empty", {":empty": text("")}, {}),
    ("unused-value", "pk = :a", {":unused": text("y")}, {}),
]
REFUSED_DIFFERING = {
    **dict.fromkeys(
        [
            "or",
            "unequal",
            "three-tests",
            "sort-key-type",
            "partition-key-type",
            "inverted-bounds",
            "filter-on-key",
            "half-a-start",
            "start-elsewhere",
        ],
        "key-condition",
    ),
    "unknown-index": "unknown-index",
    "unused-value": "unused-placeholders",
}


@pytest.mark.parametrize(("case", "condition", "values", "more"), cases(REFUSED, REFUSED_DIFFERING))
def test_is_refused(dynamodb: Target, case: str, condition: str, values: Item, more: dict[str, Any]) -> None:
    with dynamodb.refuses():
        dynamodb.query("texts", condition, {":a": text("x"), **values}, **more)


def test_scan_sees_everything_once(dynamodb: Target) -> None:
    table = dynamodb.new_table("texts")
    keys = {(f"p{number_ % 7}", f"s{number_:02d}") for number_ in range(40)}
    for pk, sk in keys:
        dynamodb.client.put_item(TableName=table, Item={"pk": text(pk), "sk": text(sk)})
    pages = dynamodb.client.get_paginator("scan").paginate(TableName=table, PaginationConfig={"PageSize": 9})
    found = [(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]]
    assert len(found) == len(keys)
    assert set(found) == keys
    segments = [
        {(item["pk"]["S"], item["sk"]["S"]) for item in _segment(dynamodb, table, segment)["Items"]}
        for segment in range(3)
    ]
    assert set.union(*segments) == keys
    assert sum(map(len, segments)) == len(keys)
    counted = dynamodb.client.scan(
        TableName=table,
        Select="COUNT",
        FilterExpression="pk = :p",
        ExpressionAttributeValues={":p": text("p1")},
    )
    assert (counted["Count"], counted["ScannedCount"]) == (6, 40)


def _segment(dynamodb: Target, table: str, segment: int) -> Any:
    return dynamodb.client.scan(TableName=table, Segment=segment, TotalSegments=3)


@pytest.mark.parametrize("more", [{"Segment": 3, "TotalSegments": 3}, {"Segment": 0}, {"TotalSegments": 2}])
def test_segments_that_do_not_fit_are_refused(dynamodb: Target, more: dict[str, int]) -> None:
    with dynamodb.refuses():
        dynamodb.client.scan(TableName=dynamodb.table("texts"), **more)
