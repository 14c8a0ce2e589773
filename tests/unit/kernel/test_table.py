"""The data layer: what goes in comes out, and reads find what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import encode_cursor
from chalicelib.kernel.table import actions_of, first
from infra.local import aws_hooks
from tests.unit.kernel.things import NAME, THINGS, ByOwner, Thing, ThingRow, key, put_things, stored
from tests.world import World

FULL = Thing(
    "t1",
    amount=7,
    price=Money(-493, "EUR"),
    ratio=Decimal("0.10"),
    made_at=datetime(2026, 1, 31, 23, 59, 59, 999_000, tzinfo=UTC),
    is_good=False,
    parts=["a", "ü"],
    note="",
)


def test_what_goes_in_comes_out(things: World) -> None:
    put_things(things, FULL, Thing("t2"))
    assert stored(things, "t1") == FULL
    assert stored(things, "t2") == Thing("t2")
    assert stored(things, "t3") is None


def test_none_is_not_stored_and_extras_are(things: World) -> None:
    assert THINGS.to_item(Thing("t2")).keys().isdisjoint({"note", "price", "ratio", "expires_at"})
    item = THINGS.to_item(FULL)
    assert item["expires_at"] == {"N": "7"}
    assert item["n"] == {"N": "7"}
    assert item["made_at"] == {"S": "2026-01-31T23:59:59.999Z"}
    assert item["price"] == {"S": "-493 EUR"}
    assert isinstance(THINGS.from_item(item).amount, int)


def test_only_what_is_named_is_set_and_none_removes(things: World) -> None:
    put_things(things, FULL)
    changes = {"owner": "bob", "note": None}
    things.commit(lambda uow: uow.update(THINGS, key("t1"), actions_of(ThingRow, changes)))
    assert stored(things, "t1") == replace(FULL, owner="bob", note=None)


def test_rows_of_several_kinds_are_read_at_once(things: World) -> None:
    put_things(things, FULL, Thing("t2"), Thing("t3"))
    items = THINGS.query_items(things.ctx, "things", ThingRow.sk.between("t1", "t2"))
    assert {sk: THINGS.from_item(item) for sk, item in items.items()} == {"t1": FULL, "t2": Thing("t2")}


def test_pages_follow_each_other_without_gap_or_repeat(things: World) -> None:
    put_things(things, *(Thing(f"t{number}") for number in range(7)))
    seen, cursor = [], None
    for _ in range(4):
        page = THINGS.query(things.ctx, "things", limit=2, cursor=cursor)
        seen += [thing.thing_id for thing in page.data]
        cursor = page.next_cursor
    assert seen == [f"t{number}" for number in range(7)]
    assert cursor is None
    assert [t.thing_id for t in THINGS.query_all(things.ctx, "things", limit=3)] == seen
    assert [t.thing_id for t in THINGS.query(things.ctx, "things", newest_first=True, limit=2).data] == ["t6", "t5"]
    between = THINGS.query(things.ctx, "things", ThingRow.sk.between("t2", "t4"), where=ThingRow.thing_id != "t3")
    assert [t.thing_id for t in between.data] == ["t2", "t4"]


def test_an_index_of_keys_leads_to_whole_rows(things: World) -> None:
    put_things(things, Thing("t1", note="first"), Thing("t2", owner="bob"), Thing("t3", note="third"))
    steps = THINGS.walk(things.ctx, "ada", index=ThingRow.by_owner)
    assert [(thing.thing_id, thing.note) for thing, _ in steps] == [("t1", "first"), ("t3", "third")]
    later = THINGS.walk(things.ctx, "ada", ByOwner.thing_id > "t1", index=ThingRow.by_owner)
    assert [thing.thing_id for thing, _ in later] == ["t3"]


def test_a_batch_keeps_the_order_it_was_asked_in(things: World) -> None:
    put_things(things, Thing("t1"), Thing("t2"))
    found = THINGS.batch_get(things.ctx, [key("t2"), key("gone"), key("t1")])
    assert [thing.thing_id for thing in found] == ["t2", "t1"]
    assert THINGS.batch_get(things.ctx, []) == []


def test_a_batch_of_more_than_a_hundred(things: World) -> None:
    put_things(things, *(Thing(f"t{number:03}") for number in range(120)))
    found = THINGS.batch_get(things.ctx, [key(f"t{number:03}") for number in reversed(range(120))])
    assert [thing.thing_id for thing in found] == [f"t{number:03}" for number in reversed(range(120))]


def test_a_batch_that_is_answered_in_parts_and_one_that_never_ends(things: World) -> None:
    put_things(things, Thing("t1"), Thing("t2"))
    answered_per_call = 1

    def in_parts(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation != "BatchGetItem":
            return things.engine.execute(operation, request)
        keys = request["RequestItems"][NAME]["Keys"]
        now, later = keys[:answered_per_call], keys[answered_per_call:]
        answer = things.engine.execute(operation, {"RequestItems": {NAME: {"Keys": now}}}) if now else {"Responses": {}}
        return {**answer, "UnprocessedKeys": {NAME: {"Keys": later}} if later else {}}

    restore = aws_hooks.register("dynamodb", in_parts)
    try:
        assert [t.thing_id for t in THINGS.batch_get(things.ctx, [key("t1"), key("t2")])] == ["t1", "t2"]
        answered_per_call = 0
        with pytest.raises(DomainError) as caught:
            THINGS.batch_get(things.ctx, [key("t1")])
        assert caught.value.code == "store.busy"
    finally:
        restore()


def test_a_scan_finds_what_satisfies(things: World) -> None:
    put_things(things, Thing("t1", amount=1), Thing("t2", amount=2), Thing("t3"))
    assert {t.thing_id for t in THINGS.scan_all(things.ctx)} == {"t1", "t2", "t3"}
    assert {t.thing_id for t in THINGS.scan_all(things.ctx, ThingRow.amount > 1)} == {"t2"}
    assert {t.thing_id for t in THINGS.scan_all(things.ctx, ThingRow.expires_at.does_not_exist())} == {"t3"}


@pytest.mark.parametrize(
    "place",
    [
        {"pk": {"S": "others"}, "sk": {"S": "t1"}},
        {"pk": {"S": "things"}},
        {"pk": {"S": "things"}, "sk": {"N": "1"}},
        {"pk": {"S": "things"}, "sk": {"S": "t1"}, "owner": {"S": "ada"}},
    ],
)
def test_the_cursor_of_another_list_is_the_caller_s_mistake(things: World, place: dict[str, Any]) -> None:
    put_things(things, Thing("t1"), Thing("t2"))
    for read in (
        lambda cursor: THINGS.query(things.ctx, "things", cursor=cursor),
        lambda cursor: list(THINGS.walk(things.ctx, "things", cursor=cursor)),
    ):
        with pytest.raises(DomainError) as caught:
            read(encode_cursor(place))
        assert caught.value.code == "cursor.invalid"


@pytest.mark.parametrize("impossible", ["", "x" * 2049, "é" * 1025])
def test_nothing_is_stored_under_a_key_that_no_row_can_have(things: World, impossible: str) -> None:
    """People may ask for any id; DynamoDB fails such a read instead of finding nothing."""
    assert THINGS.get(things.ctx, impossible, "thing") is None
    assert THINGS.get(things.ctx, "thing", impossible) is None
    assert THINGS.query(things.ctx, impossible).data == []
    assert list(THINGS.walk(things.ctx, impossible)) == []
    assert THINGS.get(things.ctx, "é" * 1024, "é" * 512) is None


def test_first() -> None:
    assert first([1, 2]) == 1
    assert first(iter(())) is None
