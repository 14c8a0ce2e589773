"""PaymentIntents after the payer is done: capture, release, refund.

Used by `StripeProvider`. Stripe forgets idempotency keys after a day and its amounts here carry no currency: so the
payment is read first, and what was done before is the answer. Sources: docs.stripe.com/api/payment_intents/capture,
/cancel, /api/refunds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    CaptureOutcome,
    ProviderRefused,
    RefundOutcome,
    RefundRequest,
    RefundState,
)
from chalicelib.payments.providers.stripe.checkout import read_fee, release_line
from chalicelib.payments.providers.stripe.client import PAGE_SIZE, PAYMENT_ID, REFUND_ID, metadata_of, provider_errors
from chalicelib.payments.providers.stripe.units import from_stripe_units, positive_units

if TYPE_CHECKING:
    import stripe

CHARGE_DETAILS = "latest_charge.balance_transaction"

_EXPIRED_REASONS = frozenset({"automatic", "expired"})
_REFUND_STATES = {
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}  # pending, requires_action: still under way


def capture(client: stripe.StripeClient, payment_ref: str, amount: Money, key: str) -> CaptureOutcome:
    units = positive_units(amount)
    before = _read_intent(client, payment_ref)
    done = _capture_done(client, before)
    if done is not None:
        return done
    _check_currency(before, amount)
    try:
        with provider_errors():
            intent = client.v1.payment_intents.capture(
                payment_ref, {"amount_to_capture": units, "expand": [CHARGE_DETAILS]}, {"idempotency_key": key}
            )
    except ProviderRefused:
        # Somebody may have been faster, or it ran out in between.
        done = _capture_done(client, _read_intent(client, payment_ref))
        if done is None:
            raise
        return done
    return _read_capture(client, intent)


def release(client: stripe.StripeClient, payment_ref: str, key: str) -> None:
    try:
        with provider_errors():
            client.v1.payment_intents.cancel(payment_ref, {}, {"idempotency_key": key})
    except ProviderRefused as refusal:
        intent = _read_intent(client, payment_ref)
        if intent.status == "canceled":
            return
        if intent.status == "succeeded":
            raise ProviderRefused("already_captured", "This payment was captured: refund it.") from refusal
        raise


def find_payment_id(client: stripe.StripeClient, payment_ref: str) -> str | None:
    return metadata_of(_read_intent(client, payment_ref)).get(PAYMENT_ID)


def refund(client: stripe.StripeClient, request: RefundRequest) -> RefundOutcome:
    units = positive_units(request.amount)
    intent = _read_intent(client, request.payment_ref)
    _check_currency(intent, request.amount)
    with provider_errors():
        pages = client.v1.refunds.list({"payment_intent": request.payment_ref, "limit": PAGE_SIZE})
        for known in pages.auto_paging_iter():
            if metadata_of(known).get(REFUND_ID) == request.refund_id:
                return _read_refund(known)
    metadata = {REFUND_ID: request.refund_id, "reason": request.reason[:500]}
    payment_id = metadata_of(intent).get(PAYMENT_ID)
    if payment_id is not None:
        metadata[PAYMENT_ID] = payment_id
    with provider_errors():
        made = client.v1.refunds.create(
            {"payment_intent": request.payment_ref, "amount": units, "metadata": metadata},
            {"idempotency_key": request.idempotency_key},
        )
    return _read_refund(made)


def find_refund(client: stripe.StripeClient, refund_ref: str) -> RefundOutcome:
    with provider_errors():
        return _read_refund(client.v1.refunds.retrieve(refund_ref, {"expand": ["balance_transaction"]}))


def _read_refund(refund: stripe.Refund) -> RefundOutcome:
    return RefundOutcome(
        refund_ref=refund.id,
        state=_REFUND_STATES.get(refund.status or "", RefundState.PENDING),
        failure=getattr(refund, "failure_reason", None),
        is_release=release_line(refund) is not None,
    )


def _read_intent(client: stripe.StripeClient, payment_ref: str) -> stripe.PaymentIntent:
    with provider_errors():
        return client.v1.payment_intents.retrieve(payment_ref, {"expand": [CHARGE_DETAILS]})


def _capture_done(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> CaptureOutcome | None:
    """What was captured before; None when there is still something to capture. Refused when nothing is left."""
    if intent.status == "succeeded":
        return _read_capture(client, intent)
    if intent.status == "canceled":
        expired = intent.cancellation_reason in _EXPIRED_REASONS
        raise ProviderRefused(
            "authorization_expired" if expired else "authorization_released",
            "The authorisation ran out." if expired else "The authorisation was released.",
        )
    return None


def _read_capture(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> CaptureOutcome:
    return CaptureOutcome(
        captured=from_stripe_units(intent.amount_received, intent.currency), fee=read_fee(client, intent)
    )


def _check_currency(intent: stripe.PaymentIntent, amount: Money) -> None:
    if intent.currency.upper() != amount.currency:
        raise ProviderRefused("currency_mismatch", f"The payment is in {intent.currency.upper()}, not {amount}.")
