"""Stripe behind our port, through its official package: Checkout Sessions.

Called through `PROVIDERS` only. The package is imported inside functions: it costs 130 ms that only a function that
pays should pay. Invariants: what Stripe answers with 5xx, 409, 429 or not at all is an unknown outcome, not a refusal;
signature age is judged by our clock. Sources: docs.stripe.com/api/checkout/sessions, /currencies#special-cases,
/webhooks#verify-manually, /api/idempotent_requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import Kind
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    Checkout,
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutState,
    ProviderEvent,
    ProviderEventKind,
    ProviderEventRejected,
    ProviderRefused,
    ProviderUnavailable,
)

if TYPE_CHECKING:
    import stripe
    from stripe.checkout import Session
    from stripe.params.checkout import SessionCreateParams

API_BASE = "https://api.stripe.com"
SIGNATURE_HEADER = "stripe-signature"
MAX_SIGNATURE_AGE_S = 300
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 8
NETWORK_RETRIES = 1  # both attempts and the pause fit into API Gateway's 29 s

PAYMENT_ID = "payment_id"  # our key in Stripe's metadata
MONEY_DETAILS = "payment_intent.latest_charge.balance_transaction"

# How many of Stripe's units one ISO 4217 minor unit is, where that is not 1: currencies without minor units that
# Stripe still counts in hundredths.
_UNITS_PER_MINOR = {"ISK": 100, "UGX": 100}
# How many ISO minor units are one of Stripe's: Stripe counts the ariary whole.
_MINOR_PER_UNIT = {"MGA": 100}
# Three-decimal currencies: the last digit has to be 0.
_TENS_ONLY = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

_EVENT_KINDS = {
    "checkout.session.completed": ProviderEventKind.CHECKOUT_PAID,
    "checkout.session.async_payment_succeeded": ProviderEventKind.CHECKOUT_PAID,
    "checkout.session.async_payment_failed": ProviderEventKind.CHECKOUT_FAILED,
    "checkout.session.expired": ProviderEventKind.CHECKOUT_EXPIRED,
    "payment_intent.payment_failed": ProviderEventKind.ATTEMPT_FAILED,
}


class StripeProvider:
    """One Stripe account: its secret key and the signing secret of the webhook endpoint that points at us."""

    name = "stripe"

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        now: Callable[[], datetime],
        api_base: str = API_BASE,
        network_retries: int = NETWORK_RETRIES,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._api_key = api_key
        self._webhook_secret = webhook_secret
        self._now = now
        self._api_base = api_base
        self._network_retries = network_retries
        self._read_timeout_s = read_timeout_s

    @classmethod
    def from_context(cls, ctx: Context) -> StripeProvider:
        return cls(
            api_key=ctx.secret("stripe-secret-key"),
            webhook_secret=ctx.secret("stripe-webhook-secret"),
            now=ctx.now,
            api_base=ctx.settings.stripe_api_base,
        )

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Opens a hosted Checkout page. ProviderRefused also for an amount that Stripe cannot count, or nothing."""
        if request.amount.amount <= 0:  # Stripe would open a page that takes no money
            raise ProviderRefused("amount_not_positive", f"{request.amount} cannot be paid.")
        params = _session_params(request)
        with _provider_errors():
            session = self._client.v1.checkout.sessions.create(params, {"idempotency_key": request.idempotency_key})
        if not session.url:
            raise ProviderRefused("no_page", "Stripe opened a checkout that has no page.", Kind.INTERNAL)
        return Checkout(
            provider_ref=session.id,
            redirect_url=session.url,
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        )

    def find_checkout(self, provider_ref: str) -> CheckoutOutcome:
        with _provider_errors():
            session = self._client.v1.checkout.sessions.retrieve(provider_ref, {"expand": [MONEY_DETAILS]})
        return _read_outcome(session)

    def expire_checkout(self, provider_ref: str) -> CheckoutOutcome:
        """Stripe refuses to expire what is no longer open; then how it stands is the answer."""
        try:
            with _provider_errors():
                self._client.v1.checkout.sessions.expire(provider_ref)
        except ProviderRefused:
            outcome = self.find_checkout(provider_ref)
            if outcome.state is CheckoutState.OPEN:
                raise
            return outcome
        return self.find_checkout(provider_ref)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """`body` is the request's, byte for byte; header names in any case."""
        header = next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER), "")
        signed_at = self._verify_signature(body, header)
        if self._now().timestamp() - signed_at > MAX_SIGNATURE_AGE_S:
            raise ProviderEventRejected("stale", "The notification was signed more than five minutes ago.")
        try:
            return _read_event(json.loads(body))
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderEventRejected("malformed", f"The notification cannot be read: {error!r}.") from error

    @cached_property
    def _client(self) -> stripe.StripeClient:
        import stripe

        return stripe.StripeClient(
            self._api_key,
            base_addresses={"api": self._api_base},
            max_network_retries=self._network_retries,
            http_client=_http_client(self._read_timeout_s),
        )

    def _verify_signature(self, body: bytes, header: str) -> int:
        """When the body was signed (epoch seconds). The package would judge the age by the machine's clock."""
        import stripe

        try:
            stripe.WebhookSignature.verify_header(body.decode(), header, self._webhook_secret, tolerance=None)
        except (stripe.SignatureVerificationError, UnicodeDecodeError) as error:
            raise ProviderEventRejected("signature", "The notification's signature is wrong.") from error
        return int(next(part[2:] for part in header.split(",") if part.startswith("t=")))


