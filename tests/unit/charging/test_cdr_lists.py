"""CDRs of several business days as one list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.settling import Books, open_books
from tests.world import Reply, World


@pytest.fixture
def books(world: World) -> Books:
    """Three on the first day, none on the second, one each on the third and the fourth."""
    books = open_books(world)
    for day in ("2026-03-02", "2026-03-02", "2026-03-02", "2026-03-04", "2026-03-05"):
        world.advance(1)  # ids of one millisecond have no order
        books.sell(100, day=day)
    return books


def ask(books: Books, **query: Any) -> Reply:
    return books.world.rest.get("/v1/cdrs", token=books.operator.access_token, query=query)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 50])
def test_pages_go_on_over_the_days(books: Books, limit: int) -> None:
    query: dict[str, Any] = {"date_from": "2026-03-01", "date_to": "2026-03-05", "limit": limit}
    found: list[str] = []
    while True:
        body = ask(books, **query).body
        assert len(body["data"]) <= limit
        found += [cdr["cdr_id"] for cdr in body["data"]]
        if not body["has_more"]:
            break
        query["cursor"] = body["next_cursor"]
    assert found == [cdr.cdr_id for cdr in books.sold]


def test_one_day_or_from_day_to_day(books: Books) -> None:
    assert len(ask(books, business_day="2026-03-02").body["data"]) == 3
    assert len(ask(books, date_from="2026-03-04", date_to="2026-03-05").body["data"]) == 2
    for query in (
        {},
        {"date_from": "2026-03-01"},
        {"date_from": "2026-03-02", "date_to": "2026-03-01"},
        {"date_from": "2026-03-02", "date_to": "2026-06-02"},
        {"date_from": "2026-03-01", "date_to": "2026-03-05", "business_day": "2026-03-02"},
    ):
        reply = ask(books, **query)
        assert (reply.status, reply.body["code"]) == (422, "cdrs.days"), query
    assert ask(books, date_from="9999-12-31", date_to="9999-12-31").body["code"] == "day.distant"


def test_a_cursor_of_another_list_is_refused(books: Books) -> None:
    span = {"date_from": "2026-03-02", "date_to": "2026-03-05"}
    inside = ask(books, **span, limit=1).body["next_cursor"]
    at_begin = ask(books, **span, limit=3).body["next_cursor"]
    for cursor in (inside, at_begin):
        assert ask(books, business_day="2026-03-05", cursor=cursor).body["code"] == "cursor.invalid"
