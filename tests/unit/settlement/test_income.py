"""Income and balances as organisations read them: by day and month, settled and not, and who owes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.ledger.model import income_account, receivable_account
from tests.integration.money.paying import charge, found_fleet
from tests.settling import Books, open_books
from tests.site import Site
from tests.world import World


@pytest.fixture
def books(world: World) -> Books:
    """Two settled days and one that goes on: 10.00 and 3.00 by wallets, 2.00 by card, 5.00 in cash."""
    books = open_books(world)
    agency = books.agency()
    books.agree(PLATFORM_ID, percent=Decimal(10), vat_percent=Decimal(20), per_card_payment=5)
    books.agree(agency.organization_id, percent=Decimal(50))
    books.sell(1000, tax=160, agency_id=agency.organization_id)
    books.sell(200, "card")
    books.sleep()
    books.settle("2026-03-02")
    books.sell(300)
    books.take_cash(500)
    books.promise(40)
    books.sleep()
    books.settle("2026-03-03")
    books.sell(700)
    books.take_cash(100)
    return books


def get(books: Books, path: str, who: str = "", **query: Any) -> Any:
    world = books.world
    token = world.platform_admin() if who == "platform" else world.access_token(who or books.operator.user.email)
    reply = world.rest.get(path, token=token, query=query)
    assert reply.status == 200, reply.body
    return reply.body


def amounts(row: dict[str, Any]) -> dict[str, int]:
    return {name: value["amount"] for name, value in row.items() if isinstance(value, dict)}


def test_income_by_day(books: Books) -> None:
    income = get(books, "/v1/income", date_from="2026-03-01")
    first, second = income["rows"]
    assert (first["period"], first["sessions"], first["energy_wh"]) == ("2026-03-02", 2, 2000)
    assert amounts(first) == {
        "gross": 1200,
        "tax": 160,
        "wallets": 1000,
        "cards": 200,
        "invoiced": 0,
        "commission": 120,
        "fees": 5,
        "commission_tax": 25,
        "agency_shares": 500,
        "cash": 0,
        "promotions": 0,
        "net": 550,
    }
    assert amounts(second) | {"net": 0} == {
        "gross": 300,
        "tax": 0,
        "wallets": 300,
        "cards": 0,
        "invoiced": 0,
        "commission": 30,
        "fees": 0,
        "commission_tax": 6,
        "agency_shares": 0,
        "cash": 500,
        "promotions": 40,
        "net": 0,
    }
    assert second["net"]["amount"] == 300 - 36 - 500 - 40
    assert income["open"] == [{"sessions": 1, "energy_wh": 1000, "gross": {"amount": 700, "currency": "EUR"}}]
    assert income["open_complete"]


def test_a_month_is_the_sum_of_its_days(books: Books) -> None:
    by_day = get(books, "/v1/income", date_from="2026-03-01")
    by_month = get(books, "/v1/income", date_from="2026-03-01", by="month")
    [march] = by_month["rows"]
    assert march["period"] == "2026-03"
    assert [march | {"period": ""}] == by_day["totals"]
    assert march["gross"]["amount"] == 1500


def test_balance_says_what_can_be_had_and_what_is_to_come(books: Books) -> None:
    [balance] = get(books, "/v1/balances")["data"]
    assert amounts(balance) == {
        "balance": 550 - 276,
        "withdrawable": 274,
        "owed_to_platform": 0,
        "under_withdrawal": 0,
        "cash_not_settled": 100,
    }


def test_an_agency_reads_its_share_of_what_was_sold_at_its_places(books: Books) -> None:
    [row] = get(books, "/v1/income", "admin@agency.example")["rows"]
    assert (row["sessions"], row["gross"]["amount"], row["net"]["amount"]) == (1, 1000, 500)
    assert (row["wallets"], row["cards"], row["invoiced"]) == (None, None, None)  # its share does not know
    [share] = get(books, "/v1/income/shares", "admin@agency.example")["data"]
    assert (share["business_day"], share["kind"], share["share"]["amount"]) == ("2026-03-02", "agency_share", 500)
    [balance] = get(books, "/v1/balances", "admin@agency.example")["data"]
    assert balance["withdrawable"]["amount"] == 500


def test_the_platform_reads_its_commissions_and_who_owes(books: Books) -> None:
    shares = get(books, "/v1/income/shares", "platform")["data"]
    assert [(share["business_day"], share["share"]["amount"]) for share in shares] == [
        ("2026-03-03", 36),
        ("2026-03-02", 150),
    ]
    books.take_cash(5000)
    books.sleep()
    books.settle("2026-03-04")
    everybody = get(books, "/v1/balances", "platform")["data"]
    assert len(everybody) == 3
    [owing] = get(books, "/v1/balances", "platform", owing="true")["data"]
    assert (owing["organization_id"], owing["owed_to_platform"]["amount"]) == (books.operator_id, -books.owed())
    assert owing["withdrawable"]["amount"] == 0


def test_the_platforms_list_says_what_is_asked_for_and_leaves_out_what_it_does_not_count(books: Books) -> None:
    """0 would say that no cash was taken since."""
    rest, token = books.world.rest, books.world.access_token(books.operator.user.email)
    account = {"holder": "Operator", "number": "DE89370400440532013000"}
    path = f"/v1/organizations/{books.operator_id}"
    assert rest.patch(path, {"bank_account": account}, token=token).status == 200
    wish = {"amount": {"amount": 74, "currency": "EUR"}}
    assert rest.post("/v1/withdrawals", wish, token=token, key="all-of-it").status == 201
    [own] = get(books, "/v1/balances")["data"]
    listed: dict[str, Any] = {}
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = get(books, "/v1/balances", "platform", limit="1", **cursor)
        listed |= {row["organization_id"]: row for row in page["data"]}
        cursor = {"cursor": page["next_cursor"]}
    assert get(books, "/v1/balances", "platform")["data"] == list(listed.values())
    assert (own["under_withdrawal"]["amount"], own["cash_not_settled"]["amount"]) == (74, 100)
    assert listed[books.operator_id] == own | {"cash_not_settled": None}
    others = [
        row["under_withdrawal"]["amount"] for row in listed.values() if row["organization_id"] != own["organization_id"]
    ]
    assert others == [0, 0]


def test_what_is_owed_is_offset_by_the_next_days(books: Books) -> None:
    books.take_cash(5000)
    books.sleep()
    books.settle("2026-03-04")
    before = books.owed()
    books.sell(10_000)
    books.sleep()
    books.settle("2026-03-05")
    assert before < 0 < books.owed() == before + 10_000 - 1200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"date_from": "2026-03-05", "date_to": "2026-03-04"}, "income.span"),
        ({"date_from": "2020-01-01"}, "income.span"),
        ({"date_to": "0001-01-01"}, "day.distant"),
        ({"date_to": "9999-12-31", "by": "month"}, "day.distant"),
    ],
    ids=str,
)
def test_a_span_is_bounded(books: Books, query: dict[str, str], code: str) -> None:
    token = books.world.access_token(books.operator.user.email)
    assert books.world.rest.get("/v1/income", token=token, query=query).body["code"] == code


def test_nobody_reads_anothers_income(books: Books) -> None:
    other = books.world.operator()
    for path in ("/v1/income", "/v1/income/shares", "/v1/balances"):
        reply = books.world.rest.get(path, token=other.access_token, query={"organization_id": books.operator_id})
        assert reply.status == 404


def test_what_an_enterprise_used_and_owes(site: Site) -> None:
    fleet = found_fleet(site)
    charge(site, 2000)
    view = fleet.ask("GET", f"{fleet.path}/finance").body
    assert amounts(view) == {
        "credit_limit": 10_000,
        "free": 9_930,
        "used": 70,
        "open_amount": 0,
        "overdue_amount": 0,
        "not_invoiced": 70,
    }
    site.advance(60 * 24 * 31)
    fleet.draw_up()
    view = fleet.ask("GET", f"{fleet.path}/finance").body
    assert (view["open_invoices"], view["open_amount"]["amount"], view["not_invoiced"]["amount"]) == (1, 70, 0)
    site.advance(60 * 24 * 31)
    assert fleet.ask("GET", f"{fleet.path}/finance").body["overdue_amount"]["amount"] == 70


def test_operators_read_what_enterprises_owe_in_the_ledger(books: Books) -> None:
    books.sell(900, "enterprise")
    books.sleep()
    books.settle("2026-03-04")
    account_id = receivable_account(books.operator_id, "EUR")
    [entry] = get(books, "/v1/ledger/entries", account_id=account_id)["data"]
    assert entry["amount"]["amount"] == 900
    other = books.world.operator()
    query = {"account_id": income_account(books.operator_id, "EUR"), "business_day": "2026-03-04"}
    assert books.world.rest.get("/v1/ledger/entries", token=other.access_token, query=query).status == 404


def test_what_is_not_settled_for_long_is_told_as_at_least_so_much(world: World) -> None:
    """Disputed days count as open; of very many the newest are counted."""
    books = open_books(world)
    for _ in range(9):
        books.sell(100)
        books.sleep()
    income = get(books, "/v1/income")
    assert (income["open"][0]["gross"]["amount"], income["open_complete"]) == (600, False)
    for day in range(2, 7):
        books.settle(f"2026-03-{day:02d}")
    income = get(books, "/v1/income")
    assert (income["open"][0]["gross"]["amount"], income["open_complete"]) == (400, True)
