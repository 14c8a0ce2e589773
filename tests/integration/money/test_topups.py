"""A driver pays money in: REST, the provider's page, notifications that repeat, get lost or come early."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kernel.money import Money
from chalicelib.ledger import proving
from chalicelib.payments import jobs as payments_jobs
from chalicelib.wallets import jobs as wallets_jobs
from chalicelib.wallets import service as wallets
from tests.integration.money.conftest import StripeDesk
from tests.world import World

CONSUMERS = {
    "payment.succeeded": (wallets_jobs.on_payment_succeeded,),
    "payment.failed": (wallets_jobs.on_payment_failed,),
}
TEN_MINUTES = 601
DAY_EVENT = dict.fromkeys(
    ("version", "account", "region", "detail", "detail-type", "source", "time", "id", "resources")
)


@pytest.fixture
def driver(world: World) -> str:
    """A driver's access token; the driver is drv_1."""
    return world.driver_token("drv_1")


def top_up(world: World, driver: str, amount: int = 2000, key: str = "k1", currency: str = "EUR") -> Any:
    body = {"amount": {"amount": amount, "currency": currency}}
    return world.rest.post("/v1/driver/topups", body, token=driver, key=key)


def balance(world: World, driver: str) -> int:
    status, body = world.rest.get("/v1/driver/wallet", token=driver)
    assert status == 200
    (euros,) = body["balances"]
    return int(euros["amount"])


def state(world: World, driver: str, topup_id: str) -> str:
    return str(world.rest.get(f"/v1/driver/topups/{topup_id}", token=driver).body["state"])


def reconcile(world: World) -> dict[str, int]:
    world.advance(TEN_MINUTES)
    result: dict[str, int] = payments_jobs.reconcile_payments(DAY_EVENT, None)
    return result


def settle_events(world: World) -> None:
    world.run_events(CONSUMERS)
    assert proving.prove_ledger(world.ctx).fault_count == 0


def test_from_the_page_to_the_wallet(world: World, desk: StripeDesk, driver: str) -> None:
    status, topup = top_up(world, driver)
    assert (status, topup["state"]) == (201, "pending")
    assert "/_local/" in topup["redirect_url"]
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    settle_events(world)
    assert balance(world, driver) == 2000
    shown = world.rest.get(f"/v1/driver/topups/{topup['topup_id']}", token=driver).body
    assert (shown["state"], shown["redirect_url"]) == ("credited", None)
    (line,) = world.rest.get("/v1/driver/wallet/transactions", token=driver).body["data"]
    assert (line["label"], line["amount"], line["topup_id"]) == (
        "Top-up",
        {"amount": 2000, "currency": "EUR"},
        topup["topup_id"],
    )


def test_a_notification_that_is_sent_again_credits_nothing_more(world: World, desk: StripeDesk, driver: str) -> None:
    topup = top_up(world, driver).body
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    for body, headers in desk.deliveries * 2:
        assert desk.post_event(body, headers) == 200
    settle_events(world)
    world._sequence = 0  # the outbox delivers everything once more
    settle_events(world)
    assert balance(world, driver) == 2000


def test_a_forged_or_old_notification_is_refused(world: World, desk: StripeDesk, driver: str) -> None:
    topup = top_up(world, driver).body
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    (body, headers), *_ = desk.deliveries
    assert desk.post_event(body.replace(b"2000", b"9000"), headers) == 400
    assert desk.post_event(body, {**headers, "Stripe-Signature": "t=1,v1=00"}) == 400
    world.advance(301)
    assert desk.post_event(body, headers) == 400
    reply = world.rest.post("/v1/provider-events/paypal", raw=body, headers=dict(headers))
    assert (reply.status, reply.body["code"]) == (404, "payment_provider.unknown")


def test_a_lost_notification_is_made_good_by_the_reconciliation(world: World, desk: StripeDesk, driver: str) -> None:
    topup = top_up(world, driver).body
    desk.payer(topup["payment_id"], "succeed")
    assert reconcile(world) == {"succeeded": 1}
    settle_events(world)
    assert balance(world, driver) == 2000
    desk.deliver()  # late, and signed anew
    settle_events(world)
    assert balance(world, driver) == 2000


@pytest.mark.parametrize("work_done", [True, False])
def test_a_provider_that_does_not_answer_leaves_a_question_that_the_same_key_answers(
    world: World, desk: StripeDesk, driver: str, work_done: bool
) -> None:
    desk.break_next(work_done=work_done)
    status, problem = top_up(world, driver)
    assert (status, problem["code"]) == (503, "payment.unknown_outcome")
    again = top_up(world, driver)
    assert again.status == 201
    (payment,) = world.rest.get("/v1/payments", token=world.platform_admin()).body["data"]
    assert (payment["payment_id"], payment["state"]) == (again.body["payment_id"], "pending")
    replay = top_up(world, driver)
    assert (replay.body, replay.headers["idempotency-replayed"]) == (again.body, "true")


