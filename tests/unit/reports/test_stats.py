"""Figures of an operator: settled days from statements, the others from CDRs, all of them what was sold."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.reports import service
from chalicelib.reports.model import Figures, Place, TopUps, by_period, period_of, periods_between
from tests.settling import Books, open_books
from tests.world import Reply, World


@pytest.fixture
def books(world: World) -> Books:
    """A day that is settled and one that goes on: 10.00, 2.00 by card, 3.00 of which 1.00 was too much."""
    books = open_books(world)
    books.sell(1000, tax=160)
    books.sell(200, "card")
    books.sleep()
    books.settle("2026-03-02")
    books.correct(books.sell(300), 200)
    return books


def ask(books: Books, what: str = "summary", who: str = "", **query: Any) -> Reply:
    token = books.world.access_token(who or books.operator.user.email)
    return books.world.rest.get(f"/v1/stats/{what}", token=token, query=query)


def totals(books: Books, who: str = "", **query: Any) -> dict[str, int]:
    reply = ask(books, who=who, **query)
    assert reply.status == 200, reply.body
    [euro] = reply.body["totals"]
    amounts = {name: value["amount"] for name, value in euro.items() if name != "topups" and isinstance(value, dict)}
    return amounts | {"sessions": euro["sessions"], "energy_wh": euro["energy_wh"]}


def test_the_month_so_far_settled_or_not(books: Books) -> None:
    reply = ask(books)
    assert (reply.body["date_from"], reply.body["date_to"]) == ("2026-03-01", "2026-03-03")
    assert totals(books) == {
        "gross": 1400,
        "tax": 160,
        "without_tax": 1240,
        "wallets": 1200,
        "cards": 200,
        "invoiced": 0,
        "uncollected": 0,
        "corrections": -100,
        "sessions": 3,
        "energy_wh": 3000,
    }


def test_settling_a_day_changes_no_figure(books: Books) -> None:
    before = totals(books)
    books.sleep()
    books.settle("2026-03-03")
    assert totals(books) == before


def test_what_gets_onto_a_settled_day_counts_with_its_supplement(books: Books) -> None:
    books.sleep()
    books.settle("2026-03-03")
    before = totals(books)
    books.sell(50, day="2026-03-03")
    assert totals(books) == before
    books.sleep()
    books.settle("2026-03-04")
    books.settle("2026-03-03", number=2)
    after = totals(books)
    assert (after["gross"], after["sessions"]) == (before["gross"] + 50, before["sessions"] + 1)


def test_a_late_correction_counts_on_its_own_day(books: Books) -> None:
    books.sleep()
    books.settle("2026-03-03")
    books.correct(books.sold[0], 400)
    days = ask(books, "timeseries", date_from="2026-03-02").body["periods"]
    figures = [(day["totals"][0]["gross"]["amount"], day["totals"][0]["corrections"]["amount"]) for day in days]
    assert figures == [(1200, 0), (200, -100), (-600, -600)]
    assert [day["totals"][0]["sessions"] for day in days] == [2, 1, 0]


def test_settled_days_are_read_from_statements_alone(books: Books) -> None:
    books.sleep()
    books.settle("2026-03-03")
    assert gross(books, Place(), most=0) == 1400
    assert gross(books, Place(charger_ids=frozenset({"CP-1"})), most=5) == 1400
    with pytest.raises(DomainError, match="one by one"):
        gross(books, Place(charger_ids=frozenset({"CP-2"})), most=4)
    books.sell(1)
    assert gross(books, Place(), most=1) == 1401
    with pytest.raises(DomainError, match="one by one"):
        gross(books, Place(), most=0)


def gross(books: Books, place: Place, most: int) -> int:
    organization = books.operator.organization
    days = (date(2026, 3, 1), date(2026, 3, 4))
    found = service.figures_of_days(books.world.ctx, organization, *days, place, most=most)
    return sum(figures["EUR"].gross for _, figures in found if figures)


def test_by_day_week_and_month(books: Books) -> None:
    days = ask(books, "timeseries", date_from="2026-03-01", date_to="2026-03-03").body["periods"]
    assert [day["period"] for day in days] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert [[line["gross"]["amount"] for line in day["totals"]] for day in days] == [[], [1200], [200]]
    weeks = ask(books, "timeseries", by="week", date_from="2026-02-23", date_to="2026-03-03").body["periods"]
    assert [week["period"] for week in weeks] == ["2026-W09", "2026-W10"]
    assert weeks[1]["totals"][0]["gross"]["amount"] == 1400
    months = ask(books, "timeseries", by="month").body["periods"]
    assert [months[0]["period"], months[-1]["period"], len(months)] == ["2025-03", "2026-03", 13]
    assert months[-1]["totals"][0]["sessions"] == 3


@pytest.mark.parametrize(
    ("what", "query", "code"),
    [
        ("summary", {"date_from": "2016-01-01", "date_to": "2026-03-03"}, "stats.span"),
        ("summary", {"date_from": "2026-03-04", "date_to": "2026-03-03"}, "stats.span"),
        ("summary", {"date_from": "9999-12-31", "date_to": "9999-12-31"}, "day.distant"),
        ("timeseries", {"date_from": "2025-01-01", "date_to": "2026-03-03"}, "stats.too_many_periods"),
    ],
)
def test_spans_are_bounded(books: Books, what: str, query: dict[str, str], code: str) -> None:
    reply = ask(books, what, **query)
    assert (reply.status, reply.body["code"]) == (422, code)


def test_the_platform_names_the_operator(books: Books) -> None:
    token = books.world.platform_admin()
    path = "/v1/stats/summary"
    assert books.world.rest.get(path, token=token).body["code"] == "operator_id.missing"
    reply = books.world.rest.get(path, token=token, query={"operator_id": books.operator_id})
    assert reply.body["totals"][0]["gross"]["amount"] == 1400
    other = books.world.operator("Other")
    reply = books.world.rest.get(path, token=other.access_token, query={"operator_id": books.operator_id})
    assert reply.status == 404
    [nothing] = books.world.rest.get(path, token=other.access_token).body["totals"]
    assert (nothing["currency"], nothing["gross"]["amount"]) == ("EUR", 0)


def test_an_agency_sees_what_was_sold_at_its_locations(books: Books) -> None:
    books.agency()
    reply = ask(books, who="admin@agency.example", date_from="2026-03-02")
    assert (reply.status, reply.body["totals"][0]["sessions"], reply.body["totals"][0]["topups"]) == (200, 0, None)


def test_names_of_stretches() -> None:
    assert period_of("2027-01-01", "week") == "2026-W53"
    assert periods_between(date(2026, 12, 31), date(2027, 1, 1), "week") == ["2026-W53"]
    days = [("2026-12-31", {"EUR": Figures(gross=1)}), ("2027-01-01", {"EUR": Figures(gross=2)})]
    assert by_period(days, "week") == {"2026-W53": {"EUR": Figures(gross=3)}}
    assert by_period(days, "month") == {"2026-12": {"EUR": Figures(gross=1)}, "2027-01": {"EUR": Figures(gross=2)}}
    total = TopUps(1, 500)
    total.add(TopUps(1, 1000, 100))
    assert total == TopUps(2, 1500, 100)
