"""Money out: an organisation asks, somebody else approves, a bank or a provider pays. Pure.

What is asked for leaves `payable` at once, by an entry that the ledger refuses beyond what is there, and waits in
`withdrawals`; it comes back when nothing comes of it. The bank account is as it was when it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import (
    Entry,
    EntryKind,
    Posting,
    clearing_account,
    payable_account,
    withdrawals_account,
)

WithdrawalState = Literal["requested", "approved", "paying", "paid", "rejected", "failed"]
WithdrawalMethod = Literal["bank", "provider"]

WITHDRAWAL_LIFECYCLE: Lifecycle[WithdrawalState] = Lifecycle(
    noun="withdrawal",
    initial="requested",
    transitions={
        ("requested", "approved"): "approved",
        ("requested", "rejected"): "rejected",
        ("approved", "rejected"): "rejected",
        ("approved", "marked_paid"): "paid",
        ("approved", "payout_begun"): "paying",
        ("paying", "payout_paid"): "paid",
        ("paying", "payout_failed"): "failed",
        ("paid", "payout_failed"): "failed",
    },
)
"""A bank may send a provider's payout back days after it was paid."""

OPEN_STATES = frozenset({"requested", "approved", "paying"})
BANK = "bank"


@dataclass(frozen=True)
class Withdrawal:
    """`requested_by` and the like name a user for the record; `requested_login` is whose sign-in it was."""

    withdrawal_id: str
    organization_id: str
    number: str
    state: WithdrawalState
    amount: Money
    method: WithdrawalMethod
    requested_at: datetime
    requested_by: str
    requested_login: str
    revision: int = 1
    bank_account: BankAccount | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None
    paid_at: datetime | None = None
    reference: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def account_id(self) -> str:
        return withdrawals_account(self.organization_id, self.amount.currency)

    @property
    def payable_id(self) -> str:
        return payable_account(self.organization_id, self.amount.currency)


@dataclass(frozen=True)
class WithdrawalEntry:
    """An organisation's list names the withdrawal; its own row has the rest."""

    organization_id: str
    withdrawal_id: str


@dataclass(frozen=True)
class OpenWithdrawal:
    """What waits for approval or payment, of everybody: as long as it is open."""

    organization_id: str
    withdrawal_id: str


def check_four_eyes(withdrawal: Withdrawal, login_id: str) -> None:
    """Raises withdrawal.own (409): who asked does not approve."""
    if login_id == withdrawal.requested_login:
        raise DomainError("withdrawal.own", "Who asked for it cannot approve it.", Kind.CONFLICT)


def withdrawal_entry(withdrawal: Withdrawal) -> Entry:
    """Takes the amount out of what the organisation is owed."""
    amount = withdrawal.amount.amount
    return _entry(
        withdrawal,
        "withdrawal",
        withdrawal.payable_id,
        [Posting(withdrawal.payable_id, -amount), Posting(withdrawal.account_id, amount)],
        withdrawal.requested_at,
    )


def payout_entry(withdrawal: Withdrawal, provider: str, now: datetime) -> Entry:
    """The money has left, by a bank or a provider."""
    amount = withdrawal.amount.amount
    clearing = clearing_account(provider, withdrawal.amount.currency)
    return _entry(
        withdrawal,
        "payout",
        withdrawal.account_id,
        [Posting(withdrawal.account_id, -amount), Posting(clearing, amount)],
        now,
    )


def returned_entry(withdrawal: Withdrawal, provider: str, now: datetime) -> Entry:
    """Money that had left is back: it is owed again."""
    amount = withdrawal.amount.amount
    clearing = clearing_account(provider, withdrawal.amount.currency)
    return _entry(
        withdrawal,
        "reversal",
        withdrawal.payable_id,
        [Posting(withdrawal.payable_id, amount), Posting(clearing, -amount)],
        now,
    )


def _entry(
    withdrawal: Withdrawal, kind: EntryKind, home_account_id: str, postings: list[Posting], now: datetime
) -> Entry:
    return Entry(
        entry_id=derived_id("ent", now, withdrawal.withdrawal_id, kind),
        home_account_id=home_account_id,
        kind=kind,
        currency=withdrawal.amount.currency,
        postings=postings,
        occurred_at=now,
        source_id=withdrawal.withdrawal_id,
    )
