"""Money that comes into the wallet of a driver who has left is seen, and paid out."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.outbox import Event
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, wallet_account
from chalicelib.wallets import jobs, service
from tests.unit.drivers.test_leaving import leave, sign_up
from tests.unit.wallets.test_adjusting import eur
from tests.world import Reply, World

DETAILS = "paid to DE89 3704 0044 0532 0130 00"


@pytest.fixture
def dora(world: World) -> str:
    """The id of a driver who has left."""
    driver_id = str(sign_up(world).body["driver_id"])
    assert leave(world, world.sign_in("dora@driver.example")).status == 204
    return driver_id


def correct(world: World, driver_id: str, amount: int, currency: str = "EUR") -> None:
    """A bill is corrected, and the difference given back."""
    world.advance(1)
    now, wallet = world.ctx.now(), wallet_account(driver_id, currency)
    postings = [Posting(wallet, amount), Posting(f"income:org_1:{currency}", -amount)]
    entry = Entry(derived_id("ent", now, "c"), wallet, "correction", currency, postings, now, "ses_1", "2026-03-02")
    world.commit(lambda uow: ledger.post(uow, entry))


def listed(world: World, **query: str) -> Any:
    reply = world.rest.get("/v1/wallets", token=world.platform_admin(), query={"state": "left", **query})
    assert reply.status == 200, reply.body
    return reply.body["data"]


def adjust(world: World, driver_id: str, direction: str, amount: int, token: str) -> Reply:
    body = {"direction": direction, "amount": {"amount": amount, "currency": "EUR"}, "reason": DETAILS}
    key = f"{direction}-{amount}"
    return world.rest.post(f"/v1/wallets/{driver_id}/adjustments", body, token=token, key=key)


def test_who_leaves_an_empty_wallet_is_not_listed(world: World, dora: str) -> None:
    assert listed(world) == []
    assert service.balances(world.ctx, dora) == [eur(0)]


def test_a_bill_that_is_corrected_later_is_paid_out_by_the_platform(world: World, dora: str) -> None:
    correct(world, dora, 250)
    [row] = listed(world)
    assert (row["driver_id"], row["balances"]) == (dora, [{"amount": 250, "currency": "EUR"}])
    platform = world.platform_admin()
    assert adjust(world, dora, "deduct", 251, platform).body["code"] == "ledger.insufficient_funds"
    paid = adjust(world, dora, "deduct", 250, platform)
    assert (paid.status, paid.body["reason"]) == (201, DETAILS)
    assert listed(world) == []


def test_nobody_puts_anything_into_such_a_wallet(world: World, dora: str) -> None:
    assert adjust(world, dora, "top_up", 100, world.platform_admin()).body["code"] == "driver.deleted"
    assert adjust(world, dora, "deduct", 100, world.operator().access_token).status == 404


def test_operators_do_not_see_them(world: World, dora: str) -> None:
    correct(world, dora, 250)
    refused = world.rest.get("/v1/wallets", token=world.operator().access_token, query={"state": "left"})
    assert refused.status == 403


def test_a_page_that_is_paid_late_in_another_currency_is_listed_too(world: World, dora: str) -> None:
    world.commit(
        lambda uow: service.begin_topup(
            uow, topup_id="top_1", payment_id="pay_1", driver_id=dora, amount=Money(900, "CHF")
        )
    )
    jobs.on_payment_succeeded(
        world.ctx,
        Event("evt_1", "payment.succeeded", "pay_1", {"purpose": "topup", "payment_id": "pay_1"}, world.ctx.now()),
    )
    [row] = listed(world)
    assert (row["driver_id"], row["balances"]) == (dora, [{"amount": 900, "currency": "CHF"}])
    correct(world, dora, 100)
    assert [len(each["balances"]) for each in listed(world)] == [2]


def test_pages_go_on_past_wallets_that_are_empty(world: World) -> None:
    ids = [f"drv_{number:03}" for number in range(120)]
    for driver_id in ids:
        world.commit(partial(service.note_left, driver_id=driver_id, left_at=world.ctx.now()))
    for driver_id in (ids[2], ids[60], ids[110]):
        correct(world, driver_id, 5)
    token = world.platform_admin()
    first = world.rest.get("/v1/wallets", token=token, query={"state": "left", "limit": "2"}).body
    rest = listed(world, cursor=first["next_cursor"])
    assert [row["driver_id"] for row in first["data"] + rest] == [ids[110], ids[60], ids[2]]
