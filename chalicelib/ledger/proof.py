"""The proof of the books: reads rows as a stream, in memory that does not grow with them. Pure.

What must hold: each entry sums to zero, in one currency; a balance equals its postings, in sum and in number, and
is not negative where it is guarded; nothing is posted to it from another account's list; what lies in hold accounts is
exactly the open holds; no hold is open after it should be over; what is summed per day is filed under one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from chalicelib.ledger.model import (
    Fault,
    Line,
    account_class,
    account_currency,
    account_owner,
    is_guarded,
    keeps_balance,
)

HOLD_GRACE = timedelta(hours=1)
"""How long a hold may outlive its expiry: whoever closes it runs on schedules of its own."""
MAX_FAULTS_PER_ACCOUNT = 10


@dataclass
class AccountProof:
    """What was read under one home account. `held` is what its postings put into each hold account, zeros left out;
    `open_holds` what the hold entries say is there."""

    account_id: str
    balance: int | None = None
    posting_count: int = 0
    posted: int = 0
    posted_count: int = 0
    entries: int = 0
    totals: Counter[str] = field(default_factory=Counter)
    held: dict[str, int] = field(default_factory=dict)
    open_holds: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, line: Line, now: datetime) -> None:
        if line.balance is not None:
            self.balance, self.posting_count = line.balance, line.posting_count
            return
        self.entries += 1
        if sum(posting.amount for posting in line.postings) != 0:
            self._fault("unbalanced", f"The postings of {line.entry_id} do not sum to zero.")
        if not line.is_filed:
            self._fault("not_filed", f"{line.entry_id} is of no business day: no settlement finds it.")
        for posting in line.postings:
            self.totals[f"{account_class(posting.account_id)}:{line.currency}"] += posting.amount
            if posting.account_id == self.account_id:
                self.posted += posting.amount
                self.posted_count += 1
            elif keeps_balance(posting.account_id):
                self._fault("guarded_elsewhere", f"{line.entry_id} moves {posting.account_id} behind its balance.")
            if account_currency(posting.account_id) not in (None, line.currency):
                self._fault("currency_differs", f"{line.entry_id} of {line.currency} moves {posting.account_id}.")
            if account_class(posting.account_id) == "hold":
                self._hold(posting.account_id, posting.amount)
                if line.hold_state == "open":
                    self._open(line, posting.account_id, now)

    def _hold(self, account_id: str, amount: int) -> None:
        left = self.held.get(account_id, 0) + amount
        if left:
            self.held[account_id] = left
        else:
            self.held.pop(account_id, None)

    def _open(self, line: Line, account_id: str, now: datetime) -> None:
        self.open_holds[account_id] = line.hold_amount or 0
        if line.hold_expires_at is not None and line.hold_expires_at + HOLD_GRACE < now:
            detail = f"The hold {line.entry_id} should be over since {line.hold_expires_at}."
            self._fault("hold_forgotten", detail, account_owner(account_id))

    def finish(self) -> AccountProof:
        """Compares what can only be compared at the end."""
        if keeps_balance(self.account_id):
            if (self.balance or 0) != self.posted or self.posting_count != self.posted_count:
                self._fault(
                    "balance_differs",
                    f"The balance says {self.balance} after {self.posting_count} postings, "
                    f"the entries {self.posted} in {self.posted_count}.",
                )
            if (self.balance or 0) < 0 and is_guarded(self.account_id):
                self._fault("balance_negative", f"The balance is {self.balance}.")
        if self.held != self.open_holds:
            self._fault("holds_differ", f"Open holds say {self.open_holds}, the postings {self.held}.")
        return self

    def _fault(self, code: str, detail: str, source_id: str | None = None) -> None:
        if len(self.faults) < MAX_FAULTS_PER_ACCOUNT:
            self.faults.append(Fault(code, self.account_id, detail[:300], source_id))


def prove_account(account_id: str, lines: Iterable[Line], now: datetime) -> AccountProof:
    """Proves what is stored under one account. `lines` in any order."""
    proof = AccountProof(account_id)
    for line in lines:
        proof.add(line, now)
    return proof.finish()


def prove_accounts(lines: Iterable[Line], now: datetime) -> Iterator[AccountProof]:
    """Proves account after account of a table read through: a store reads the rows of one partition together.

    Where it does not, or where somebody posts meanwhile, an account shows faults that a second look must confirm.
    """
    for account_id, of_account in groupby(lines, key=lambda line: line.pk):
        if ":" in account_id:
            yield prove_account(account_id, of_account, now)
