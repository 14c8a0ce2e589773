"""A guest's card through the real package and the local stack's Stripe: reserve, take, let go, pay back, by webhook."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kernel.money import Money
from chalicelib.ledger import proving
from chalicelib.ledger.store import LINES
from chalicelib.payments import jobs, service
from chalicelib.payments.model import Payment, PaymentSite
from chalicelib.payments.providers import payment_provider
from tests.integration.money.conftest import StripeDesk
from tests.world import World

INCOME = "income:org_1:EUR"
DAY = "2026-03-02"
CONSUMERS = {
    "payment.capture_due": (jobs.on_capture_due,),
    "payment.release_due": (jobs.on_release_due,),
    "payment.refund_due": (jobs.on_refund_due,),
    "payment.fault_found": (jobs.on_fault_found,),
}


class Guest:
    """Somebody with a card and no account."""

    def __init__(self, world: World, desk: StripeDesk) -> None:
        self.world, self.desk = world, desk
        self.payment_id = world.ctx.new_id("pay")
        payment = world.commit(
            lambda uow: service.create_payment(
                uow,
                payment_id=self.payment_id,
                purpose="guest",
                purpose_id="ses_1",
                payer_id="guest",
                amount=Money(3000, "EUR"),
                description="Charging",
                capture="manual",
                site=PaymentSite("org_1", "CP-1", "loc_1", "DE", "Berlin"),
            )
        )
        provider = payment_provider(world.ctx)
        world.commit(lambda uow: service.open_checkout(uow, provider, payment))

    @property
    def payment(self) -> Payment:
        return service.require_payment(self.world.ctx, self.payment_id)

    def pays(self, outcome: str = "succeed") -> None:
        self.desk.payer(self.payment_id, outcome)
        self.settle()

    def is_charged(self, amount: int) -> None:
        def ask(uow: Any) -> Payment:
            cost = Money(amount, "EUR")
            return service.request_capture(
                uow, self.payment_id, cost, income_account_id=INCOME, business_day=DAY, source_id="ses_1"
            )

        self.world.commit(ask)
        self.settle()

    def gets_back(self, amount: int, refund_id: str) -> None:
        def ask(uow: Any) -> Any:
            return service.request_refund(
                uow,
                refund_id=refund_id,
                payment_id=self.payment_id,
                amount=Money(amount, "EUR"),
                reason="Not delivered",
                from_account_id=INCOME,
                business_day=DAY,
                requested_by="usr_1",
            )

        self.world.commit(ask)
        self.settle()

    def settle(self) -> None:
        """Everything that is told, by us and by the provider, is heard: twice, as it may be."""
        heard_before = len(self.desk.deliveries)
        for _ in range(3):
            self.world.run_events(CONSUMERS)
            self.world.advance(1)
            self.desk.deliver()
        for body, headers in self.desk.deliveries[heard_before:]:
            assert self.desk.post_event(body, headers) == 200
        self.world.run_events(CONSUMERS)

    def books(self) -> dict[str, int]:
        assert proving.prove_ledger(self.world.ctx).faults == []
        totals: dict[str, int] = {}
        for line in LINES.scan_all(self.world.ctx):
            for posting in line.postings:
                totals[posting.account_id] = totals.get(posting.account_id, 0) + posting.amount
        return {account_id: amount for account_id, amount in totals.items() if amount}


@pytest.fixture
def guest(world: World, desk: StripeDesk) -> Guest:
    return Guest(world, desk)


def test_from_the_reservation_to_a_refund(guest: Guest) -> None:
    guest.pays()
    assert (guest.payment.state, guest.payment.authorized) == ("authorized", Money(3000, "EUR"))
    assert guest.payment.authorization_expires_at is not None
    assert guest.books() == {}
    guest.is_charged(1234)
    payment = guest.payment
    assert (payment.state, payment.captured) == ("captured", Money(1234, "EUR"))
    assert payment.fee is not None
    fee = payment.fee.amount
    assert guest.books() == {INCOME: 1234, "clearing:stripe:EUR": fee - 1234, "fees:stripe:EUR": -fee}
    guest.gets_back(1000, "ref_1")
    guest.gets_back(234, "ref_2")
    assert guest.payment.refundable == Money(0, "EUR")
    assert guest.books() == {"clearing:stripe:EUR": fee, "fees:stripe:EUR": -fee}


def test_nothing_delivered_nothing_taken(guest: Guest) -> None:
    guest.pays()
    guest.is_charged(0)
    assert guest.payment.state == "released"
    assert guest.books() == {}


def test_a_capture_while_the_provider_is_down_is_made_up_for(guest: Guest, world: World) -> None:
    guest.pays()
    guest.desk.break_next(work_done=True)
    with pytest.raises(Exception, match="payment_provider"):
        guest.is_charged(1234)
    assert guest.payment.state == "capture_due"
    world.advance(601)
    assert world.run_job(jobs.reconcile_payments) == {"captured": 1}
    assert guest.books()[INCOME] == 1234


def test_an_authorisation_that_runs_out_is_told_by_the_provider(guest: Guest, world: World) -> None:
    guest.pays()
    world.advance(8 * 24 * 3600)
    guest.settle()
    assert guest.payment.state == "released"
    guest.is_charged(1234)  # too late: it is known at once
    assert guest.payment.state == "capture_failed"


def test_a_card_that_is_refused_reserves_nothing(guest: Guest) -> None:
    guest.pays("fail")
    assert (guest.payment.state, guest.payment.authorized) == ("pending", None)
    guest.pays()
    assert guest.payment.state == "authorized"
