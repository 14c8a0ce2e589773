"""What we ask of a payment provider, in our words.

Called by `payments/service.py` and `payments/jobs.py`, always between two commits, never inside one. Whoever adds a
provider implements `PaymentProvider` and passes tests/contract/payments. Invariants: a creating call carries an
idempotency key and may be repeated with it; an answer that never came is `ProviderUnavailable` ("the outcome is
unknown", ask again), never a failure; amounts are integer minor units by the ISO 4217 exponent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """A payment that the payer makes on the provider's own page.

    A repeat with the same `idempotency_key` must be equal in every field (build it from the stored payment, not
    from the present moment), else the provider refuses it.
    """

    payment_id: str  # ours; comes back in outcomes and events
    amount: Money
    description: str  # the payer reads it
    success_url: str
    cancel_url: str
    idempotency_key: str
    expires_at: datetime | None = None  # None: the provider's own limit
    payer_email: str | None = None
    locale: str | None = None  # language of the page, e.g. "de"
    metadata: Mapping[str, str] = field(default_factory=dict)  # kept at the provider, for people and reconciliation


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """The provider's page for one payment: send the payer to `redirect_url` before `expires_at`."""

    provider_ref: str
    redirect_url: str
    expires_at: datetime


class CheckoutState(Enum):
    OPEN = "open"  # nothing decided: not yet tried, or a slow payment method is under way
    PAID = "paid"
    FAILED = "failed"  # the latest attempt was refused; see `CheckoutOutcome.may_still_be_paid`
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOutcome:
    """How a checkout stands at the provider now.

    `captured`, `payment_ref` and `method` are there once it is paid; `fee` (what the provider keeps, in the currency
    it settles in) as soon as the provider knows it. `may_still_be_paid`: money may yet arrive; a payer whose card was
    refused can try another one until the page expires, so FAILED is final only when this is False.
    """

    provider_ref: str
    payment_id: str | None
    state: CheckoutState
    may_still_be_paid: bool
    captured: Money | None = None
    fee: Money | None = None
    payment_ref: str | None = None
    method: str | None = None
    failure: str | None = None  # the provider's reason for the latest refusal


class ProviderEventKind(Enum):
    CHECKOUT_PAID = "checkout_paid"
    CHECKOUT_PENDING = "checkout_pending"  # the payer is done, the money is on its way (bank debits)
    CHECKOUT_FAILED = "checkout_failed"  # final
    CHECKOUT_EXPIRED = "checkout_expired"
    ATTEMPT_FAILED = "attempt_failed"  # the payer may try again
    OTHER = "other"  # nothing that we act upon


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """A verified notification. `id` is the provider's and the same in every repeat of it.

    It says that something happened, not in which order: ask `find_checkout` how things stand. `provider_ref` is
    None where the provider names only the attempt; `payment_id` (ours) is then the way to the payment.
    """

    id: str
    kind: ProviderEventKind
    provider_type: str  # the provider's own name of the kind
    provider_ref: str | None
    payment_id: str | None
    occurred_at: datetime


class ProviderUnavailable(DomainError):
    """The provider did not answer, or not usefully: the outcome is unknown. Repeat with the same key."""

    def __init__(self, detail: str, *, retry_after_s: int = 5) -> None:
        super().__init__("payment_provider.unavailable", detail, Kind.UNAVAILABLE, retry_after_s=retry_after_s)


class ProviderRefused(DomainError):
    """The provider answered no, and nothing was created. `reason` is the provider's own code."""

    def __init__(self, reason: str, detail: str, kind: Kind = Kind.UNPROCESSABLE) -> None:
        super().__init__("payment_provider.refused", detail, kind)
        self.reason = reason


class ProviderEventRejected(DomainError):
    """A notification that we do not believe. `reason`: "signature", "stale" or "malformed"."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"provider_event.{reason}", detail, Kind.INVALID)
        self.reason = reason


class PaymentProvider(Protocol):
    """Every call may raise ProviderUnavailable and, except `parse_event`, ProviderRefused."""

    @property
    def name(self) -> str:
        """The provider's key in `PROVIDERS`, stored with each payment."""
        ...

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Opens the provider's page for one payment; the same idempotency key gives the same page."""
        ...

    def find_checkout(self, provider_ref: str) -> CheckoutOutcome:
        """How the checkout stands now: the provider's own word, to be trusted over any event."""
        ...

    def expire_checkout(self, provider_ref: str) -> CheckoutOutcome:
        """Closes the page so that nobody can pay any more; how it stands then (it may have been paid before)."""
        ...

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Verifies and reads a notification. Raises ProviderEventRejected when its signature is wrong, when it
        was signed more than five minutes ago (a replay), or when it is not the provider's shape."""
        ...
