"""Wallets and books over REST: the driver's list, the operator's cash, and whose eyes see what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.money import Money
from chalicelib.wallets import service as wallets
from tests.world import Operator, Reply, World

DAY = "2026-03-02"


@pytest.fixture
def driver_id(world: World) -> str:
    driver_id = world.ctx.new_id("drv")
    driver = Driver(driver_id=driver_id, email="d@driver.example", full_name="Dora", created_at=world.ctx.now())
    world.commit(lambda uow: drivers.create_driver(uow, driver))
    return driver_id


@pytest.fixture
def operator(world: World, driver_id: str) -> Operator:
    """An operator that has the driver on its list."""
    operator = world.operator()
    world.commit(lambda uow: drivers.link_operator(uow, operator.operator_id, driver_id))
    return operator


def adjust(
    world: World,
    operator: Operator,
    driver_id: str,
    amount: int,
    direction: str = "top_up",
    key: str = "k1",
    **fields: Any,
) -> Reply:
    body = {"direction": direction, "amount": {"amount": amount, "currency": "EUR"}, "reason": "cash"}
    return world.rest.post(f"/v1/wallets/{driver_id}/adjustments", body, token=operator.access_token, key=key)


def charge(world: World, driver_id: str, operator_id: str, held: int, cost: int) -> str:
    session_id = world.ctx.new_id("ses")
    hold, price = Money(held, "EUR"), Money(cost, "EUR")
    expires_at = world.ctx.now() + timedelta(hours=24)
    world.commit(
        lambda uow: wallets.place_session_hold(
            uow, driver_id=driver_id, session_id=session_id, amount=hold, expires_at=expires_at
        )
    )
    world.advance(60)
    world.commit(
        lambda uow: wallets.settle_session(
            uow,
            driver_id=driver_id,
            session_id=session_id,
            held=hold,
            cost=price,
            operator_id=operator_id,
            business_day=DAY,
        )
    )
    return session_id


def test_cash_for_a_wallet_and_a_charge_as_all_sides_read_them(
    world: World, operator: Operator, driver_id: str
) -> None:
    adjusted = adjust(world, operator, driver_id, 1000)
    assert (adjusted.status, adjusted.body["label"], adjusted.body["reason"]) == (201, "Manual entry", "cash")
    world.advance(1)
    session_id = charge(world, driver_id, operator.operator_id, 500, 7)

    driver = world.driver_token(driver_id)
    assert world.rest.get("/v1/driver/wallet", token=driver).body["balances"] == [{"amount": 993, "currency": "EUR"}]
    listed = world.rest.get("/v1/driver/wallet/transactions", token=driver).body
    assert [(t["label"], t["amount"]["amount"], t["charging_session_id"]) for t in listed["data"]] == [
        ("Refunded", 493, session_id),
        ("Consumption", -500, session_id),
        ("Manual entry", 1000, None),
    ]
    seen_by_operator = world.rest.get(f"/v1/wallets/{driver_id}/transactions", token=operator.access_token).body
    assert seen_by_operator == listed

    income, cash = f"income:{operator.operator_id}:EUR", f"cash:{operator.operator_id}:EUR"
    for account_id, amount in ((income, 7), (cash, -1000)):
        account = world.rest.get(
            f"/v1/ledger/accounts/{account_id}", token=operator.access_token, query={"business_day": DAY}
        ).body
        assert account["balance"] == {"amount": amount, "currency": "EUR"}
    entries = world.rest.get(
        "/v1/ledger/entries", token=operator.access_token, query={"account_id": income, "business_day": DAY}
    ).body["data"]
    (entry,) = entries
    assert (entry["source_id"], entry["amount"]["amount"]) == (session_id, 7)
    assert entry["postings"] == [{"account_id": income, "amount": 7}]  # not the driver's side


def test_the_second_click_adjusts_once(world: World, operator: Operator, driver_id: str) -> None:
    first = adjust(world, operator, driver_id, 1000)
    assert adjust(world, operator, driver_id, 1000).body == first.body
    assert adjust(world, operator, driver_id, 1001).status == 422
    assert wallets.available(world.ctx, driver_id, "EUR") == Money(1000, "EUR")
    assert adjust(world, operator, driver_id, 1000, key="k2").status == 201
    assert wallets.available(world.ctx, driver_id, "EUR") == Money(2000, "EUR")


def test_no_more_is_deducted_than_there_is(world: World, operator: Operator, driver_id: str) -> None:
    adjust(world, operator, driver_id, 100)
    refused = adjust(world, operator, driver_id, 101, "deduct", "k2")
    assert (refused.status, refused.body["code"]) == (409, "ledger.insufficient_funds")
    assert adjust(world, operator, driver_id, 100, "deduct", "k2").status == 201
    assert wallets.available(world.ctx, driver_id, "EUR") == Money(0, "EUR")


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": ""},
        {"reason": "  "},
        {"direction": "give"},
        {"amount": {"amount": 0, "currency": "EUR"}},
        {"amount": {"amount": 5, "currency": "EURO"}},
        {"more": 1},
    ],
)
def test_bad_adjustments_are_refused(world: World, operator: Operator, driver_id: str, fields: dict[str, Any]) -> None:
    body = {"direction": "top_up", "amount": {"amount": 100, "currency": "EUR"}, "reason": "cash", **fields}
    path = f"/v1/wallets/{driver_id}/adjustments"
    assert world.rest.post(path, body, token=operator.access_token, key="k1").status == 422
    assert wallets.available(world.ctx, driver_id, "EUR") == Money(0, "EUR")


def test_another_operators_driver_is_not_there(world: World, operator: Operator, driver_id: str) -> None:
    stranger = world.operator()
    assert adjust(world, stranger, driver_id, 100).status == 404
    for path in (f"/v1/wallets/{driver_id}", f"/v1/wallets/{driver_id}/transactions"):
        assert world.rest.get(path, token=stranger.access_token).status == 404
        assert world.rest.get(path, token=operator.access_token).status == 200
        assert world.rest.get(path, token=world.platform_admin()).status == 200
        assert world.rest.get(path.replace(driver_id, "drv_x"), token=world.platform_admin()).status == 404


def test_operators_see_their_own_accounts_only(world: World, operator: Operator, driver_id: str) -> None:
    own = operator.operator_id
    query = {"business_day": DAY}
    for account_id, status in (
        (f"income:{own}:EUR", 200),
        (f"payable:{own}:EUR", 200),
        ("income:org_other:EUR", 404),
        (f"wallet:{driver_id}:EUR", 404),
        ("clearing:stripe:EUR", 404),
        ("nonsense", 422),
        (f"income:{own}:euro", 422),
    ):
        assert (
            world.rest.get(f"/v1/ledger/accounts/{account_id}", token=operator.access_token, query=query).status
            == status
        ), account_id
        listed = world.rest.get(
            "/v1/ledger/entries", token=operator.access_token, query={**query, "account_id": account_id}
        )
        assert listed.status == status, account_id


def test_an_account_without_a_list_is_not_shown_as_empty(world: World, operator: Operator, driver_id: str) -> None:
    adjust(world, operator, driver_id, 1000)
    admin = world.platform_admin()
    for account_id in ("clearing:stripe:EUR", "refunds:stripe:EUR", f"withdrawals:{operator.operator_id}:EUR"):
        reply = world.rest.get("/v1/ledger/entries", token=admin, query={"account_id": account_id})
        assert (reply.status, reply.body["code"]) == (422, "ledger.not_listed"), account_id


def test_the_platform_sees_all_accounts(world: World, operator: Operator, driver_id: str) -> None:
    adjust(world, operator, driver_id, 1000)
    admin = world.platform_admin()
    wallet = f"wallet:{driver_id}:EUR"
    assert world.rest.get(f"/v1/ledger/accounts/{wallet}", token=admin).body["balance"]["amount"] == 1000
    (entry,) = world.rest.get("/v1/ledger/entries", token=admin, query={"account_id": wallet}).body["data"]
    assert {p["account_id"]: p["amount"] for p in entry["postings"]} == {
        wallet: 1000,
        f"cash:{operator.operator_id}:EUR": -1000,
    }
    without_day = world.rest.get(f"/v1/ledger/accounts/cash:{operator.operator_id}:EUR", token=admin)
    assert (without_day.status, without_day.body["code"]) == (422, "ledger.day_missing")
    assert world.rest.get("/v1/ledger/proofs", token=admin).body["data"] == []
    assert world.rest.get("/v1/ledger/proofs", token=operator.access_token).status == 403


def test_pages_of_the_drivers_list(world: World, operator: Operator, driver_id: str) -> None:
    for number in range(5):
        adjust(world, operator, driver_id, number + 1, key=f"k{number}")
        world.advance(1)
    driver = world.driver_token(driver_id)
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 2, "type": "income"}
    for _ in range(3):
        page = world.rest.get("/v1/driver/wallet/transactions", token=driver, query=query).body
        seen += [line["amount"]["amount"] for line in page["data"]]
        query["cursor"] = page["next_cursor"]
    assert seen == [5, 4, 3, 2, 1]
    assert page["has_more"] is False
