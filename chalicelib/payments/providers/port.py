"""What we ask of a payment provider, in our words.

Called by `payments`' services and jobs, always between two commits, never inside one. Whoever adds a provider
implements `PaymentProvider` and passes tests/contract/payments. Invariants: a call that moves money carries our id and
an idempotency key and may be repeated with them, days later too: it goes on where it stopped, money moves once; an
answer that never came is `ProviderUnavailable` ("the outcome is unknown", ask again), never a failure; amounts are
integer minor units by the ISO 4217 exponent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal, Protocol

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
    capture: Literal["automatic", "manual"] = "automatic"  # "manual": reserve only, `capture` or `release` later


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """The provider's page for one payment: send the payer to `redirect_url` before `expires_at`."""

    provider_ref: str
    redirect_url: str
    expires_at: datetime


class CheckoutState(Enum):
    OPEN = "open"  # nothing decided: not yet tried, or a slow payment method is under way
    AUTHORIZED = "authorized"  # money is reserved on the payer's card; nothing taken
    PAID = "paid"
    RELEASED = "released"  # the authorisation was cancelled, or ran out: nothing will be taken
    FAILED = "failed"  # the latest attempt was refused; see `CheckoutOutcome.may_still_be_paid`
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOutcome:
    """How a checkout stands at the provider now.

    `authorized`, `payment_ref`, `method`, `payer_email` and `country` are there once it is authorised or paid,
    `captured` once it is paid; `fee` (what the provider keeps, in the currency it settles in) as soon as the provider
    knows it. `may_still_be_paid`: the payer may yet do it; whose card was refused can try another one until the page
    expires, so FAILED is final only when this is False.
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
    authorized: Money | None = None  # what is reserved, or was before it was captured
    authorization_expires_at: datetime | None = None  # None: the provider does not say
    payer_email: str | None = None  # where the payer wants the receipt
    country: str | None = None  # of the card or bank account, ISO 3166-1 alpha-2


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOutcome:
    """What was taken of an authorisation. On a repeat: what was taken the first time, whatever is asked for now."""

    captured: Money
    fee: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """Money back to the payer, on the way it came. `refund_id` is ours and the same in every repeat."""

    payment_ref: str
    refund_id: str
    amount: Money
    reason: str  # for people; kept at the provider
    idempotency_key: str


class RefundState(Enum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"  # may still turn into FAILED: a bank can send the money back
    FAILED = "failed"  # the money is with us again


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOutcome:
    """`is_release`: nobody asked for it; it is how the provider releases the rest of an authorisation that was
    captured in part. The money was never ours."""

    refund_ref: str
    state: RefundState
    failure: str | None  # the provider's reason
    is_release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeRequest:
    """An organisation that is to be paid through the provider."""

    organization_id: str
    email: str
    country: str  # ISO 3166-1 alpha-2
    name: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """`payouts_enabled`: the provider knows who they are and where to send the money."""

    payee_ref: str
    payouts_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutRequest:
    """Money of ours to a payee's bank account. `payout_id` is ours and the same in every repeat."""

    payout_id: str
    payee_ref: str
    amount: Money
    description: str  # the payee reads it
    idempotency_key: str


class PayoutState(Enum):
    PENDING = "pending"
    PAID = "paid"  # may still turn into FAILED: a bank can send the money back
    FAILED = "failed"  # the money is with us again


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutOutcome:
    payout_ref: str
    state: PayoutState
    failure: str | None  # the provider's reason
    arrives_at: datetime | None


class DisputeState(Enum):
    INQUIRY = "inquiry"  # the payer's bank asks; no money has moved
    OPEN = "open"  # the bank has taken the money back, or is about to, and hears our side
    WON = "won"  # the money is with us, or was never taken; a bank may still come back to it
    LOST = "lost"  # it is not, for good


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeLine:
    """A line of our balance that a dispute made. `amount` is gross and signed (+ came to us), `fee` as in `Movement`;
    `list_movements` shows the same line with the dispute's reference as its `source_ref`."""

    movement_ref: str
    amount: Money
    fee: Money | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOutcome:
    """How a dispute stands at the provider now. `amount` is what the payer disputes; `lines` is what it has moved so
    far, oldest first. `respond_by`: until when the bank hears our side; None: no more."""

    dispute_ref: str
    payment_ref: str | None
    state: DisputeState
    amount: Money
    opened_at: datetime
    reason: str | None = None
    respond_by: datetime | None = None
    lines: tuple[DisputeLine, ...] = ()


