"""Payments on the provider's page: open it, and take the provider's word of how it stands.

Called by wallets (top-ups), charging (guests), the webhook, the reconciliation. Calls to a provider stand between two
commits, never inside one: functions that make one are given the provider by their caller, who commits what is
returned. Invariant: a payment moves once per fact.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.kernel import outbox
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import model
from chalicelib.payments.model import (
    CHECKOUT_LIFETIME,
    ENDING_NOTICE,
    FEE_PATIENCE,
    PAYMENT_LIFECYCLE,
    UNOPENED,
    CaptureMode,
    Payment,
    PaymentSite,
    Purpose,
)
from chalicelib.payments.providers.port import PaymentProvider, ProviderRefused, ProviderUnavailable
from chalicelib.payments.service.capturing import send_capture, send_release
from chalicelib.payments.service.listing import require_payment
from chalicelib.payments.service.saving import save
from chalicelib.payments.store import PAYMENTS


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
    capture: CaptureMode = "automatic",
    site: PaymentSite | None = None,
    offered_by: str | None = None,
) -> Payment:
    """Writes down that somebody wants to pay: the first of two commits. `open_checkout` follows.

    `offered_by`: the operator whose top-up package is bought.
    `capture="manual"`: the amount is reserved only, until `request_capture` or `request_release`.
    """
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
        capture=capture,
        site=site,
        offered_by=offered_by,
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
    return save(uow, payment, after)


def resolve_payment(uow: UnitOfWork, provider: PaymentProvider, payment_id: str) -> Payment:
    """Brings a payment that somebody has to look at (`Payment.work`) to the state that the provider gives it.

    Raises ProviderUnavailable, ProviderRefused: nothing is known then, nothing changed.
    """
    payment = require_payment(uow.ctx, payment_id)
    if payment.work == "undecided":
        return _decide(uow, provider, payment)
    if payment.state == "capture_due":
        return send_capture(uow, provider, payment_id)
    if payment.state == "release_due":
        return send_release(uow, provider, payment_id)
    if payment.work == "authorized":
        return _watch_authorization(uow, provider, payment)
    if payment.work == "fee":
        return _learn_fee(uow, provider, payment)
    return payment


def _decide(uow: UnitOfWork, provider: PaymentProvider, payment: Payment) -> Payment:
    """One whose page was asked for without an answer is asked for again with the same key: either it is found, or
    opened now, or refused."""
    known = payment
    if payment.provider_ref is None:
        try:
            checkout = provider.create_checkout(model.checkout_request(payment))
        except ProviderRefused as refusal:
            return save(uow, payment, model.refused(payment, refusal, uow.ctx.now()))
        known = model.opened(payment, checkout, uow.ctx.now())
    return save(uow, payment, asked(uow, provider, known))


def _watch_authorization(uow: UnitOfWork, provider: PaymentProvider, payment: Payment) -> Payment:
    """Whose money is reserved is told in time, once, and asked about when the time is over."""
    now = uow.ctx.now()
    ends_at = payment.authorization_ends_at()
    if now >= ends_at:
        return save(uow, payment, asked(uow, provider, payment))
    if payment.ending_told_at is None and now >= ends_at - ENDING_NOTICE:
        facts = {"payment_id": payment.payment_id, "purpose": payment.purpose, "purpose_id": payment.purpose_id}
        outbox.emit(uow, "payment.authorization_ending", payment.payment_id, facts)
        return save(uow, payment, replace(payment, ending_told_at=now))
    return payment


def _learn_fee(uow: UnitOfWork, provider: PaymentProvider, payment: Payment) -> Payment:
    after = asked(uow, provider, payment)
    if after.fee is None and uow.ctx.now() - payment.changed_at > FEE_PATIENCE:
        after = replace(after, fee_given_up=True)
    return save(uow, payment, after)


def asked(uow: UnitOfWork, provider: PaymentProvider, payment: Payment) -> Payment:
    """The payment as the provider says it stands; nothing is written yet."""
    if payment.provider_ref is None:
        raise DomainError("payment.no_reference", "The provider gave no reference.", Kind.INTERNAL)
    return model.after_outcome(payment, provider.find_checkout(payment.provider_ref), uow.ctx.now())
