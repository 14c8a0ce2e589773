"""Days against the local stack's Stripe, through the real package: a day of everything is right to the cent, disputes
that we booked agree, and those that we did not are found."""

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


def test_a_dispute_that_is_told_agrees(world: World, desk: StripeDesk, guest: Guest) -> None:
    guest.pays()
    guest.is_charged(1234)
    payment_id = pay_topup(world, desk)
    for disputed in (guest.payment_id, payment_id):
        desk.run(act(desk, disputed, "dispute"))
    desk.deliver()
    world.run_events()
    assert night(world) == QUIET
    desk.run(act(desk, payment_id, "won"))
    desk.run(act(desk, guest.payment_id, "lost"))
    desk.deliver()
    world.run_events()
    assert night(world) == QUIET
    listed = ask(world, "GET", "/disputes").body["data"]
    assert {(each["purpose"], each["state"]) for each in listed} == {("topup", "won"), ("guest", "lost")}
    assert guest.books().get("disputes:stripe:EUR") is None


def test_a_card_that_is_disputed_at_once(world: World, desk: StripeDesk) -> None:
    driver = world.driver_token("drv_1")
    _, topup = top_up(world, driver)
    desk.payer(topup["payment_id"], "disputed")
    desk.deliver()
    world.run_events()
    [dispute] = ask(world, "GET", "/disputes", query={"state": "open"}).body["data"]
    assert (dispute["withheld"]["amount"], dispute["uncovered"]["amount"]) == (topup["amount"]["amount"], 0)
    lines = world.rest.get("/v1/driver/wallet/transactions", token=driver).body["data"]
    assert [(line["label"], line["dispute_id"]) for line in lines] == [
        ("Disputed", dispute["dispute_id"]),
        ("Top-up", None),
    ]
    assert night(world) == QUIET


def test_a_dispute_that_nobody_told_is_found_and_booked(world: World, desk: StripeDesk) -> None:
    payment_id = pay_topup(world, desk)
    desk.run(act(desk, payment_id, "dispute"))
    assert night(world) == QUIET | {"settling": 2, "healed": 1}  # the money, and what Stripe takes for it
    [dispute] = ask(world, "GET", "/disputes").body["data"]
    assert (dispute["payment_id"], dispute["state"], dispute["uncovered"]["amount"]) == (payment_id, "open", 0)
    assert night(world) == QUIET
    assert ask(world, "GET", "/reconciliation-differences").body["data"] == []


async def act(desk: StripeDesk, payment_id: str, what: str) -> None:
    if what == "dispute":
        desk.fake.disputes.begin(payment_id)
    else:
        desk.fake.disputes.decide(payment_id, won=what == "won")


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
