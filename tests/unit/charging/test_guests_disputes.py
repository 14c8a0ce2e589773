"""A guest's bank takes the payment back: the operator's income goes when that is final, by a credit CDR."""

from __future__ import annotations

import pytest

from chalicelib.charging import lookup
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.payments import service as payments
from chalicelib.payments.model import Dispute
from tests.integration.money.paying import balances_by_class, prove
from tests.site import Site
from tests.unit.charging.guest_till import Guest
from tests.unit.payments.till import Till, euro, page
from tests.world import Reply


@pytest.fixture
def guest(site: Site) -> Guest:
    return Guest(site, Till(site.world))


@pytest.fixture
def charged(guest: Guest) -> GuestOrder:
    """3.50 for 10 kWh."""
    order = guest.pays(guest.order(1000))
    guest.leaves(guest.plugs_in(order), 11_000)
    return order


def dispute(guest: Guest, order: GuestOrder) -> str:
    return tell(guest, guest.till.provider.dispute(page(guest.payment(order))))


def decide(guest: Guest, ref: str, *, won: bool) -> str:
    guest.site.advance_s(1)
    guest.till.provider.decide(ref, won=won)
    return tell(guest, ref)


def tell(guest: Guest, ref: str) -> str:
    guest.till.take(guest.till.provider.word_of_dispute(ref, guest.site.world.ctx.new_id("evt")))
    guest.run()
    return ref


def look(guest: Guest, order: GuestOrder) -> Dispute:
    [found] = payments.disputes_of(guest.site.world.ctx, guest.payment(order))
    return found


def test_while_it_is_open_the_operator_keeps_its_income(site: Site, guest: Guest, charged: GuestOrder) -> None:
    dispute(guest, charged)
    assert (look(guest, charged).state, look(guest, charged).uncovered) == ("open", euro(350))
    assert site.income() == 350
    assert balances_by_class(site)["disputes"] == -350


def test_lost_the_income_goes_by_a_credit_cdr(site: Site, guest: Guest, charged: GuestOrder) -> None:
    ref = decide(guest, dispute(guest, charged), won=False)
    tell(guest, ref)
    site.world._sequence = 0
    guest.run()
    lost = look(guest, charged)
    assert (lost.state, lost.borne, lost.uncovered) == ("lost", 350, euro(0))
    session, cdr = site.session(charged.session_id), lookup.find_cdr(site.world.ctx, charged.session_id)
    assert cdr is not None
    assert (session.cost, session.captured, cdr.captured.amount, cdr.uncollected.amount) == (350, 0, 0, 350)
    assert len(lookup.list_cdrs_of_session(site.world.ctx, charged.session_id)) == 3
    assert site.income() == 0
    books = balances_by_class(site)
    assert books.get("disputes", 0) == books.get("losses", 0) == 0
    prove(site)


def test_won_nothing_has_happened_but_the_fee(site: Site, guest: Guest, charged: GuestOrder) -> None:
    decide(guest, dispute(guest, charged), won=True)
    assert (look(guest, charged).state, site.income()) == ("won", 350)
    books = balances_by_class(site)
    assert (books.get("disputes", 0), books["fees"]) == (0, -20)
    assert len(lookup.list_cdrs_of_session(site.world.ctx, charged.session_id)) == 1


def test_what_was_paid_back_before_is_the_platforms_loss(site: Site, guest: Guest, charged: GuestOrder) -> None:
    """The guest got 1.00 twice: the operator gave it back already."""
    assert refund(guest, charged, 100).status == 202
    decide(guest, dispute(guest, charged), won=False)
    assert (look(guest, charged).borne, site.income()) == (250, 0)
    assert balances_by_class(site)["losses"] == -100
    prove(site)


def test_a_disputed_payment_is_not_paid_back_besides(site: Site, guest: Guest, charged: GuestOrder) -> None:
    ref = dispute(guest, charged)
    assert refund(guest, charged, 100).body["code"] == "payment.disputed"
    decide(guest, ref, won=False)
    assert refund(guest, charged, 100).body["code"] != "refund.exceeds_captured"
    assert site.income() == 0


def test_the_operator_sees_it_and_others_do_not(site: Site, guest: Guest, charged: GuestOrder) -> None:
    dispute(guest, charged)
    rest, token = site.world.rest, site.operator.access_token
    [listed] = rest.get("/v1/disputes", token=token, query={"state": "open"}).body["data"]
    assert (listed["payment_id"], listed["uncovered"]["amount"]) == (charged.payment_id, 350)
    assert rest.get("/v1/disputes", token=token, query={"state": "won"}).body["data"] == []
    path = f"/v1/disputes/{listed['dispute_id']}"
    assert rest.get(path, token=token).body == listed
    shown = rest.get(f"/v1/payments/{charged.payment_id}", token=token).body
    assert (shown["disputed"], shown["disputes"], shown["refundable"]["amount"]) == (True, [listed], 0)
    assert [p["disputed"] for p in rest.get("/v1/payments", token=token, query={"disputed": "true"}).body["data"]] == [
        True
    ]
    assert rest.get("/v1/payments", token=token, query={"disputed": "false"}).body["data"] == []
    stranger = site.world.operator("Stranger").access_token
    assert rest.get(path, token=stranger).status == 404
    assert rest.get("/v1/disputes", token=stranger).body["data"] == []


def refund(guest: Guest, order: GuestOrder, amount: int) -> Reply:
    path, body = f"/v1/payments/{order.payment_id}/refunds", {"reason": "Cold cable"}
    key = guest.site.world.ctx.new_id("key")
    token = guest.site.operator.access_token
    reply = guest.site.world.rest.post(
        path, {**body, "amount": {"amount": amount, "currency": "EUR"}}, token=token, key=key
    )
    guest.run()
    return reply