MovementKind = Literal["payment", "refund", "transfer", "payout", "fee", "dispute", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line of our balance at the provider. `amount` is gross and signed: + came to us. What is taken back (a
    refund that failed, a payout that came back, the rest of a partial capture) is a movement of the same kind with the
    sign turned: the sum by kind and id is what counts. Ids are ours, where it has one."""

    movement_ref: str
    kind: MovementKind
    amount: Money
    fee: Money | None  # None: the provider took none; below zero: it gave some back
    created_at: datetime
    source_ref: str | None  # the provider's id of what moved the money
    payment_id: str | None = None
    refund_id: str | None = None
    payout_id: str | None = None


class ProviderEventKind(Enum):
    CHECKOUT_PAID = "checkout_paid"
    CHECKOUT_PENDING = "checkout_pending"  # the payer is done, the money is on its way (bank debits)
    CHECKOUT_FAILED = "checkout_failed"  # final
    CHECKOUT_EXPIRED = "checkout_expired"
    CHECKOUT_AUTHORIZED = "checkout_authorized"
    AUTHORIZATION_RELEASED = "authorization_released"  # by us, or it ran out
    ATTEMPT_FAILED = "attempt_failed"  # the payer may try again
    REFUND_CHANGED = "refund_changed"
    PAYOUT_CHANGED = "payout_changed"
    PAYEE_CHANGED = "payee_changed"
    DISPUTE_OPENED = "dispute_opened"  # the payer's bank asks for proof, and mostly took the money back
    DISPUTE_CHANGED = "dispute_changed"  # money moved for it, or it is decided
    OTHER = "other"  # nothing that we act upon


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderEvent:
    """A verified notification. `id` is the provider's and the same in every repeat of it.

    It says that something happened, not in which order: ask `find_checkout`, `find_refund`, `find_dispute`,
    `find_payout` or `find_payee` how things stand. `provider_ref` is None where the provider names only the attempt;
    `payment_id` (ours) is then the way to the payment, and where it is None too, `find_payment_id` of `payment_ref`.
    What was done at the provider by hand has none of our ids.
    """

    id: str
    kind: ProviderEventKind
    provider_type: str  # the provider's own name of the kind
    provider_ref: str | None
    payment_id: str | None
    occurred_at: datetime
    payment_ref: str | None = None
    refund_ref: str | None = None
    payout_ref: str | None = None
    payee_ref: str | None = None
    dispute_ref: str | None = None
    refund_id: str | None = None  # ours
    payout_id: str | None = None  # ours


class ProviderUnavailable(DomainError):
    """The provider did not answer, or not usefully: the outcome is unknown. Repeat with the same key."""

    def __init__(self, detail: str, *, retry_after_s: int = 5) -> None:
        super().__init__("payment_provider.unavailable", detail, Kind.UNAVAILABLE, retry_after_s=retry_after_s)


class ProviderRefused(DomainError):
    """The provider answered no, and nothing was created. `reason` is the provider's own code, except:

    "authorization_expired", "authorization_released": there is nothing left to capture; "already_captured": too late
    to release; "payouts_disabled": the payee has to finish with the provider first.
    """

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

    @staticmethod
    def expressible(amount: Money) -> Money:
        """The most of `amount`, which is not below zero, that the provider can take or give back; asks nobody. What is
        not expressible it refuses."""
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

    def find_payment_id(self, payment_ref: str) -> str | None:
        """Our id of the payment that the provider calls so; None for one that is not ours."""
        ...

    def capture(self, payment_ref: str, amount: Money, *, idempotency_key: str) -> CaptureOutcome:
        """Takes `amount` of what is authorised, at most all of it; the rest is released."""
        ...

    def release(self, payment_ref: str, *, idempotency_key: str) -> None:
        """Gives back all that is authorised; released already is fine. Refused when it was captured."""
        ...

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Sends money back, in parts if wanted; refused when it is more than is left of what was captured. A repeat
        tells how it stands now; what was refused or failed stays so, another try has another id and key."""
        ...

    def find_refund(self, refund_ref: str) -> RefundOutcome: ...

    def find_dispute(self, dispute_ref: str) -> DisputeOutcome: ...

    def create_payee(self, request: PayeeRequest) -> Payee:
        """Opens a payee's account at the provider; send them to `payee_link` next."""
        ...

    def payee_link(self, payee_ref: str, return_url: str, refresh_url: str) -> str:
        """A page of the provider's, for one visit soon, where the payee says who they are and where their bank is.
        It leads to `return_url`, finished or not, and to `refresh_url` when the link is used up."""
        ...

    def find_payee(self, payee_ref: str) -> Payee: ...

    def pay_out(self, request: PayoutRequest) -> PayoutOutcome:
        """Sends money to the payee's bank. Refused, or FAILED: no money has left us, or it is with us again. A repeat
        tells how it stands now; what was refused or failed stays so, another try has another id and key."""
        ...

    def find_payout(self, payout_ref: str) -> PayoutOutcome:
        """How the payout stands. Before FAILED is told, what was on its way to the payee has been taken back."""
        ...

    def list_movements(self, date_from: datetime, date_to: datetime) -> Iterator[Movement]:
        """Our balance's lines of that time, newest first, read page by page. `date_to` is not included."""
        ...

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        """Verifies and reads a notification. Raises ProviderEventRejected when its signature is wrong, when it
        was signed more than five minutes ago (a replay), or when it is not the provider's shape."""
        ...
