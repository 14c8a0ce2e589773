"""Stripe behind our port, through its official package: Checkout, captures, refunds, disputes, Connect, the balance.

Called through `PROVIDERS` only. The package is imported inside functions: it costs 130 ms that only a function that
pays should pay. Invariants: what Stripe answers with 5xx, 409, 429 or not at all is an unknown outcome, not a refusal;
signature age is judged by our clock. Source: docs.stripe.com/webhooks#verify-manually; the modules name theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import Kind
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    CaptureOutcome,
    Checkout,
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutState,
    DisputeOutcome,
    Movement,
    Payee,
    PayeeRequest,
    PayoutOutcome,
    PayoutRequest,
    ProviderEvent,
    ProviderEventRejected,
    ProviderRefused,
    RefundOutcome,
    RefundRequest,
)
from chalicelib.payments.providers.stripe import captures, connect, disputes, movements
from chalicelib.payments.providers.stripe.checkout import MONEY_DETAILS, read_outcome, session_params
from chalicelib.payments.providers.stripe.client import (
    API_BASE,
    NETWORK_RETRIES,
    READ_TIMEOUT_S,
    open_client,
    provider_errors,
)
from chalicelib.payments.providers.stripe.events import read_event
from chalicelib.payments.providers.stripe.units import from_stripe_units, most_expressible, to_stripe_units

if TYPE_CHECKING:
    import stripe

__all__ = ["MAX_SIGNATURE_AGE_S", "StripeProvider", "from_stripe_units", "to_stripe_units"]

SIGNATURE_HEADER = "stripe-signature"
MAX_SIGNATURE_AGE_S = 300


class StripeProvider:
    """One Stripe account: its secret key, and the signing secrets of the webhook endpoints that point at us.

    `webhook_secret` is one secret or several with commas between them: Stripe signs what happens on payees' accounts
    with another one, and an old and a new secret are valid side by side while they are exchanged.
    """

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
        self._webhook_secrets = [secret.strip() for secret in webhook_secret.split(",")]
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

    @staticmethod
    def expressible(amount: Money) -> Money:
        return most_expressible(amount)

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Opens a hosted Checkout page. ProviderRefused also for an amount that Stripe cannot count, or nothing."""
        if request.amount.amount <= 0:  # Stripe would open a page that takes no money
            raise ProviderRefused("amount_not_positive", f"{request.amount} cannot be paid.")
        params = session_params(request)
        with provider_errors():
            session = self._client.v1.checkout.sessions.create(params, {"idempotency_key": request.idempotency_key})
        if not session.url:
            raise ProviderRefused("no_page", "Stripe opened a checkout that has no page.", Kind.INTERNAL)
        return Checkout(
            provider_ref=session.id,
            redirect_url=session.url,
            expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        )

    def find_checkout(self, provider_ref: str) -> CheckoutOutcome:
        with provider_errors():
            session = self._client.v1.checkout.sessions.retrieve(provider_ref, {"expand": [MONEY_DETAILS]})
        return read_outcome(self._client, session)

    def expire_checkout(self, provider_ref: str) -> CheckoutOutcome:
        """Stripe refuses to expire what is no longer open; then how it stands is the answer."""
        try:
            with provider_errors():
                self._client.v1.checkout.sessions.expire(provider_ref)
        except ProviderRefused:
            outcome = self.find_checkout(provider_ref)
            if outcome.state is CheckoutState.OPEN:
                raise
            return outcome
        return self.find_checkout(provider_ref)

    def find_payment_id(self, payment_ref: str) -> str | None:
        return captures.find_payment_id(self._client, payment_ref)

    def capture(self, payment_ref: str, amount: Money, *, idempotency_key: str) -> CaptureOutcome:
        return captures.capture(self._client, payment_ref, amount, idempotency_key)

    def release(self, payment_ref: str, *, idempotency_key: str) -> None:
        captures.release(self._client, payment_ref, idempotency_key)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        return captures.refund(self._client, request)

    def find_refund(self, refund_ref: str) -> RefundOutcome:
        return captures.find_refund(self._client, refund_ref)

    def find_dispute(self, dispute_ref: str) -> DisputeOutcome:
        return disputes.find_dispute(self._client, dispute_ref)

    def create_payee(self, request: PayeeRequest) -> Payee:
        return connect.create_payee(self._client, request)

    def payee_link(self, payee_ref: str, return_url: str, refresh_url: str) -> str:
        return connect.payee_link(self._client, payee_ref, return_url, refresh_url)

    def find_payee(self, payee_ref: str) -> Payee:
        return connect.find_payee(self._client, payee_ref)

    def pay_out(self, request: PayoutRequest) -> PayoutOutcome:
        return connect.pay_out(self._client, request)

    def find_payout(self, payout_ref: str) -> PayoutOutcome:
        return connect.find_payout(self._client, payout_ref)

    def list_movements(self, date_from: datetime, date_to: datetime) -> Iterator[Movement]:
        return movements.list_movements(self._client, date_from, date_to)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """`body` is the request's, byte for byte; header names in any case."""
        header = next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER), "")
        signed_at = self._verify_signature(body, header)
        if self._now().timestamp() - signed_at > MAX_SIGNATURE_AGE_S:
            raise ProviderEventRejected("stale", "The notification was signed more than five minutes ago.")
        try:
            return read_event(json.loads(body))
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderEventRejected("malformed", f"The notification cannot be read: {error!r}.") from error

    @cached_property
    def _client(self) -> stripe.StripeClient:
        return open_client(
            api_key=self._api_key,
            api_base=self._api_base,
            network_retries=self._network_retries,
            read_timeout_s=self._read_timeout_s,
        )

    def _verify_signature(self, body: bytes, header: str) -> int:
        """When the body was signed (epoch seconds). The package would judge the age by the machine's clock."""
        import stripe

        for secret in self._webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(body.decode(), header, secret, tolerance=None)
            except UnicodeDecodeError:
                break
            except stripe.SignatureVerificationError:
                continue
            return int(next(part[2:] for part in header.split(",") if part.startswith("t=")))
        raise ProviderEventRejected("signature", "The notification's signature is wrong.")