def test_a_question_that_nobody_repeats_is_answered_by_the_reconciliation(
    world: World, desk: StripeDesk, driver: str
) -> None:
    desk.break_next(work_done=True)
    assert top_up(world, driver).status == 503
    assert reconcile(world) == {"pending": 1}
    (topup,) = world.rest.get("/v1/driver/topups", token=driver).body["data"]
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    settle_events(world)
    assert balance(world, driver) == 2000


def test_a_declined_card_may_be_followed_by_another(world: World, desk: StripeDesk, driver: str) -> None:
    topup = top_up(world, driver).body
    desk.payer(topup["payment_id"], "fail")
    desk.deliver()
    settle_events(world)
    path = f"/v1/driver/topups/{topup['topup_id']}"
    shown = world.rest.get(path, token=driver).body
    assert (shown["state"], shown["redirect_url"], shown["failure"]) == (
        "pending",
        topup["redirect_url"],
        "generic_decline",
    )
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    settle_events(world)
    assert world.rest.get(path, token=driver).body["failure"] is None
    assert balance(world, driver) == 2000


def test_a_page_that_ran_out_fails_the_topup(world: World, desk: StripeDesk, driver: str) -> None:
    topup = top_up(world, driver).body
    world.advance(3601)
    desk.deliver()
    settle_events(world)
    assert wallets.require_topup(world.ctx, topup["topup_id"]).state == "failed"
    assert wallets.balances(world.ctx, "drv_1") == [Money(0, "EUR")]


def test_what_the_provider_will_not_take_is_told_and_stays_told(world: World, desk: StripeDesk, driver: str) -> None:
    first = top_up(world, driver, currency="IRR")
    assert (first.status, first.body["code"]) == (422, "payment.refused")
    again = top_up(world, driver, currency="IRR")
    assert (again.status, again.body["code"]) == (422, "payment.refused")
    settle_events(world)
    (topup,) = world.rest.get("/v1/driver/topups", token=driver).body["data"]
    assert topup["state"] == "failed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"amount": {"amount": 0, "currency": "EUR"}}, 422),
        ({"amount": {"amount": -5, "currency": "EUR"}}, 422),
        ({"amount": {"amount": 1.5, "currency": "EUR"}}, 422),
        ({"amount": {"amount": 10**9, "currency": "EUR"}}, 422),
        ({"amount": {"amount": 500, "currency": "eur"}}, 422),
        ({"amount": 500}, 422),
        ({}, 422),
    ],
)
def test_bad_amounts_change_nothing(
    world: World, desk: StripeDesk, driver: str, body: dict[str, Any], status: int
) -> None:
    reply = world.rest.post("/v1/driver/topups", body, token=driver, key="k1")
    assert reply.status == status
    assert world.rest.get("/v1/driver/topups", token=driver).body["data"] == []
    assert top_up(world, driver).status == 201  # the key is free for a corrected request


def test_what_no_provider_takes_is_our_own_clear_error(world: World, desk: StripeDesk, driver: str) -> None:
    reply = top_up(world, driver, amount=49)
    assert (reply.status, reply.body["code"]) == (422, "wallet.amount_invalid")
    assert reply.body["errors"][0]["pointer"] == "/amount/amount"
    assert world.rest.get("/v1/driver/topups", token=driver).body["data"] == []


def test_a_key_is_needed_and_is_bound_to_its_body(world: World, desk: StripeDesk, driver: str) -> None:
    assert (
        world.rest.post("/v1/driver/topups", {"amount": {"amount": 1, "currency": "EUR"}}, token=driver).status == 400
    )
    assert top_up(world, driver).status == 201
    assert top_up(world, driver, amount=2001).status == 422


def test_another_drivers_topup_is_not_there(world: World, desk: StripeDesk, driver: str) -> None:
    topup = top_up(world, driver).body
    other = world.driver_token("drv_2")
    assert world.rest.get(f"/v1/driver/topups/{topup['topup_id']}", token=other).status == 404
    assert world.rest.get("/v1/driver/topups", token=other).body["data"] == []


def test_the_way_back_is_a_page_for_anybody(world: World) -> None:
    reply = world.rest.get("/v1/payments/pay_1/return", query={"outcome": "cancelled"})
    assert reply.status == 200
    assert "text/html" in reply.headers["content-type"]
    assert "cancelled" in reply.body


def test_operators_do_not_see_what_drivers_pay_the_platform(world: World, desk: StripeDesk, driver: str) -> None:
    topup = top_up(world, driver).body
    operator = world.operator().access_token
    assert world.rest.get("/v1/payments", token=operator).body["data"] == []
    assert world.rest.get(f"/v1/payments/{topup['payment_id']}", token=operator).status == 404
    platform = world.platform_admin()
    shown = world.rest.get(f"/v1/payments/{topup['payment_id']}", token=platform).body
    assert (shown["payer_id"], shown["amount"]["amount"], shown["state"]) == ("drv_1", 2000, "pending")
    by_payer = world.rest.get("/v1/payments", token=platform, query={"payer_id": "drv_2"}).body
    assert by_payer["data"] == []
