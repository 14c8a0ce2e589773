"""Consumers of payment events: the money of a paid top-up enters the wallet here, exactly once.

Events come at least once and in any order; the top-up's state, in the same commit as the ledger entry, decides.
"""

from __future__ import annotations

from chalicelib.drivers import service as drivers
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.ledger.model import wallet_account
from chalicelib.payments import service as payments
from chalicelib.wallets import service


def on_payment_succeeded(ctx: Context, event: Event) -> None:
    """Credits the top-up that the payment was for. A page that had failed may still be paid after its driver has left:
    that money is an error in the log, on which an alarm stands, since nobody else would miss it."""
    if event.payload["purpose"] != "topup":
        return
    payment = payments.require_payment(ctx, event.payload["payment_id"])
    decide_and_commit(ctx, lambda uow: service.credit_topup(uow, payment.purpose_id, provider=payment.provider))
    driver = drivers.get_driver(ctx, payment.payer_id)
    if driver is not None and driver.deleted_at is not None:
        account_id = wallet_account(payment.payer_id, payment.amount.currency)
        detail = f"{payment.payment_id} was paid by a driver who has left: pay it back."
        logger.error("ledger fault", extra={"code": "driver_left", "account_id": account_id, "detail": detail})


def on_payment_failed(ctx: Context, event: Event) -> None:
    """Closes the top-up: refused, or the page ran out."""
    if event.payload["purpose"] == "topup":
        payment = payments.require_payment(ctx, event.payload["payment_id"])
        failure = payment.failure or payment.state
        decide_and_commit(ctx, lambda uow: service.fail_topup(uow, payment.purpose_id, failure=failure))


def on_refund_failed(ctx: Context, event: Event) -> None:
    """The bonus of a top-up came back into the wallet with its money."""
    payload = event.payload
    if payload["purpose"] == "topup":
        decide_and_commit(ctx, lambda uow: service.note_failed_refund(uow, payload["purpose_id"], payload["refund_id"]))
