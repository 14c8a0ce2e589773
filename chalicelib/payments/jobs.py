"""What is asked of a provider after the commit that decided it, and the reconciliation: what nobody told us.

Consumers and the job do the same: both ask the provider with a key that is derived from what is stored, and write
what it says if nobody was faster. What a consumer could not do in time, the job does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from chalice import Blueprint, Rate

from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.log import logger
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.payments import service
from chalicelib.payments.model import Dispute, Payment, Payout
from chalicelib.payments.providers import payment_provider
from chalicelib.payments.providers.port import PaymentProvider

MAX_PAYMENTS = 500
"""Per run and kind of work: each is a call to the provider, and a Lambda has 15 minutes."""

ProviderOf = Callable[[str], PaymentProvider]

jobs = Blueprint(__name__)


def on_capture_due(ctx: Context, event: Event) -> None:
    """Takes what a session cost. A provider that does not answer makes the relay bring the event again."""
    capture(ctx, event.payload["payment_id"], partial(payment_provider, ctx))


def on_release_due(ctx: Context, event: Event) -> None:
    """Lets go what is reserved for nothing."""
    release(ctx, event.payload["payment_id"], partial(payment_provider, ctx))


def on_refund_due(ctx: Context, event: Event) -> None:
    """Pays back."""
    refund(ctx, event.payload["payment_id"], event.payload["refund_id"], partial(payment_provider, ctx))


def on_payout_due(ctx: Context, event: Event) -> None:
    """Pays out."""
    pay_out(ctx, event.payload["payout_id"], partial(payment_provider, ctx))


def on_fault_found(_ctx: Context, event: Event) -> None:
    """Writes what the alarm on the books watches."""
    logger.error("ledger fault", extra={key: event.payload[key] for key in ("code", "account_id", "detail")})


def capture(ctx: Context, payment_id: str, provider_of: ProviderOf) -> None:
    """As the consumer, with a provider of the caller's."""
    provider = provider_of(service.require_payment(ctx, payment_id).provider)
    decide_and_commit(ctx, lambda uow: service.send_capture(uow, provider, payment_id))


def release(ctx: Context, payment_id: str, provider_of: ProviderOf) -> None:
    provider = provider_of(service.require_payment(ctx, payment_id).provider)
    decide_and_commit(ctx, lambda uow: service.send_release(uow, provider, payment_id))


def refund(ctx: Context, payment_id: str, refund_id: str, provider_of: ProviderOf) -> None:
    provider = provider_of(service.require_refund(ctx, payment_id, refund_id).provider)
    decide_and_commit(ctx, lambda uow: service.send_refund(uow, provider, payment_id, refund_id))


def pay_out(ctx: Context, payout_id: str, provider_of: ProviderOf) -> None:
    provider = provider_of(service.require_payout(ctx, payout_id).provider)
    decide_and_commit(ctx, lambda uow: service.send_payout(uow, provider, payout_id))


@jobs.schedule(Rate(10, Rate.MINUTES), name="reconcile-payments")
@task.entry
def reconcile_payments(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Looks up at its provider what waits for it for 10 minutes: payments that are undecided, or to be captured or
    released, whose authorisation runs out, whose fee is not known; refunds, disputes, and payouts. Counts by the
    state they are in now."""
    return reconcile(ctx, partial(payment_provider, ctx))


def reconcile(ctx: Context, provider_of: ProviderOf) -> dict[str, int]:
    """The same with providers of the caller's. One payment's trouble does not hold up the others."""
    counts: Counter[str] = Counter()
    # What is to be captured first: it may run out.
    for work in ("due", "authorized", "undecided", "fee"):
        for overdue in islice(service.overdue_payments(ctx, work), MAX_PAYMENTS):
            state = _resolve(ctx, overdue, provider_of)
            counts.update([] if state is None else [state])
    for unfinished in islice(service.overdue_refunds(ctx), MAX_PAYMENTS):
        counts[_resolve_refund(ctx, unfinished.payment_id, unfinished.refund_id, provider_of)] += 1
    for dispute in islice(service.overdue_disputes(ctx), MAX_PAYMENTS):
        counts[_resolve_dispute(ctx, dispute, provider_of)] += 1
    for payout in islice(service.overdue_payouts(ctx), MAX_PAYMENTS):
        counts[_resolve_payout(ctx, payout, provider_of)] += 1
    return dict(counts)


def _resolve(ctx: Context, overdue: Payment, provider_of: ProviderOf) -> str | None:
    """Its state now; None where only the fee is missing, and still is."""
    provider = provider_of(overdue.provider)
    resolve = partial(service.resolve_payment, provider=provider, payment_id=overdue.payment_id)
    try:
        resolved = decide_and_commit(ctx, resolve)
        return None if resolved == overdue and resolved.work == "fee" else resolved.state
    except DomainError as error:
        logger.warning("payment not reconciled", extra={"payment_id": overdue.payment_id, "code": error.code})
        return "unanswered"


def _resolve_refund(ctx: Context, payment_id: str, refund_id: str, provider_of: ProviderOf) -> str:
    provider = provider_of(service.require_refund(ctx, payment_id, refund_id).provider)
    resolve = partial(service.resolve_refund, provider=provider, payment_id=payment_id, refund_id=refund_id)
    try:
        return f"refund_{decide_and_commit(ctx, resolve).state}"
    except DomainError as error:
        logger.warning("refund not reconciled", extra={"refund_id": refund_id, "code": error.code})
        return "refund_unanswered"


def _resolve_dispute(ctx: Context, dispute: Dispute, provider_of: ProviderOf) -> str:
    resolve = partial(service.resolve_dispute, provider=provider_of(dispute.provider), dispute_id=dispute.dispute_id)
    try:
        return f"dispute_{decide_and_commit(ctx, resolve).state}"
    except DomainError as error:
        logger.warning("dispute not reconciled", extra={"dispute_id": dispute.dispute_id, "code": error.code})
        return "dispute_unanswered"


def _resolve_payout(ctx: Context, payout: Payout, provider_of: ProviderOf) -> str:
    resolve = partial(service.resolve_payout, provider=provider_of(payout.provider), payout_id=payout.payout_id)
    try:
        return f"payout_{decide_and_commit(ctx, resolve).state}"
    except DomainError as error:
        logger.warning("payout not reconciled", extra={"payout_id": payout.payout_id, "code": error.code})
        return "payout_unanswered"
