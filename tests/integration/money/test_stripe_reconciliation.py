"""Days against the local stack's Stripe, through the real package: a day of everything is right to the cent, a dispute
is found, and the platform's people see to it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.payments import reconciliation_jobs, service
from tests.integration.money.conftest import StripeDesk
from tests.integration.money.test_card_payments import Guest
from tests.integration.money.test_provider_withdrawals import approve, onboard, request, settle
from tests.integration.money.test_topups import top_up
from tests.settling import open_books
from tests.world import Reply, World

MONDAY = "2026-03-02"
NIGHT_S = 24 * 3600
QUIET = {"days": 1, "opened": 0, "settling": 0, "healed": 0}


@pytest.fixture
def guest(world: World, desk: StripeDesk) -> Guest:
    return Guest(world, desk)


def ask(world: World, method: str, path: str, body: Any = None, **options: Any) -> Reply:
    return world.rest.request(method, f"/v1{path}", body, token=world.platform_admin(), **options)


def night(world: World) -> Any:
    world.advance(NIGHT_S)
    found = world.run_job(reconciliation_jobs.reconcile_days)
    world.run_events()
    return found


def pay_topup(world: World, desk: StripeDesk, *, told: bool = True) -> str:
    driver = world.driver_token("drv_1")
    _, topup = top_up(world, driver)
    desk.payer(topup["payment_id"], "succeed")
    if told:
        desk.deliver()
    world.run_events()
    return str(topup["payment_id"])


def test_a_day_of_everything_is_right(world: World, desk: StripeDesk, guest: Guest) -> None:
    pay_topup(world, desk)
    guest.pays()
    guest.is_charged(1234)  # a part of what was reserved
    guest.gets_back(234, "ref_1")
    released = Guest(world, desk)
    released.pays()
    released.is_charged(0)
    assert night(world) == QUIET
    day = ask(world, "GET", f"/reconciliations/{MONDAY}").body
    [totals] = day["totals"]
    assert (day["state"], day["hours"], day["differences"]) == ("done", 24, [])
    assert totals["difference"]["amount"] == 0
    assert totals["ours"] == totals["theirs"]
    assert totals["ours"]["amount"] == -guest.books()["clearing:stripe:EUR"] > 2000
    assert day["movements"] >= 4


def test_a_notification_that_never_came_is_made_good(world: World, desk: StripeDesk) -> None:
    payment_id = pay_topup(world, desk, told=False)
    assert night(world) == QUIET | {"settling": 2, "healed": 1}
    assert service.require_payment(world.ctx, payment_id).state == "succeeded"
    assert night(world) == QUIET
    assert ask(world, "GET", "/reconciliation-differences").body["data"] == []


def test_a_dispute_is_seen_to(world: World, desk: StripeDesk, guest: Guest) -> None:
    guest.pays()
    guest.is_charged(1234)
    desk.run(dispute(desk, guest.payment_id))
    assert night(world)["opened"] == 2  # the money, and what Stripe takes for it
    listed = ask(world, "GET", "/reconciliation-differences").body["data"]
    assert {(each["kind"], each["code"], each["payment_id"]) for each in listed} == {
        ("dispute", "dispute", guest.payment_id),
        ("fee", "fee", guest.payment_id),
    }
    assert (
        ask(world, "GET", f"/reconciliations/{MONDAY}/differences").body["data"]
        == ask(world, "GET", f"/reconciliations/{MONDAY}").body["differences"]
    )
    for each in listed:
        path = f"/reconciliation-differences/{each['difference_id']}/close"
        closed = ask(world, "POST", path, {"note": "Lost; written off"}).body
        assert (closed["state"], closed["note"]) == ("closed", "Lost; written off")
        assert ask(world, "POST", path, {"note": "Again"}).body["code"] == "difference.closed"
    assert night(world) == QUIET
    assert ask(world, "GET", "/reconciliation-differences").body["data"] == []
    assert [each["opened"] for each in ask(world, "GET", "/reconciliations").body["data"]] == [0, 2]


async def dispute(desk: StripeDesk, payment_id: str) -> None:
    desk.fake.intents.dispute(payment_id)


def test_a_withdrawal_leaves_before_it_arrives(world: World, desk: StripeDesk) -> None:
    pay_topup(world, desk)
    books = open_books(world)  # its wallets are filled by nobody's payment
    books.sell(1000)
    books.sleep()
    books.settle(MONDAY)
    onboard(books, desk)
    withdrawal_id = request(books).body["withdrawal_id"]
    approve(books, withdrawal_id)
    world.run_events()
    night(world)
    [transfer] = [d for d in service.list_unclosed_differences(world.ctx, limit=9).data if d.kind == "payout"]
    assert (transfer.item_id, transfer.state, transfer.remaining) == (withdrawal_id, "settling", {"EUR": 600})
    assert settle(books, desk, withdrawal_id, succeeds=True) == "paid"
    night(world)
    assert [d for d in service.list_unclosed_differences(world.ctx, limit=9).data if d.kind == "payout"] == []


def test_somebody_asks_for_a_day(world: World, desk: StripeDesk) -> None:
    pay_topup(world, desk)
    today = ask(world, "POST", "/reconciliations", {"day": MONDAY})
    assert (today.status, today.body["code"]) == (422, "reconciliation.day_not_over")
    world.advance(NIGHT_S)
    begun = ask(world, "POST", "/reconciliations", {"day": MONDAY})
    assert (begun.status, begun.body["state"], begun.body["hours"]) == (202, "running", 0)
    assert ask(world, "POST", "/reconciliations", {"day": MONDAY}).body == begun.body
    world.run_events()  # hour by hour
    done = ask(world, "GET", f"/reconciliations/{MONDAY}").body
    assert (done["state"], done["hours"], done["opened"]) == ("done", 24, 0)
    assert ask(world, "GET", "/reconciliations/2026-03-01").status == 404
    assert ask(world, "GET", f"/reconciliations/{MONDAY}", query={"provider": "nobody"}).status == 404


def test_operators_do_not_see_the_platforms_money(world: World) -> None:
    token = world.operator().access_token
    assert world.rest.get("/v1/reconciliations", token=token).status == 403
    assert world.rest.get("/v1/reconciliation-differences", token=token).status == 403
