"""What no withdrawal passes: one person alone, debts in whatever currency, and lists that would not be true."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.settlement import service
from chalicelib.settlement.store.common import organization_pk
from chalicelib.settlement.store.runs import RECEIVED, ReceivedRow
from tests.settling import Books, open_books
from tests.world import Reply, World

DAY = "2026-03-02"
ACCOUNT = {"holder": "Operator", "number": "DE89370400440532013000"}


@pytest.fixture
def books(world: World) -> Books:
    """An operator with a bank account."""
    books = open_books(world)
    give_account(world, books.operator_id, books.operator.access_token)
    return books


def give_account(world: World, organization_id: str, token: str) -> None:
    reply = world.rest.patch(f"/v1/organizations/{organization_id}", {"bank_account": ACCOUNT}, token=token)
    assert reply.status == 200, reply.body


def request(world: World, token: str, amount: int, key: str = "key-1") -> Reply:
    return world.rest.post("/v1/withdrawals", {"amount": {"amount": amount, "currency": "EUR"}}, token=token, key=key)


def approve(world: World, token: str, withdrawal_id: str) -> Reply:
    return world.rest.post(f"/v1/withdrawals/{withdrawal_id}/approve", None, token=token, key=f"by-{token[-9:]}")


# -- four eyes ------------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(world: World, books: Books) -> str:
    """The access token of the platform's administrator; the platform is owed 1.00 of commission."""
    books.agree(PLATFORM_ID, percent=Decimal(10))
    books.sell(1000)
    books.sleep()
    books.settle(DAY)
    token = world.platform_admin()
    give_account(world, PLATFORM_ID, token)
    return token


def key_of(world: World, token: str, *permissions: str) -> Reply:
    return world.rest.post("/v1/api-keys", {"name": "Other eyes", "permissions": list(permissions)}, token=token)


def test_no_key_approves_what_its_maker_has_asked_for(world: World, admin: str) -> None:
    withdrawal_id = request(world, admin, 100).body["withdrawal_id"]
    assert approve(world, admin, withdrawal_id).body["code"] == "withdrawal.own"
    refused = key_of(world, admin, "withdrawals:approve", "withdrawals:read")
    assert (refused.status, refused.body["code"]) == (422, "permission.not_for_keys")


def test_no_key_asks_for_what_its_maker_would_approve(world: World, admin: str) -> None:
    key = key_of(world, admin, "withdrawals:write", "withdrawals:read").body["api_key"]
    refused = request(world, key, 100)
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert service.list_withdrawals(world.ctx, PLATFORM_ID, state=None, limit=10, cursor=None).data == []


# -- debts ----------------------------------------------------------------------------------------------------------


def test_who_owes_in_another_currency_is_not_paid(world: World, books: Books) -> None:
    """Cash in dollars is a debt to the platform as well."""
    books.fill("USD")
    books.sell(1000)
    books.take_cash(5000, currency="USD")
    books.sleep()
    books.settle(DAY)
    assert (books.owed(), books.owed(currency="USD")) == (1000, -5000)
    asked = request(world, world.access_token(books.operator.user.email), 1000)
    refused = approve(world, world.platform_admin(), asked.body["withdrawal_id"])
    assert (refused.status, refused.body["code"]) == (409, "withdrawal.owing")
    assert "50.00 USD" in refused.body["detail"]


def received(books: Books, beneficiary_id: str) -> dict[tuple[str, str], int]:
    rows = RECEIVED.query_all(
        books.world.ctx, organization_pk(beneficiary_id), ReceivedRow.sk.startswith("received#"), consistent=True
    )
    return {(row.operator_id, row.currency): row.total for row in rows}


def test_what_a_beneficiary_got_is_counted_once_per_run_also_when_it_runs_again(books: Books) -> None:
    agency = books.agency().organization_id
    books.agree(agency, percent=Decimal(20))
    sale = books.sell(1000, agency_id=agency)
    books.sleep()
    books.settle(DAY)
    run = service.find_run(books.world.ctx, books.operator_id, DAY)
    assert run is not None
    [line] = run.lines
    [deduction] = line.deductions
    for _ in range(2):  # as a workflow does that died right after
        books.world.commit(lambda uow: service.give_share(uow, run, line, deduction))
    assert received(books, agency) == {(books.operator_id, "EUR"): 200}
    books.take_back(sale)
    books.sell(300, agency_id=agency)
    books.sleep()
    books.settle("2026-03-03")
    assert received(books, agency) == {(books.operator_id, "EUR"): 60}
    assert received(books, PLATFORM_ID) == {}


# -- lists ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["paid", "rejected", "failed"])
def test_what_is_over_is_listed_of_one_organisation_only(world: World, books: Books, state: str) -> None:
    """The list of everybody's knows what waits: it does not say that there is nothing."""
    token = world.platform_admin()
    refused = world.rest.get("/v1/withdrawals", token=token, query={"state": state})
    assert (refused.status, refused.body["code"]) == (422, "organization_id.missing")
    named = {"state": state, "organization_id": books.operator_id}
    assert world.rest.get("/v1/withdrawals", token=token, query=named).status == 200


def listed(world: World, **query: Any) -> list[str]:
    reply = world.rest.get("/v1/settlements", token=world.platform_admin(), query=query)
    assert reply.status == 200, reply.body
    return [run["settlement_id"] for run in reply.body["data"]]


def test_the_platform_finds_disputed_days_of_all_operators(world: World, books: Books) -> None:
    other = open_books(world, name="Other")
    for each in (books, other):
        each.sell(1000)
        each.post("clearing:bank:EUR", "manual_entry", "EUR", {each_income(each): 5, "clearing:bank:EUR": -5}, DAY)
    books.sleep()
    for each in (books, other):
        assert each.settle(DAY)["state"] == "disputed"
    disputed = {f"{each.operator_id}.{DAY}" for each in (books, other)}
    assert set(listed(world, state="disputed")) == disputed == set(listed(world))
    assert listed(world, state="disputed", operator_id=other.operator_id) == [f"{other.operator_id}.{DAY}"]
    assert listed(world, state="open") == []
    assert listed(world, date_from="2026-03-03") == [] == listed(world, date_to="2026-03-01")
    assert set(listed(world, date_from=DAY, date_to=DAY)) == disputed
    refused = world.rest.get("/v1/settlements", token=world.platform_admin(), query={"state": "posted"})
    assert (refused.status, refused.body["code"]) == (422, "operator_id.missing")


def each_income(books: Books) -> str:
    return f"income:{books.operator_id}:EUR"


# -- numbers --------------------------------------------------------------------------------------------------------


def test_the_year_of_a_number_is_that_of_who_asks(world: World) -> None:
    """It is 2027 in Auckland while it is 2026 in UTC; as on all other papers of the organisation."""
    books = open_books(world, time_zone="Pacific/Auckland")
    give_account(world, books.operator_id, books.operator.access_token)
    books.sell(1000)
    books.sleep()
    books.settle(DAY)
    eve = datetime(2026, 12, 31, 12, tzinfo=UTC)
    world.advance((eve - world.clock.now()).total_seconds())
    token = world.access_token(books.operator.user.email)
    assert request(world, token, 10).body["number"] == "WD-2027-000001"
    assert request(world, token, 10, "key-2").body["number"] == "WD-2027-000002"
