"""A payment: its shape, and what a provider's word makes of it. Pure.

Invariants: only the provider's own answer moves a payment, never what an event claims; what it says counts only if
amount and currency are ours; an answer that never came is `unknown`, a state of its own; a capture is asked for once
and never of more than is authorised.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.kernel.errors import DomainError, Kind, conflict, invalid
from chalicelib.kernel.money import Money
from chalicelib.payments.model.lifecycle import (
    DISPUTED,
    DUE,
    PAYMENT_LIFECYCLE,
    TAKEN,
    UNOPENED,
    UNRESOLVED,
    PaymentState,
)
from chalicelib.payments.providers.port import (
    CaptureOutcome,
    Checkout,
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutState,
    ProviderRefused,
)

Purpose = Literal["topup", "guest"]
CaptureMode = Literal["automatic", "manual"]
PaidBack = Literal["none", "partial", "full"]
Work = Literal["undecided", "due", "authorized", "fee"]
"""Why the reconciliation looks at a payment."""

CHECKOUT_LIFETIME = timedelta(minutes=60)
"""How long the provider's page takes payments. Stripe takes 30 minutes to 24 hours."""
RECONCILE_AFTER = timedelta(minutes=10)
"""A payment that is undecided, or waits for the provider, for so long is looked up there."""
AUTHORIZATION_LIFETIME = timedelta(days=7)
"""How long money stays reserved where the provider does not say."""
ENDING_NOTICE = timedelta(hours=12)
"""So long before an authorisation runs out its purpose is told."""
FEE_PATIENCE = timedelta(days=3)
"""How long a provider may take to tell its fee."""


@dataclass(frozen=True, slots=True)
class PaymentSite:
    """Where it is paid for: a guest pays at a charger. `country` ISO 3166-1 alpha-2, `state` its region in words."""

    operator_id: str
    charger_id: str
    location_id: str | None = None
    country: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """What we asked to be captured: `amount` (`tax` of it) of the charging session `source_id`, for the income account
    of its operator on that business day."""

    amount: Money
    income_account_id: str
    business_day: str
    source_id: str
    tax: Money | None = None


@dataclass(frozen=True)
class Payment:
    """`payer_id` pays `amount` for `purpose_id`. `failure` is the provider's code of the latest refusal.

    `captured`, `fee`, `method`, `payment_ref` are the provider's word once it is paid; `authorized` once it is
    reserved. `refunded` is what was asked to be paid back and has not failed. `order` is what we asked to be captured.
    `disputes`: the states of its disputes, by their ids. `offered_by`: the operator whose top-up package was bought,
    which may see it too.
    Everything that the page was asked for is stored, so that asking again asks for the same.
    """

    payment_id: str
    state: PaymentState
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
    capture: CaptureMode = "automatic"
    site: PaymentSite | None = None
    authorized: Money | None = None
    authorization_expires_at: datetime | None = None
    ending_told_at: datetime | None = None
    country: str | None = None
    order: CaptureOrder | None = None
    refunded: Money | None = None
    fee_given_up: bool = False
    disputes: dict[str, str] | None = None
    offered_by: str | None = None
    revision: int = 0

    @property
    def is_unresolved(self) -> bool:
        return self.state in UNRESOLVED

    @property
    def operator_id(self) -> str | None:
        return self.site.operator_id if self.site else None

    @property
    def listed_for(self) -> str | None:
        """The operator that sees it in its list, besides the platform: whose charger it was paid at, or whose package
        was bought."""
        return self.operator_id or self.offered_by

    @property
    def kept(self) -> Money | None:
        """What is left of what was taken, without what went back or is on its way. None before it is taken."""
        if self.captured is None:
            return None
        return self.captured - (self.refunded or Money.zero(self.captured.currency))

    @property
    def paid_back(self) -> PaidBack:
        """How much of it went back to its payer, or is on its way."""
        if self.captured is None or self.refunded is None or self.refunded.amount <= 0:
            return "none"
        return "partial" if self.refunded < self.captured else "full"

    @property
    def tax(self) -> Money | None:
        """Contained in what is kept: of what went back, its part of the tax went with it."""
        tax = self.order.tax if self.order else None
        if tax is None or self.captured is None or self.kept is None or not self.captured.amount:
            return tax
        whole = self.captured.amount
        return Money((2 * tax.amount * self.kept.amount + whole) // (2 * whole), tax.currency)

    @property
    def net(self) -> Money | None:
        """What refunds and the provider's fee leave. None before both are known, or where they are in two
        currencies."""
        if self.kept is None or self.fee is None or self.kept.currency != self.fee.currency:
            return None
        return self.kept - self.fee

    @property
    def is_disputed(self) -> bool:
        """The payer's bank has taken the money back, or is about to, and has not decided for us."""
        return any(state in DISPUTED for state in (self.disputes or {}).values())

    @property
    def refundable(self) -> Money:
        """What may still be paid back. Nothing before it is taken, nor what the payer's bank has taken back."""
        if self.captured is None or self.state not in TAKEN or self.is_disputed:
            return Money.zero(self.amount.currency)
        return self.captured - (self.refunded or Money.zero(self.captured.currency))

    @property
    def work(self) -> Work | None:
        if self.state in UNRESOLVED:
            return "undecided"
        if self.state in DUE:
            return "due"
        if self.state == "authorized":
            return "authorized"
        return "fee" if self.state in TAKEN and self.fee is None and not self.fee_given_up else None

    def authorization_ends_at(self) -> datetime:
        return self.authorization_expires_at or self.changed_at + AUTHORIZATION_LIFETIME


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
        capture=payment.capture,
    )


