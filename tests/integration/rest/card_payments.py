"""What guests paid at the site, for the walks: a payment for a charge, and one of which the refund failed."""

from __future__ import annotations

from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment
from chalicelib.payments.providers.port import RefundState
from tests.site import Site
from tests.unit.charging.guest_till import Guest
from tests.unit.payments.till import Till

LONG_AGO = "2026-01-15"
"""A business day that no settlement of the walks is about: no credit CDR stands behind the refund."""


def things_of_card_payments(site: Site) -> dict[str, str]:
    guest = Guest(site, Till(site.world))
    paid, refunded = charge(guest), charge(guest)
    refund_id = fail_refund(guest, refunded)
    return {"payment_id": paid.payment_id, "refunded_payment_id": refunded.payment_id, "refund_id": refund_id}


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
