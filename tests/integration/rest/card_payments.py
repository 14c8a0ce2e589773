"""What was paid at the site by card, for the walks: a charge, one of which the refund failed, one that is disputed; and
a top-up that is disputed, and not made good."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.kernel.money import Money
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment, dispute_id_of
from chalicelib.payments.providers.port import RefundState
from chalicelib.wallets import service as wallets
from tests.site import Site
from tests.unit.charging.guest_till import Guest
from tests.unit.payments.till import Till, page

DISPUTER = "drv_disputer"
LONG_AGO = "2026-01-15"
"""A business day that no settlement of the walks is about: no credit CDR stands behind the refund."""


def things_of_card_payments(site: Site) -> dict[str, str]:
    guest = Guest(site, Till(site.world))
    paid, refunded = charge(guest), charge(guest)
    refund_id = fail_refund(guest, refunded)
    return {
        "payment_id": paid.payment_id,
        "refunded_payment_id": refunded.payment_id,
        "refund_id": refund_id,
        "dispute_id": dispute(guest, charge(guest)),
        "topup_dispute_id": dispute_topup(guest),
    }


def charge(guest: Guest) -> Payment:
    """Somebody without an account comes, charges, and has paid."""
    order = guest.pays(guest.order(evse_no=2))
    transaction_id = guest.plugs_in(order)
    guest.site.advance_s(120)
    guest.leaves(transaction_id, 2000)
    payment = guest.payment(order)
    assert payment.state == "captured", payment
    return payment


def fail_refund(guest: Guest, payment: Payment) -> str:
    assert payment.order is not None
    world, refund_id = guest.site.world, guest.site.world.ctx.new_id("ref")
    account_id = payment.order.income_account_id
    world.commit(
        lambda uow: payments.request_refund(
            uow,
            refund_id=refund_id,
            payment_id=payment.payment_id,
            amount=payment.refundable,
            reason="Not delivered",
            from_account_id=account_id,
            business_day=LONG_AGO,
            requested_by="things",
        )
    )
    guest.till.provider.refund_state = RefundState.FAILED
    guest.run()
    return refund_id


def dispute(guest: Guest, payment: Payment) -> str:
    """The payer's bank takes it back."""
    provider = guest.till.provider
    ref = provider.dispute(page(payment))
    guest.till.take(provider.word_of_dispute(ref, guest.site.world.ctx.new_id("evt")))
    guest.run()
    return dispute_id_of(provider.name, ref)


def dispute_topup(guest: Guest) -> str:
    """Of somebody who has reserved all of it for a charge, and has paid in something else since."""
    topup = pay_in(guest, 700)
    expires_at = guest.site.world.ctx.now() + timedelta(days=365)
    session_id = guest.site.world.ctx.new_id("ses")
    guest.site.world.commit(
        lambda uow: wallets.place_session_hold(
            uow, driver_id=DISPUTER, session_id=session_id, amount=topup.amount, expires_at=expires_at
        )
    )
    dispute_id = dispute(guest, topup)
    pay_in(guest, 300)
    return dispute_id


def pay_in(guest: Guest, amount: int) -> Payment:
    world = guest.site.world
    world.advance(1)
    _, payment = world.commit(
        lambda uow: wallets.begin_topup(
            uow,
            topup_id=world.ctx.new_id("top"),
            payment_id=world.ctx.new_id("pay"),
            driver_id=DISPUTER,
            amount=Money(amount, "EUR"),
        )
    )
    world.commit(lambda uow: payments.open_checkout(uow, guest.till.provider, payment))
    guest.till.provider.pay(page(payment))
    guest.till.notify(payment)
    guest.run()
    return guest.till.stored(payment)