@cache
def _http_client(read_timeout_s: float) -> stripe.HTTPClient:
    """One per process, so that requests that follow each other share a connection."""
    import stripe

    return stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, read_timeout_s))


def to_stripe_units(money: Money) -> int:
    """Our minor units in Stripe's. ProviderRefused for what Stripe cannot express."""
    per_unit = _MINOR_PER_UNIT.get(money.currency, 1)
    if money.amount % per_unit or (money.currency in _TENS_ONLY and money.amount % 10):
        raise ProviderRefused("amount_not_representable", f"{money} has more decimals than Stripe takes.")
    return money.amount // per_unit * _UNITS_PER_MINOR.get(money.currency, 1)


def from_stripe_units(units: int, currency: str) -> Money:
    """Stripe's units (currency in lower case) in ours.

    Payments are always whole, a fee in króna may be a fraction: it counts as one more, costs are not understated.
    """
    code = currency.upper()
    return Money(-(-units * _MINOR_PER_UNIT.get(code, 1) // _UNITS_PER_MINOR.get(code, 1)), code)


def _session_params(request: CheckoutRequest) -> SessionCreateParams:
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
    if request.expires_at is not None:
        params["expires_at"] = int(request.expires_at.timestamp())
    if request.payer_email is not None:
        params["customer_email"] = request.payer_email
    if request.locale is not None:
        params["locale"] = request.locale
    return params


def _read_outcome(session: Session) -> CheckoutOutcome:
    intent = session.payment_intent if not isinstance(session.payment_intent, str) else None
    refusal = intent.last_payment_error if intent else None
    underway = intent is not None and intent.status == "processing"
    state, may_still_be_paid = _read_state(session, refused=refusal is not None, underway=underway)
    outcome = CheckoutOutcome(
        provider_ref=session.id,
        payment_id=session.client_reference_id,
        state=state,
        may_still_be_paid=may_still_be_paid,
        failure=_failure_reason(refusal) if refusal and state is CheckoutState.FAILED else None,
    )
    if state is not CheckoutState.PAID or intent is None:
        return outcome
    return _with_money(outcome, intent)


def _failure_reason(refusal: stripe.PaymentIntent.LastPaymentError) -> str:
    # Stripe leaves out what does not apply: the package then has no such attribute, whatever its types say.
    return getattr(refusal, "decline_code", None) or getattr(refusal, "code", None) or refusal.type


def _read_state(session: Session, *, refused: bool, underway: bool) -> tuple[CheckoutState, bool]:
    """Our state of the checkout, and whether money may still arrive."""
    if session.status == "expired":
        return CheckoutState.EXPIRED, False
    if session.status == "complete":
        if session.payment_status == "paid":
            return CheckoutState.PAID, False
        return (CheckoutState.OPEN, True) if underway else (CheckoutState.FAILED, False)
    return (CheckoutState.FAILED, True) if refused and not underway else (CheckoutState.OPEN, True)


def _with_money(outcome: CheckoutOutcome, intent: stripe.PaymentIntent) -> CheckoutOutcome:
    latest_charge = intent.latest_charge if not isinstance(intent.latest_charge, str) else None
    settled = latest_charge.balance_transaction if latest_charge else None
    details = latest_charge.payment_method_details if latest_charge else None
    return replace(
        outcome,
        captured=from_stripe_units(intent.amount_received, intent.currency),
        payment_ref=intent.id,
        method=details.type if details else None,
        fee=from_stripe_units(settled.fee, settled.currency) if settled and not isinstance(settled, str) else None,
    )


def _read_event(event: Mapping[str, object]) -> ProviderEvent:
    data = event["data"]
    subject = data["object"] if isinstance(data, dict) else None
    created, event_id, provider_type = event["created"], event["id"], event["type"]
    if not (
        isinstance(subject, dict)
        and isinstance(created, int)
        and isinstance(event_id, str)
        and isinstance(provider_type, str)
    ):
        raise TypeError("an event has id, type, created and data.object")
    kind = _EVENT_KINDS.get(provider_type, ProviderEventKind.OTHER)
    if provider_type == "checkout.session.completed" and subject["payment_status"] != "paid":
        kind = ProviderEventKind.CHECKOUT_PENDING
    metadata = subject.get("metadata") or {}
    return ProviderEvent(
        id=event_id,
        kind=kind,
        provider_type=provider_type,
        provider_ref=subject["id"] if provider_type.startswith("checkout.session.") else None,
        payment_id=metadata.get(PAYMENT_ID),
        occurred_at=datetime.fromtimestamp(created, UTC),
    )


@contextmanager
def _provider_errors() -> Iterator[None]:
    """Stripe's exceptions in our words. What is not clearly a no is an unknown outcome: no connection, 5xx, too many
    requests, 409 (a request with the same key is still under way), an answer that is not Stripe's."""
    import stripe

    try:
        yield
    except stripe.StripeError as error:
        if not isinstance(error, _refusals()):
            raise ProviderUnavailable(f"Stripe did not answer: {error.user_message}") from error
        ours_to_fix = not isinstance(error, stripe.InvalidRequestError | stripe.CardError)
        reason = error.code or (error.error.type if error.error else None) or "refused"
        raise ProviderRefused(
            reason,
            f"Stripe refused: {error.user_message}",
            Kind.INTERNAL if ours_to_fix else Kind.UNPROCESSABLE,
        ) from error


def _refusals() -> tuple[type[Exception], ...]:
    import stripe

    return (
        stripe.InvalidRequestError,
        stripe.CardError,
        stripe.AuthenticationError,
        stripe.PermissionError,
        stripe.IdempotencyError,
    )