def opened(payment: Payment, checkout: Checkout, now: datetime) -> Payment:
    return replace(
        moved(payment, "opened", now), provider_ref=checkout.provider_ref, redirect_url=checkout.redirect_url
    )


def refused(payment: Payment, refusal: ProviderRefused, now: datetime) -> Payment:
    return replace(moved(payment, "refused", now), failure=refusal.reason, failure_detail=refusal.detail)


def moved(payment: Payment, event: str, now: datetime) -> Payment:
    """The payment after an event. Raises payment.illegal_transition."""
    state = PAYMENT_LIFECYCLE.next(payment.state, event)
    return replace(payment, state=state, changed_at=now)


def after_outcome(payment: Payment, outcome: CheckoutOutcome, now: datetime) -> Payment:
    """The payment after the provider said how its page stands; the same object when that changes nothing."""
    if payment.provider_ref is None:
        payment = replace(payment, provider_ref=outcome.provider_ref)
    event = _event_of(payment, outcome)
    if event is None or not allows(payment, event):
        payment = with_fee(payment, outcome.fee) if outcome.provider_ref == payment.provider_ref else payment
        return payment if outcome.failure in (None, payment.failure) else replace(payment, failure=outcome.failure)
    is_good = event in ("paid", "authorized", "captured")
    return replace(
        moved(payment, event, now),
        captured=outcome.captured,
        fee=outcome.fee if event in ("paid", "captured") else None,
        payment_ref=outcome.payment_ref or payment.payment_ref,
        method=outcome.method or payment.method,
        authorized=outcome.authorized or payment.authorized,
        authorization_expires_at=outcome.authorization_expires_at or payment.authorization_expires_at,
        payer_email=payment.payer_email or outcome.payer_email,
        country=outcome.country or payment.country,
        failure=None if is_good else outcome.failure or payment.failure,
    )


def allows(payment: Payment, event: str) -> bool:
    return (payment.state, event) in PAYMENT_LIFECYCLE.transitions


def with_fee(payment: Payment, fee: Money | None) -> Payment:
    """A fee that becomes known after the money; it is known once."""
    is_new = fee is not None and payment.fee is None and payment.state in TAKEN
    return replace(payment, fee=fee, fee_given_up=False) if is_new else payment


def capture_asked(payment: Payment, order: CaptureOrder, now: datetime) -> Payment:
    """The payment of which a part is to be captured; the same object when it was asked for before.

    One whose authorisation is gone has failed at once. Raises payment.capture_invalid (422),
    payment.exceeds_authorized, payment.capture_conflict (another capture was asked for), payment.illegal_transition.
    """
    if payment.order is not None:
        if payment.order != order:
            raise conflict("payment.capture_conflict", "Another capture of this payment was asked for.")
        return payment
    if order.amount.amount <= 0 or order.amount.currency != payment.amount.currency:
        raise invalid("payment.capture_invalid", f"{order.amount} cannot be captured.", "/amount")
    limit = payment.authorized or payment.amount
    if order.amount > limit:
        raise conflict("payment.exceeds_authorized", f"No more than {limit} is authorised.", "/amount")
    # Captured without our asking (by hand, at the provider): then it is only said what it was for. Was it less, then
    # that is a fault, and no reason to refuse the end of a session.
    if payment.state == "captured":
        return replace(payment, order=order, changed_at=now)
    return replace(moved(payment, "capture_asked", now), order=order)


def after_capture(payment: Payment, outcome: CaptureOutcome, now: datetime) -> Payment:
    return replace(moved(payment, "captured", now), captured=outcome.captured, fee=outcome.fee, failure=None)


def capture_refused(payment: Payment, refusal: ProviderRefused, now: datetime) -> Payment:
    return replace(moved(payment, "capture_refused", now), failure=refusal.reason, failure_detail=refusal.detail)


def _event_of(payment: Payment, outcome: CheckoutOutcome) -> str | None:
    is_manual = payment.capture == "manual"
    if outcome.state is CheckoutState.PAID:
        if is_manual and outcome.captured is not None and outcome.captured.currency == payment.amount.currency:
            return "captured" if _is_ours(payment, outcome) and outcome.captured <= payment.amount else "mismatched"
        return "paid" if _is_ours(payment, outcome) and outcome.captured == payment.amount else "mismatched"
    if outcome.state is CheckoutState.AUTHORIZED:
        is_right = is_manual and _is_ours(payment, outcome) and outcome.authorized == payment.amount
        return "authorized" if is_right else "mismatched"
    if outcome.state is CheckoutState.RELEASED:
        return "released" if is_manual and outcome.provider_ref == payment.provider_ref else None
    if outcome.may_still_be_paid:
        return None
    return {CheckoutState.FAILED: "failed", CheckoutState.EXPIRED: "expired"}.get(outcome.state)


def _is_ours(payment: Payment, outcome: CheckoutOutcome) -> bool:
    return outcome.payment_id in (None, payment.payment_id) and outcome.provider_ref == payment.provider_ref


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
