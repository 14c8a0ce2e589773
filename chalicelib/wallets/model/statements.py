"""How people read what moved a wallet: kinds and their words, the part of a bonus, sums per month. Pure.

Invariant: the months of a wallet sum to its balance, as its lines do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from chalicelib.kernel.spans import month_of
from chalicelib.ledger.model import Entry, account_class

EventType = Literal[
    "top_up",
    "bonus",
    "consumption",
    "refund",
    "manual_entry",
    "correction",
    "payment_refund",
    "dispute",
    "reversal",
    "voucher",
]
"""The kinds of entries that touch a wallet; `bonus` stands for those of which a part is a bonus, and a voucher is a
top-up too."""

LABELS: Final = {
    "top_up": "Top-up",
    "bonus": "Bonus",
    "consumption": "Consumption",
    "refund": "Refunded",
    "manual_entry": "Manual entry",
    "correction": "Correction",
    "payment_refund": "Payment refund",
    "dispute": "Disputed",
    "reversal": "Reversal",
    "voucher": "Voucher",
}
"""How people read the kinds of entries that touch a wallet."""


@dataclass(frozen=True)
class MonthTotal:
    """What came into a wallet and went out of it (below zero) in a month (YYYY-MM): minor units."""

    month: str
    income: int = 0
    expenditure: int = 0

    def with_amount(self, amount: int) -> MonthTotal:
        return MonthTotal(self.month, self.income + max(0, amount), self.expenditure + min(0, amount))


def bonus_in(entry: Entry) -> int:
    """What of an entry is a bonus: above zero where it was given, below where it was taken back."""
    return -sum(posting.amount for posting in entry.postings if account_class(posting.account_id) == "promotion")


def label_of(entry: Entry) -> str:
    """What a bank had taken back, and what came back of it, are lines of one kind."""
    if entry.kind == "dispute" and entry.home_amount > 0:
        return "Returned"
    return LABELS.get(entry.kind, entry.kind)


def is_event(entry: Entry, event_type: EventType | None) -> bool:
    """Whether a line of a wallet is of this kind; one that moved nothing is no line."""
    if entry.home_amount == 0:
        return False
    if event_type == "bonus":
        return bonus_in(entry) != 0
    if event_type == "top_up":
        return entry.kind in ("top_up", "voucher")
    return event_type in (None, entry.kind)


def month_totals(entries: Iterable[Entry], zone: str) -> list[MonthTotal]:
    """Per month as it is lived in an IANA zone, newest first; months in which nothing moved are left out."""
    totals: dict[str, MonthTotal] = {}
    for entry in entries:
        if entry.home_amount:
            month = month_of(entry.occurred_at, zone)
            totals[month] = totals.get(month, MonthTotal(month)).with_amount(entry.home_amount)
    return sorted(totals.values(), key=lambda total: total.month, reverse=True)
