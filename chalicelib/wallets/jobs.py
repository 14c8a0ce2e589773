"""Consumers of payment events: the money of a paid top-up enters the wallet here, exactly once.

Events come at least once and in any order; the top-up's state, in the same commit as the ledger entry, decides.
"""

from __future__ import annotations

from chalicelib.kernel.context import Context
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.payments import service as payments
from chalicelib.wallets import service


def on_payment_succeeded(ctx: Context, event: Event) -> None:
    """Credits the top-up that the payment was for."""
    if event.payload["purpose"] == "topup":
        payment = payments.require_payment(ctx, event.payload["payment_id"])
        decide_and_commit(ctx, lambda uow: service.credit_topup(uow, payment.purpose_id, provider=payment.provider))


def on_payment_failed(ctx: Context, event: Event) -> None:
    """Closes the top-up: refused, or the page ran out."""
    if event.payload["purpose"] == "topup":
        payment = payments.require_payment(ctx, event.payload["payment_id"])
        failure = payment.failure or payment.state
        decide_and_commit(ctx, lambda uow: service.fail_topup(uow, payment.purpose_id, failure=failure))
