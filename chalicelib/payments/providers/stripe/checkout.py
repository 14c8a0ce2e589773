"""Checkout Sessions: what a page is asked for, and how it stands.

Used by `StripeProvider`. A payment is judged by its PaymentIntent as soon as there is one: a session's own
`payment_status` does not tell reserved money from money on its way. Payment methods are what the account has switched
on: none are named here. Sources: docs.stripe.com/api/checkout/sessions, /payments/place-a-hold-on-a-payment-method.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import CheckoutOutcome, CheckoutRequest, CheckoutState
from chalicelib.payments.providers.stripe.client import (
    CAPTURE,
    PAGE_SIZE,
    PAYMENT_ID,
    RELEASE_CATEGORY,
    provider_errors,
)
from chalicelib.payments.providers.stripe.units import from_stripe_units, to_stripe_units

if TYPE_CHECKING:
    import stripe
    from stripe.checkout import Session
    from stripe.params.checkout import SessionCreateParams

MONEY_DETAILS = "payment_intent.latest_charge.balance_transaction"

_STATE_OF_INTENT = {
    "succeeded": CheckoutState.PAID,
    "requires_capture": CheckoutState.AUTHORIZED,
    "canceled": CheckoutState.RELEASED,
}

NOT_FOR_PAYERS: Final = frozenset({"fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "stolen_card"})
"""Reasons that whoever holds the card is not told (Stripe's guide on declines): they are shown as generic ones."""


def session_params(request: CheckoutRequest) -> SessionCreateParams:
    metadata = {**request.metadata, PAYMENT_ID: request.payment_id}
    params: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": request.payment_id,
        "metadata": metadata,
        # Events of the payment itself carry the payment's own metadata, not the page's.
        "payment_intent_data": {"description": request.description, "metadata": metadata},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": request.amount.currency.lower(),
                    "unit_amount": to_stripe_units(request.amount),
                    "product_data": {"name": request.description},
                },
            }
        ],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
    }
    if request.capture == "manual":
        params["payment_intent_data"]["capture_method"] = "manual"
        metadata[CAPTURE] = "manual"  # the page's events do not say it otherwise
    if request.expires_at is not None:
        params["expires_at"] = int(request.expires_at.timestamp())
    if request.payer_email is not None:
        params["customer_email"] = request.payer_email
    if request.locale is not None:
        params["locale"] = request.locale
    return params


def read_outcome(client: stripe.StripeClient, session: Session) -> CheckoutOutcome:
    intent = session.payment_intent if not isinstance(session.payment_intent, str) else None
    refusal = intent.last_payment_error if intent else None
    state, may_still_be_paid = _read_state(session, intent)
    outcome = CheckoutOutcome(
        provider_ref=session.id,
        payment_id=session.client_reference_id,
        state=state,
        may_still_be_paid=may_still_be_paid,
        failure=failure_reason(refusal) if refusal and state is CheckoutState.FAILED else None,
    )
    if intent is None or state not in (CheckoutState.PAID, CheckoutState.AUTHORIZED, CheckoutState.RELEASED):
        return outcome
    return replace(_with_money(outcome, session, intent), fee=read_fee(client, intent))


def failure_reason(refusal: stripe.PaymentIntent.LastPaymentError) -> str:
    """Stripe's code of the refusal, as the payer may be told it."""
    # Stripe leaves out what does not apply: the package then has no such attribute, whatever its types say.
    reason: str = getattr(refusal, "decline_code", None) or getattr(refusal, "code", None) or refusal.type
    return "generic_decline" if reason in NOT_FOR_PAYERS else reason


def _read_state(session: Session, intent: stripe.PaymentIntent | None) -> tuple[CheckoutState, bool]:
    """Our state of the checkout, and whether the payer may still pay."""
    if session.status == "expired":
        return CheckoutState.EXPIRED, False
    underway = intent is not None and intent.status == "processing"
    if session.status == "complete":
        known = _STATE_OF_INTENT.get(intent.status) if intent is not None else None
        if known is not None:
            return known, False
        return (CheckoutState.OPEN, True) if underway else (CheckoutState.FAILED, False)
    refused = intent is not None and intent.last_payment_error is not None
    return (CheckoutState.FAILED, True) if refused and not underway else (CheckoutState.OPEN, True)


def _with_money(outcome: CheckoutOutcome, session: Session, intent: stripe.PaymentIntent) -> CheckoutOutcome:
    attempt = latest_charge(intent)
    details = attempt.payment_method_details if attempt else None
    instrument = getattr(details, details.type, None) if details else None
    capture_before = getattr(instrument, "capture_before", None)
    held = outcome.state is CheckoutState.AUTHORIZED
    return replace(
        outcome,
        authorized=from_stripe_units(intent.amount, intent.currency) if intent.capture_method == "manual" else None,
        authorization_expires_at=datetime.fromtimestamp(capture_before, UTC) if held and capture_before else None,
        captured=(
            from_stripe_units(intent.amount_received, intent.currency) if outcome.state is CheckoutState.PAID else None
        ),
        payment_ref=intent.id,
        method=details.type if details else None,
        payer_email=(session.customer_details.email if session.customer_details else None) or session.customer_email,
        country=getattr(instrument, "country", None),
    )


def latest_charge(intent: stripe.PaymentIntent) -> stripe.Charge | None:
    """The attempt that counts, where the request asked to expand it."""
    return intent.latest_charge if not isinstance(intent.latest_charge, str) else None


def read_fee(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> Money | None:
    """What Stripe keeps of a captured payment; None while it does not know.

    A capture of a part is two lines of the balance: all that was authorised, and the rest of it as a refund that gives
    its share of the fee back.
    """
    attempt = latest_charge(intent)
    settled = attempt.balance_transaction if attempt else None
    if not settled or isinstance(settled, str):
        return None
    units = settled.fee
    if intent.amount_received < intent.amount:
        with provider_errors():
            refunds = client.v1.refunds.list(
                {"payment_intent": intent.id, "limit": PAGE_SIZE, "expand": ["data.balance_transaction"]}
            )
            lines = (release_line(refund) for refund in refunds.auto_paging_iter())
            units += sum(line.fee for line in lines if line is not None)
    return from_stripe_units(units, settled.currency)


def release_line(refund: stripe.Refund) -> stripe.BalanceTransaction | None:
    """The line of Stripe's own refund of what was not captured; None for a refund that somebody asked for. The
    request has to expand the lines."""
    line = refund.balance_transaction
    if line is None or isinstance(line, str) or line.reporting_category != RELEASE_CATEGORY:
        return None
    return line
