"""A payment: its shape, its lifecycle, and what a provider's word makes of it. Pure.

Invariants: only the provider's own answer moves a payment, never what an event claims; what it says counts only if
amount and currency are ours; an answer that never came is `unknown`, a state of its own; money that comes in late
still counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    Checkout,
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutState,
    ProviderRefused,
)

Purpose = Literal["topup"]

CHECKOUT_LIFETIME = timedelta(minutes=60)
"""How long the provider's page takes payments. Stripe takes 30 minutes to 24 hours."""
RECONCILE_AFTER = timedelta(minutes=10)
"""A payment that is undecided for so long is looked up at its provider."""

PAYMENT_LIFECYCLE = Lifecycle(
    noun="payment",
    initial="created",
    transitions={
        ("created", "opened"): "pending",
        ("created", "unanswered"): "unknown",
        ("created", "refused"): "failed",
        ("created", "paid"): "succeeded",
        ("created", "failed"): "failed",
        ("created", "expired"): "expired",
        ("created", "mismatched"): "mismatch",
        ("unknown", "opened"): "pending",
        ("unknown", "unanswered"): "unknown",
        ("unknown", "refused"): "failed",
        ("unknown", "paid"): "succeeded",
        ("unknown", "failed"): "failed",
        ("unknown", "expired"): "expired",
        ("unknown", "mismatched"): "mismatch",
        ("pending", "paid"): "succeeded",
        ("pending", "failed"): "failed",
        ("pending", "expired"): "expired",
        ("pending", "mismatched"): "mismatch",
        # Late money is money: the payer was faster than the end of the page, or its end was a mistake.
        ("failed", "paid"): "succeeded",
        ("failed", "mismatched"): "mismatch",
        ("expired", "paid"): "succeeded",
        ("expired", "mismatched"): "mismatch",
    },
)
UNRESOLVED = frozenset({"created", "unknown", "pending"})
UNOPENED = frozenset({"created", "unknown"})


@dataclass(frozen=True)
class Payment:
    """`payer_id` pays `amount` for `purpose_id`. `failure` is the provider's code of the latest refusal.

    `captured`, `fee`, `method`, `payment_ref` are the provider's word once it is paid. Everything that the page was
    asked for is stored, so that asking again asks for the same.
    """

    payment_id: str
    state: str
    provider: str
    purpose: str
    purpose_id: str
    payer_id: str
    amount: Money
    description: str
    success_url: str
    cancel_url: str
    created_at: datetime
    checkout_expires_at: datetime
    changed_at: datetime
    payer_email: str | None = None
    provider_ref: str | None = None
    redirect_url: str | None = None
    captured: Money | None = None
    fee: Money | None = None
    payment_ref: str | None = None
    method: str | None = None
    failure: str | None = None
    failure_detail: str | None = None

    @property
    def is_unresolved(self) -> bool:
        return self.state in UNRESOLVED


@dataclass(frozen=True)
class SeenEvent:
    """A provider's notification that was acted upon: its repeat changes nothing."""

    provider: str
    event_id: str
    provider_type: str
    payment_id: str
    received_at: datetime


def checkout_request(payment: Payment) -> CheckoutRequest:
    """What the provider is asked for; the same for the same payment, whenever it is asked."""
    return CheckoutRequest(
        payment_id=payment.payment_id,
        amount=payment.amount,
        description=payment.description,
        success_url=payment.success_url,
        cancel_url=payment.cancel_url,
        idempotency_key=payment.payment_id,
        expires_at=payment.checkout_expires_at,
        payer_email=payment.payer_email,
        metadata={"purpose": payment.purpose, "purpose_id": payment.purpose_id},
    )


def opened(payment: Payment, checkout: Checkout, now: datetime) -> Payment:
    return replace(
        moved(payment, "opened", now), provider_ref=checkout.provider_ref, redirect_url=checkout.redirect_url
    )


def refused(payment: Payment, refusal: ProviderRefused, now: datetime) -> Payment:
    return replace(moved(payment, "refused", now), failure=refusal.reason, failure_detail=refusal.detail)


def moved(payment: Payment, event: str, now: datetime) -> Payment:
    """The payment after an event. Raises payment.illegal_transition."""
    return replace(payment, state=PAYMENT_LIFECYCLE.next(payment.state, event), changed_at=now)


def after_outcome(payment: Payment, outcome: CheckoutOutcome, now: datetime) -> Payment:
    """The payment after the provider said how its page stands; the same object when that changes nothing."""
    if payment.provider_ref is None:
        payment = replace(payment, provider_ref=outcome.provider_ref)
    event = _event_of(payment, outcome)
    if event is None or not PAYMENT_LIFECYCLE.allows(payment.state, event):
        return payment if outcome.failure in (None, payment.failure) else replace(payment, failure=outcome.failure)
    return replace(
        moved(payment, event, now),
        captured=outcome.captured,
        fee=outcome.fee,
        payment_ref=outcome.payment_ref,
        method=outcome.method,
        failure=None if event == "paid" else outcome.failure or payment.failure,
    )


def _event_of(payment: Payment, outcome: CheckoutOutcome) -> str | None:
    if outcome.state is CheckoutState.PAID:
        ours = outcome.payment_id in (None, payment.payment_id) and outcome.provider_ref == payment.provider_ref
        return "paid" if ours and outcome.captured == payment.amount else "mismatched"
    if outcome.may_still_be_paid:
        return None
    return {CheckoutState.FAILED: "failed", CheckoutState.EXPIRED: "expired"}.get(outcome.state)


def opening_error(payment: Payment) -> DomainError | None:
    """Why there is no page to send the payer to; None when there is one, or when the payment went on from there."""
    if payment.state in UNOPENED:
        return DomainError(
            "payment.unknown_outcome",
            "The payment provider did not answer; ask again with the same Idempotency-Key.",
            Kind.UNAVAILABLE,
            retry_after_s=5,
        )
    if payment.state == "failed" and payment.provider_ref is None:
        detail = payment.failure_detail or "The payment provider refused this payment."
        return DomainError("payment.refused", detail, Kind.UNPROCESSABLE)
    return None
