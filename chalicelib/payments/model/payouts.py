"""Money out through a provider: who is paid, and what becomes of a payout. Pure.

A payout account is an organisation's account at a provider, which knows who they are and where their bank is.
Invariants: a payout is paid once, however often it is asked for; one that failed, or came back, is told once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    Payee,
    PayeeRequest,
    PayoutOutcome,
    PayoutRequest,
    PayoutState,
    ProviderRefused,
)

PayoutAccountState = Literal["none", "requested", "incomplete", "ready"]
PayoutStateName = Literal["requested", "pending", "paid", "failed"]

PAYOUT_LIFECYCLE: Lifecycle[PayoutStateName] = Lifecycle(
    noun="payout",
    initial="requested",
    transitions={
        ("requested", "pending"): "pending",
        ("requested", "paid"): "paid",
        ("requested", "failed"): "failed",
        ("pending", "paid"): "paid",
        ("pending", "failed"): "failed",
        ("paid", "failed"): "failed",  # the payee's bank sent it back
    },
)


@dataclass(frozen=True)
class PayoutAccount:
    """`payee_ref` is the provider's, None until it has answered. `email`, `country` and `name` are as they were when
    it was asked for, so that asking again asks for the same."""

    organization_id: str
    provider: str
    email: str
    country: str
    name: str
    requested_at: datetime
    changed_at: datetime
    payee_ref: str | None = None
    payouts_enabled: bool = False
    revision: int = 1

    @property
    def state(self) -> PayoutAccountState:
        """requested (the provider has not answered), incomplete (the payee has to finish there), ready."""
        if self.payee_ref is None:
            return "requested"
        return "ready" if self.payouts_enabled else "incomplete"


@dataclass(frozen=True)
class PayeeName:
    """Whose the provider's account is."""

    provider: str
    payee_ref: str
    organization_id: str


@dataclass(frozen=True)
class Payout:
    """`amount` to an organisation's account at the provider, and from there to its bank. `payout_id` is whoever's it
    is paid for: a withdrawal's."""

    payout_id: str
    organization_id: str
    provider: str
    payee_ref: str
    amount: Money
    description: str
    requested_at: datetime
    changed_at: datetime
    state: PayoutStateName = "requested"
    payout_ref: str | None = None
    failure: str | None = None
    arrives_at: datetime | None = None

    @property
    def is_unfinished(self) -> bool:
        return self.state in ("requested", "pending")


def payee_request(account: PayoutAccount) -> PayeeRequest:
    return PayeeRequest(
        organization_id=account.organization_id,
        email=account.email,
        country=account.country,
        name=account.name,
        idempotency_key=f"{account.organization_id}/payee",
    )


def with_payee(account: PayoutAccount, payee: Payee, now: datetime) -> PayoutAccount:
    """The account as the provider says it stands; the same object when that changes nothing."""
    if (account.payee_ref, account.payouts_enabled) == (payee.payee_ref, payee.payouts_enabled):
        return account
    return replace(account, payee_ref=payee.payee_ref, payouts_enabled=payee.payouts_enabled, changed_at=now)


def no_payee() -> DomainError:
    return conflict("payout.no_payee", "Nobody is on file with the payment provider to pay out to.", "/method")


def payee_not_ready() -> DomainError:
    return conflict("payout.payee_not_ready", "Who is to be paid has to finish with the payment provider first.")


def same_payout(payout: Payout, other: Payout) -> bool:
    return (payout.organization_id, payout.amount) == (other.organization_id, other.amount)


def payout_request(payout: Payout) -> PayoutRequest:
    """What the provider is asked for; the same whenever it is asked."""
    return PayoutRequest(
        payout_id=payout.payout_id,
        payee_ref=payout.payee_ref,
        amount=payout.amount,
        description=payout.description,
        idempotency_key=payout.payout_id,
    )


def after_payout(payout: Payout, outcome: PayoutOutcome, now: datetime) -> Payout:
    """The payout after the provider said how it stands; the same object when that changes nothing."""
    event = {PayoutState.PENDING: "pending", PayoutState.PAID: "paid", PayoutState.FAILED: "failed"}[outcome.state]
    if (payout.state, event) not in PAYOUT_LIFECYCLE.transitions:
        return payout
    return replace(
        payout,
        state=PAYOUT_LIFECYCLE.next(payout.state, event),
        changed_at=now,
        payout_ref=outcome.payout_ref,
        failure=outcome.failure,
        arrives_at=outcome.arrives_at,
    )


def payout_refused(payout: Payout, refusal: ProviderRefused, now: datetime) -> Payout:
    state = PAYOUT_LIFECYCLE.next(payout.state, "failed")
    return replace(payout, state=state, changed_at=now, failure=refusal.reason)
