"""What went back of payments, as the lists tell it; and who sees the payments of top-ups."""

from __future__ import annotations

from typing import Any

from chalicelib.wallets import service as wallets
from tests.integration.money.conftest import StripeDesk
from tests.integration.money.test_payments_api import Desk, money
from tests.integration.money.test_topup_packages import (
    choose,
    driver,
    driver_id,
    make,
    operator,
    settle_events,
)
from tests.unit.payments.till import euro
from tests.world import Operator, World

__all__ = ["driver", "driver_id", "operator"]


def facts(body: dict[str, Any]) -> tuple[str, int, int, int]:
    return body["paid_back"], *(body[name]["amount"] for name in ("refunded", "net", "vat"))


def test_what_went_back_is_in_no_sum_any_more(world: World) -> None:
    """1.93 of which 0.31 is tax, in three refunds; the fee stays the provider's."""
    desk = Desk(world)
    payment = desk.guest(desk.own)
    income = f"income:{desk.own.operator_id}:EUR"
    desk.till.ask_capture(payment, 193, income_account_id=income, tax=euro(31))
    desk.till.run_events()
    seen = []
    for number, amount in enumerate((50, 50, 93)):
        desk.till.ask_refund(payment, amount, refund_id=f"ref_{number}", from_account_id=income)
        desk.till.run_events()
        seen.append(facts(desk.ask(f"/{payment.payment_id}", desk.own.access_token).body))
    fee = 45
    assert seen == [
        ("partial", 50, 143 - fee, 23),
        ("partial", 100, 93 - fee, 15),
        ("full", 193, -fee, 0),
    ]
    other = desk.charged(desk.own)
    assert desk.ids(desk.own.access_token, paid_back="full") == [payment.payment_id]
    assert desk.ids(desk.own.access_token, paid_back="none") == [other.payment_id]
    assert desk.ids(desk.own.access_token, paid_back="partial") == []
    [total] = desk.ask("/totals", desk.own.access_token, paid_back="full").body["totals"]
    assert (total["gross"], total["refunded"], total["net"], total["vat"]) == (
        money(193),
        money(193),
        money(-45),
        money(0),
    )


def test_the_owner_of_a_package_sees_what_was_paid_for_it(
    world: World, desk: StripeDesk, operator: Operator, driver: str
) -> None:
    """And the id that the list of top-ups names is one that it may ask for."""
    package = make(world, operator.access_token)
    made = choose(world, driver, package["package_id"]).body
    own = world.rest.post("/v1/driver/topups", {"amount": money(1000)}, token=driver, key="own amount").body
    for each in (made, own):
        desk.payer(each["payment_id"], "succeed")
    desk.deliver()
    settle_events(world)
    listed = world.rest.get("/v1/payments", token=operator.access_token).body["data"]
    assert [(each["payment_id"], each["purpose"]) for each in listed] == [(made["payment_id"], "topup")]
    [record] = world.rest.get("/v1/topups", token=operator.access_token).body["data"]
    path = f"/v1/payments/{record['payment_id']}"
    assert world.rest.get(path, token=operator.access_token).body["operator_id"] == operator.operator_id
    refused = world.rest.post(f"{path}/refunds", {"reason": "no"}, token=operator.access_token, key="r")
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert world.rest.get(path, token=world.operator("Other").access_token).status == 404
    assert world.rest.get(f"/v1/payments/{own['payment_id']}", token=operator.access_token).status == 404


def test_a_driver_reads_all_that_came_in_by_top_ups(
    world: World, desk: StripeDesk, operator: Operator, driver: str, driver_id: str
) -> None:
    online = world.rest.post("/v1/driver/topups", {"amount": money(1000)}, token=driver, key="k1").body
    desk.payer(online["payment_id"], "succeed")
    desk.deliver()
    settle_events(world)
    world.advance(1)
    path = f"/v1/wallets/{driver_id}/adjustments"
    for direction, amount in (("top_up", 700), ("deduct", 100)):
        body = {"direction": direction, "amount": money(amount), "reason": "at the desk"}
        assert world.rest.post(path, body, token=operator.access_token, key=direction).status == 201
    world.advance(1)
    waiting = world.rest.post("/v1/driver/topups", {"amount": money(2000)}, token=driver, key="k2").body
    listed = world.rest.get("/v1/driver/topups", token=driver).body["data"]
    assert [(each["source"], each["amount"]["amount"], each["state"]) for each in listed] == [
        ("online", 2000, "pending"),
        ("manual", 700, "credited"),
        ("online", 1000, "credited"),
    ]
    assert [each["payment_id"] for each in listed] == [waiting["payment_id"], None, online["payment_id"]]
    assert listed[0]["redirect_url"] == waiting["redirect_url"]
    assert (listed[1]["redirect_url"], listed[1]["reason"]) == (None, "at the desk")
    for each in listed:
        assert world.rest.get(f"/v1/driver/topups/{each['topup_id']}", token=driver).body == each
    assert len(world.rest.get("/v1/driver/topups", token=driver, query={"source": "manual"}).body["data"]) == 1


def test_a_top_up_says_what_went_back_of_it(world: World, desk: StripeDesk, operator: Operator, driver: str) -> None:
    topup = world.rest.post("/v1/driver/topups", {"amount": money(1000)}, token=driver, key="k1").body
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    settle_events(world)
    world.commit(
        lambda uow: wallets.refund_topup(
            uow, refund_id="ref_1", topup_id=topup["topup_id"], amount=euro(300), reason="Moved away", requested_by="p"
        )
    )
    [listed] = world.rest.get("/v1/driver/topups", token=driver).body["data"]
    assert listed["refunded"] == money(300)
    payment = world.rest.get(f"/v1/payments/{topup['payment_id']}", token=world.platform_admin()).body
    assert (payment["paid_back"], payment["refunded"], payment["refundable"]) == ("partial", money(300), money(700))


def test_an_error_has_the_members_of_rfc_9457(world: World, operator: Operator) -> None:
    problem = world.rest.get("/v1/payments/pay_1", token=operator.access_token).body
    assert {"type", "title", "status", "detail", "code", "request_id"} <= problem.keys()
    assert (problem["type"], problem["status"]) == ("about:blank", 404)
