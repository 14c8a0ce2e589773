"""Lists end, follow what they name, and take only a cursor that a list gave out."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.pages import MAX_EXAMINED, decode_cursor, encode_cursor, follow, page_of
from tests.unit.kernel.things import THINGS, Thing, ThingRow, key, put_things
from tests.world import World


def test_what_a_list_names_comes_in_its_order_with_its_places(things: World) -> None:
    count = 230
    for start in range(0, count, 50):
        things.commit(
            lambda uow, start=start: [uow.put(THINGS, Thing(f"t{n}")) for n in range(start, min(count, start + 50))]
        )
    names = [f"t{number}" for number in reversed(range(count))]
    names.insert(100, "gone")
    entries = ((name, {"S": {"at": str(at)}}) for at, name in enumerate(names))
    found = [(thing.thing_id, place["S"]["at"]) for thing, place in follow(things.ctx, entries, THINGS, key)]
    assert found == [(name, str(at)) for at, name in enumerate(names) if name != "gone"]


def test_a_filtered_list_pages_on_what_it_kept(things: World) -> None:
    put_things(things, *(Thing(f"t{number:02}", amount=number) for number in range(10)))

    def page(cursor: str | None) -> Any:
        steps = THINGS.walk(things.ctx, "ada", index=ThingRow.by_owner, cursor=cursor, chunk=3)
        return page_of(steps, 2, lambda thing: thing.amount % 3 == 0)

    one = page(None)
    two = page(one.next_cursor)
    assert [thing.amount for thing in one.data + two.data] == [0, 3, 6, 9]
    assert page(two.next_cursor).data == [] if two.next_cursor else True


def test_a_page_that_finds_nothing_stops_and_can_go_on() -> None:
    steps = ((number, {"pk": {"S": str(number)}}) for number in range(MAX_EXAMINED + 5))
    page = page_of(steps, 10, lambda number: number >= MAX_EXAMINED)
    assert page.data == []
    assert page.next_cursor is not None
    assert decode_cursor(page.next_cursor) == {"pk": {"S": str(MAX_EXAMINED - 1)}}


def test_cursors_go_there_and_back() -> None:
    place = {"pk": {"S": "a/ü"}, "sk": {"N": "1"}}
    cursor = encode_cursor(place)
    assert cursor is not None
    assert decode_cursor(cursor) == place
    assert encode_cursor(None) is encode_cursor({}) is None


NESTED = "W1tb" * 1_200
"""`[` some thousand times: longer is no address that API Gateway takes."""


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!!", "bnVsbA", "W10", "eyJhIjoxfQ", "eyJhIjp7fX0", "é", "e30", "/w", NESTED], ids=range(11)
)
def test_what_no_list_gave_out(cursor: str) -> None:
    with pytest.raises(DomainError) as caught:
        decode_cursor(cursor)
    assert caught.value.code == "cursor.invalid"
