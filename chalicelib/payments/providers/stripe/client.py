"""The official package, configured, and its exceptions in our words.

Used inside this package alone. `stripe` is imported inside functions: it costs 130 ms that only a function that pays
should pay. Invariant: what Stripe answers with 5xx, 409, 429 or not at all is an unknown outcome, not a refusal.
Sources: docs.stripe.com/api/errors, /api/idempotent_requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.kernel.errors import Kind
from chalicelib.payments.providers.port import ProviderRefused, ProviderUnavailable

if TYPE_CHECKING:
    import stripe

API_BASE = "https://api.stripe.com"
CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 8
NETWORK_RETRIES = 1  # both attempts and the pause fit into API Gateway's 29 s
PAGE_SIZE = 100
RELEASE_CATEGORY = "partial_capture_reversal"  # reporting category: what of an authorisation was not captured

# Our keys in Stripe's metadata.
PAYMENT_ID = "payment_id"
REFUND_ID = "refund_id"
PAYOUT_ID = "payout_id"
CAPTURE = "capture"


def open_client(*, api_key: str, api_base: str, network_retries: int, read_timeout_s: float) -> stripe.StripeClient:
    import stripe

    return stripe.StripeClient(
        api_key,
        base_addresses={"api": api_base},
        max_network_retries=network_retries,
        http_client=_http_client(read_timeout_s),
    )


@cache
def _http_client(read_timeout_s: float) -> stripe.HTTPClient:
    """One per process, so that requests that follow each other share a connection."""
    import stripe

    return stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_S, read_timeout_s))


def metadata_of(subject: object) -> dict[str, str]:
    """What was written on one of Stripe's objects; nothing for an id, or an object that has none."""
    metadata = getattr(subject, "metadata", None)
    return metadata.to_dict() if metadata is not None else {}


@contextmanager
def provider_errors() -> Iterator[None]:
    """Around each call. What is not clearly a no is an unknown outcome: no connection, 5xx, too many requests, 409
    (a request with the same key is still under way), an answer that is not Stripe's."""
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
