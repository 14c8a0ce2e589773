"""A refund: money of a payment on its way back to the payer. Pure.

Invariants: all refunds of a payment together are never more than was captured (those asked for count at once); one
that failed for good gives a wallet its money back, once; one of income stays owed and may be tried again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from chalicelib.kernel.errors import DomainError, conflict, invalid
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import Posting, account_class
from chalicelib.payments.model.lifecycle import TAKEN
from chalicelib.payments.model.payments import Payment
from chalicelib.payments.providers.port import ProviderRefused, RefundOutcome, RefundRequest, RefundState

RefundStateName = Literal["requested", "pending", "succeeded", "failed"]

REFUND_LIFECYCLE: Lifecycle[RefundStateName] = Lifecycle(
    noun="refund",
    initial="requested",
    transitions={
        ("requested", "pending"): "pending",
        ("requested", "succeeded"): "succeeded",
        ("requested", "failed"): "failed",
        ("pending", "succeeded"): "succeeded",
        ("pending", "failed"): "failed",
        ("succeeded", "failed"): "failed",  # the payer's bank sent it back
        ("failed", "retried"): "requested",
    },
)
UNFINISHED = frozenset({"requested", "pending"})
MAX_REASON = 500


@dataclass(frozen=True)
class Refund:
    """`amount` goes back to the payer, out of `from_account_id`: a wallet, or an operator's income (on
    `business_day`). `beside`: what was posted to other accounts with it (a bonus that goes back with its top-up).
    `attempt` counts what was tried: each has an idempotency key of its own at the provider."""

    refund_id: str
    payment_id: str
    provider: str
    amount: Money
    reason: str
    from_account_id: str
    requested_by: str
    requested_at: datetime
    changed_at: datetime
    state: RefundStateName = "requested"
    business_day: str | None = None
    beside: list[Posting] = field(default_factory=list)
    refund_ref: str | None = None
    failure: str | None = None
    attempt: int = 1

    @property
    def is_of_wallet(self) -> bool:
        return account_class(self.from_account_id) == "wallet"

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED


def check_refund(payment: Payment, refund: Refund) -> Refund:
    """Returns a refund that the payment bears. Raises payment.not_refundable, payment.disputed, refund.exceeds_captured
    (409), refund.amount_invalid, refund.account_invalid, refund.day_missing, refund.reason_missing (422)."""
    amount = refund.amount
    if payment.state not in TAKEN:
        raise conflict("payment.not_refundable", f"A payment that is {payment.state} has nothing to pay back.")
    if payment.is_disputed:
        raise disputed()
    if amount.amount <= 0 or amount.currency != payment.amount.currency:
        raise invalid("refund.amount_invalid", f"{amount} cannot be paid back.", "/amount")
    if not 0 < len(refund.reason) <= MAX_REASON:
        raise invalid("refund.reason_missing", f"A refund has a reason of 1 to {MAX_REASON} characters.", "/reason")
    if account_class(refund.from_account_id) not in ("wallet", "income"):
        raise invalid("refund.account_invalid", "Money is paid back out of a wallet or of income.")
    if refund.business_day is None and (not refund.is_of_wallet or refund.beside):
        raise invalid("refund.day_missing", "What is paid back out of income has a business day.")
    if amount > payment.refundable:
        raise conflict("refund.exceeds_captured", f"No more than {payment.refundable} can be paid back.", "/amount")
    return refund


def disputed() -> DomainError:
    detail = "The payer's bank has taken this payment back: what is paid back besides would be paid twice."
    return conflict("payment.disputed", detail)


def same_request(refund: Refund, other: Refund) -> bool:
    return (refund.payment_id, refund.amount, refund.from_account_id, refund.beside) == (
        other.payment_id,
        other.amount,
        other.from_account_id,
        other.beside,
    )


def refund_request(refund: Refund, payment_ref: str) -> RefundRequest:
    """What the provider is asked for; the same for the same attempt, whenever it is asked. To the provider each attempt
    is a refund of its own: it would find the one that failed again."""
    attempt_id = refund.refund_id if refund.attempt == 1 else f"{refund.refund_id}/{refund.attempt}"
    return RefundRequest(
        payment_ref=payment_ref,
        refund_id=attempt_id,
        amount=refund.amount,
        reason=refund.reason,
        idempotency_key=attempt_id,
    )


def refund_of_attempt(attempt_id: str) -> tuple[str, int]:
    """Our refund, and which attempt at it, by the id that the provider has; attempt 0 for an id that is not ours."""
    refund_id, _, attempt = attempt_id.partition("/")
    if not attempt:
        return refund_id, 1
    return refund_id, int(attempt) if attempt.isascii() and attempt.isdecimal() else 0


def after_refund(refund: Refund, outcome: RefundOutcome, now: datetime) -> Refund:
    """The refund after the provider said how it stands; the same object when that changes nothing."""
    event = {RefundState.PENDING: "pending", RefundState.SUCCEEDED: "succeeded", RefundState.FAILED: "failed"}[
        outcome.state
    ]
    if (refund.state, event) not in REFUND_LIFECYCLE.transitions:
        return refund
    return replace(moved_refund(refund, event, now), refund_ref=outcome.refund_ref, failure=outcome.failure)


def refund_refused(refund: Refund, refusal: ProviderRefused, now: datetime) -> Refund:
    return replace(moved_refund(refund, "failed", now), failure=refusal.reason)


def refund_retried(refund: Refund, now: datetime) -> Refund:
    """Raises refund.illegal_transition, refund.returned (the wallet has its money back: ask for a new one)."""
    if refund.is_of_wallet:
        raise conflict("refund.returned", "The money is in the wallet again; ask for a new refund.")
    return replace(moved_refund(refund, "retried", now), refund_ref=None, failure=None, attempt=refund.attempt + 1)


def moved_refund(refund: Refund, event: str, now: datetime) -> Refund:
    """Raises refund.illegal_transition."""
    state = REFUND_LIFECYCLE.next(refund.state, event)
    return replace(refund, state=state, changed_at=now)
