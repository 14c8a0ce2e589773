"""Use cases of payments: open the provider's page, take the provider's word, reconcile.

Called by wallets (top-ups), the webhook, the reconciliation. Calls to a provider stand between two commits, never
inside one: functions that make one are given the provider by their caller, who commits what is returned. Invariants:
a payment moves once per fact; success and failure are told by an event in the same commit.
"""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead, not_found
from chalicelib.kernel.log import logger
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import model
from chalicelib.payments.model import (
    CHECKOUT_LIFETIME,
    PAYMENT_LIFECYCLE,
    RECONCILE_AFTER,
    UNOPENED,
    Payment,
    Purpose,
    SeenEvent,
)
from chalicelib.payments.providers.port import PaymentProvider, ProviderEvent, ProviderRefused, ProviderUnavailable
from chalicelib.payments.store import PAYMENTS, SEEN_EVENTS, UNRESOLVED, PaymentRow, event_pk, payment_pk


def create_payment(
    uow: UnitOfWork,
    *,
    payment_id: str,
    purpose: Purpose,
    purpose_id: str,
    payer_id: str,
    amount: Money,
    description: str,
    payer_email: str | None = None,
) -> Payment:
    """Writes down that somebody wants to pay: the first of two commits. `open_checkout` follows."""
    ctx = uow.ctx
    now = ctx.now()
    back = f"{ctx.settings.public_url}/v1/payments/{payment_id}/return"
    payment = Payment(
        payment_id=payment_id,
        state=PAYMENT_LIFECYCLE.initial,
        provider=ctx.settings.payment_provider,
        purpose=purpose,
        purpose_id=purpose_id,
        payer_id=payer_id,
        amount=amount,
        description=description,
        success_url=f"{back}?outcome=paid",
        cancel_url=f"{back}?outcome=cancelled",
        created_at=now,
        checkout_expires_at=now + CHECKOUT_LIFETIME,
        changed_at=now,
        payer_email=payer_email,
    )
    uow.create(PAYMENTS, payment)
    return payment


def open_checkout(uow: UnitOfWork, provider: PaymentProvider, payment: Payment) -> Payment:
    """Asks the provider for its page and adds the outcome to `uow`: pending, unknown or failed.

    Safe to repeat: the payment's id is the provider's idempotency key. A payment that has its page is returned as
    it is. The provider's silence and refusal are states here, not exceptions; see `model.opening_error`.
    """
    if payment.state not in UNOPENED:
        return payment
    try:
        checkout = provider.create_checkout(model.checkout_request(payment))
    except ProviderUnavailable:
        after = model.moved(payment, "unanswered", uow.ctx.now())
    except ProviderRefused as refusal:
        after = model.refused(payment, refusal, uow.ctx.now())
    else:
        after = model.opened(payment, checkout, uow.ctx.now())
    _save(uow, payment, after)
    return after


def take_event(uow: UnitOfWork, provider: PaymentProvider, event: ProviderEvent) -> str:
    """Acts upon a verified notification: asks the provider how the payment stands and adds that to `uow`.

    Returns what was done: `applied`, `repeated`, or `ignored` (not about a payment of ours). The event row lands in
    the same commit as its effect. Raises ProviderUnavailable: the provider will send it again.
    """
    ctx = uow.ctx
    payment = PAYMENTS.get(ctx, payment_pk(event.payment_id), "payment") if event.payment_id else None
    if payment is None or payment.provider != provider.name:
        logger.warning("notification about no payment of ours", extra={"provider_event": event.id})
        return "ignored"
    if SEEN_EVENTS.get(ctx, event_pk(provider.name, event.id), "event") is not None:
        return "repeated"
    provider_ref = payment.provider_ref or event.provider_ref
    if provider_ref is None or event.provider_ref not in (None, provider_ref):
        logger.error("notification about another page", extra={"payment_id": payment.payment_id, "event": event.id})
        return "ignored"
    _save(uow, payment, model.after_outcome(payment, provider.find_checkout(provider_ref), ctx.now()))
    uow.create(
        SEEN_EVENTS,
        SeenEvent(provider.name, event.id, event.provider_type, payment.payment_id, ctx.now()),
        on_conflict=StaleRead("The notification"),
    )
    return "applied"


def resolve_payment(uow: UnitOfWork, provider: PaymentProvider, payment_id: str) -> Payment:
    """Brings an undecided payment to the state that the provider gives it.

    One whose page was asked for without an answer is asked for again with the same key: either it is found, or
    opened now, or refused. Raises ProviderUnavailable, ProviderRefused: nothing is known then, nothing changed.
    """
    payment = require_payment(uow.ctx, payment_id)
    if not payment.is_unresolved:
        return payment
    known = payment
    if payment.provider_ref is None:
        try:
            checkout = provider.create_checkout(model.checkout_request(payment))
        except ProviderRefused as refusal:
            known = model.refused(payment, refusal, uow.ctx.now())
            _save(uow, payment, known)
            return known
        known = model.opened(payment, checkout, uow.ctx.now())
    if known.provider_ref is None:
        raise DomainError("payment.no_reference", "The provider gave no reference.", Kind.INTERNAL)
    after = model.after_outcome(known, provider.find_checkout(known.provider_ref), uow.ctx.now())
    _save(uow, payment, after)
    return after


def overdue_payments(ctx: Context) -> Iterator[Payment]:
    """Payments that are undecided for longer than RECONCILE_AFTER, oldest first."""
    before = ctx.now() - RECONCILE_AFTER
    for payment, _ in PAYMENTS.walk(ctx, UNRESOLVED, index=PaymentRow.unresolved_payments):
        if payment.created_at > before:
            return
        if payment.is_unresolved:
            yield payment


def require_payment(ctx: Context, payment_id: str) -> Payment:
    """Raises payment.not_found."""
    payment = PAYMENTS.get(ctx, payment_pk(payment_id), "payment")
    if payment is None:
        raise not_found("payment", payment_id)
    return payment


def list_of_payer(ctx: Context, payer_id: str, *, limit: int, cursor: str | None) -> Page[Payment]:
    """Newest first."""
    steps = PAYMENTS.walk(ctx, payer_id, index=PaymentRow.by_payer, newest_first=True, cursor=cursor)
    return page_of(steps, limit)


def list_of_day(ctx: Context, day: str, *, limit: int, cursor: str | None) -> Page[Payment]:
    """Payments made on a UTC day (YYYY-MM-DD), newest first."""
    steps = PAYMENTS.walk(ctx, day, index=PaymentRow.by_day, newest_first=True, cursor=cursor)
    return page_of(steps, limit)


def _save(uow: UnitOfWork, before: Payment, after: Payment) -> None:
    """Writes the payment if nobody moved it since `before` was read, and tells of success or failure."""
    if after == before:
        return
    uow.put(
        PAYMENTS,
        after,
        condition=(PaymentRow.state == before.state) & (PaymentRow.changed_at == before.changed_at),
        on_conflict=StaleRead("The payment"),
    )
    if after.state == before.state:
        return
    facts = {"payment_id": after.payment_id, "purpose": after.purpose, "purpose_id": after.purpose_id}
    if after.state == "succeeded":
        outbox.emit(uow, "payment.succeeded", after.payment_id, facts)
    elif after.state in ("failed", "expired"):
        outbox.emit(uow, "payment.failed", after.payment_id, facts)
    elif after.state == "mismatch":
        logger.error(
            "payment and provider disagree",
            extra={"payment_id": after.payment_id, "ours": str(after.amount), "theirs": str(after.captured)},
        )
