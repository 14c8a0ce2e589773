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
from chalicelib.payments.model import Payment
from chalicelib.wallets import service


def on_payment_succeeded(ctx: Context, event: Event) -> None:
    """Credits the top-up that the payment was for. A page that had failed may still be paid after its driver has left:
    that money is an error in the log, on which an alarm stands, since nobody else would miss it."""
    if event.payload["purpose"] != "topup":
        return
    payment = payments.require_payment(ctx, event.payload["payment_id"])
    decide_and_commit(ctx, lambda uow: service.credit_topup(uow, payment.purpose_id, provider=payment.provider))
    for dispute_id in service.disputes_to_answer(ctx, payment.payment_id):
        answer_and_settle(ctx, dispute_id)
    _tell_if_left(ctx, payment, "was paid by a driver who has left: pay it back.")


def on_payment_failed(ctx: Context, event: Event) -> None:
    """Closes the top-up: refused, or the page ran out."""
    if event.payload["purpose"] == "topup":
        payment = payments.require_payment(ctx, event.payload["payment_id"])
        failure = payment.failure or payment.state
        decide_and_commit(ctx, lambda uow: service.fail_topup(uow, payment.purpose_id, failure=failure))


def on_dispute_changed(ctx: Context, event: Event) -> None:
    """A bank has taken a top-up back, or decided that it does: the wallet gives what it has, what is lost is booked."""
    if event.payload["purpose"] == "topup":
        answer_and_settle(ctx, event.payload["dispute_id"])


def on_dispute_won(ctx: Context, event: Event) -> None:
    """The wallet has its money again. Nobody would miss that of a driver who has left meanwhile: see
    `on_payment_succeeded`."""
    if event.payload["purpose"] != "topup":
        return
    dispute = payments.require_dispute(ctx, event.payload["dispute_id"])
    payment = payments.require_payment(ctx, dispute.payment_id)
    _tell_if_left(ctx, payment, "was disputed by a driver who has left, and won: pay back what is in the wallet.")


def answer_and_settle(ctx: Context, dispute_id: str, *, again: bool = False) -> None:
    """Two commits: a wallet changes once in each."""
    decide_and_commit(ctx, lambda uow: service.answer_dispute(uow, dispute_id, again=again))
    decide_and_commit(ctx, lambda uow: service.settle_dispute(uow, dispute_id))


def on_refund_failed(ctx: Context, event: Event) -> None:
    """The bonus of a top-up came back into the wallet with its money. A bank that has taken the payment back is why
    providers refuse refunds: then what came back makes good for that."""
    payload = event.payload
    if payload["purpose"] == "topup":
        decide_and_commit(ctx, lambda uow: service.note_failed_refund(uow, payload["purpose_id"], payload["refund_id"]))
        for dispute_id in service.disputes_to_answer(ctx, payload["payment_id"]):
            answer_and_settle(ctx, dispute_id, again=True)
        payment = payments.require_payment(ctx, payload["payment_id"])
        _tell_if_left(ctx, payment, "could not be paid back to a driver who has left: pay it out otherwise.")


def _tell_if_left(ctx: Context, payment: Payment, what: str) -> None:
    """An error in the log, on which an alarm stands; what is to be done is in the list of wallets that were left."""
    driver = drivers.get_driver(ctx, payment.payer_id)
    if driver is None or driver.deleted_at is None:
        return
    left_at = driver.deleted_at
    decide_and_commit(ctx, lambda uow: service.note_left(uow, payment.payer_id, left_at))
    account_id = wallet_account(payment.payer_id, payment.amount.currency)
    detail = f"{payment.payment_id} {what}"
    logger.error("ledger fault", extra={"code": "driver_left", "account_id": account_id, "detail": detail})
