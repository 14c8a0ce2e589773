"""What is left in a wallet of the cash that operators put in. Pure: a fold over the wallet's entries.

The rule: what is spent is taken from cash first, from that of the operator first who put some in first; what is paid
back to a card is taken from what cards paid. So what all operators together may take back is never more than what came
as cash and is still there, and nobody takes what drivers paid to the platform, or to another operator. A hold is not
spent before it is captured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from chalicelib.ledger.model import Entry, account_class, account_owner

_OF_THE_DRIVER: Final = frozenset({"wallet", "hold"})
_BACK_TO_THE_CARD: Final = frozenset({"payment_refund", "dispute"})
"""Kinds of entries that take out what a card had paid in."""


@dataclass(frozen=True)
class CashLeft:
    """Up to the entry `through`: what is left of each operator's cash, in the order in which it will be spent, and what
    was spent of it. Left below zero is what an operator took before it was put in, as the ids of the entries have it:
    its next cash makes up for that. `total`: what the driver has, reserved or not. `moves`: how many entries moved the
    balance."""

    driver_id: str
    currency: str
    left: tuple[tuple[str, int], ...] = ()
    spent: tuple[tuple[str, int], ...] = ()
    total: int = 0
    moves: int = 0
    through: str = ""

    def of(self, operator_id: str) -> int:
        return max(dict(self.left).get(operator_id, 0), 0)

    def spent_of(self, operator_id: str) -> int:
        return dict(self.spent).get(operator_id, 0)

    @property
    def sum(self) -> int:
        return sum(amount for _, amount in self.left if amount > 0)


def folded(known: CashLeft, entries: Iterable[Entry]) -> CashLeft:
    """The state after entries that follow `known`, in the order of their ids."""
    left, spent = dict(known.left), dict(known.spent)
    total, moves, through = known.total, known.moves, known.through
    for entry in entries:
        gained = sum(p.amount for p in entry.postings if account_class(p.account_id) in _OF_THE_DRIVER)
        put_in = _put_in(entry)
        for operator_id, amount in put_in.items():
            # Of whom nothing is left any more comes last with new cash.
            left[operator_id] = (left.get(operator_id) or left.pop(operator_id, 0)) + amount
        if entry.kind not in _BACK_TO_THE_CARD:
            _spend(left, spent, sum(put_in.values()) - gained)
        total += gained
        # More than the driver has cannot be left: a refund to a card may have taken cash, where nothing else was there.
        _spend(left, spent, sum(left.values()) - total)
        moves += entry.home_amount != 0
        through = entry.entry_id
    return replace(
        known,
        left=tuple((operator_id, amount) for operator_id, amount in left.items() if amount),
        spent=tuple(spent.items()),
        total=total,
        moves=moves,
        through=through,
    )


def _put_in(entry: Entry) -> dict[str, int]:
    """By operator; what was taken out is below zero. A voucher is cash of its seller, and not one to be deducted."""
    if entry.kind != "manual_entry":
        return {}
    return {account_owner(p.account_id): -p.amount for p in entry.postings if account_class(p.account_id) == "cash"}


def _spend(left: dict[str, int], spent: dict[str, int], amount: int) -> None:
    for operator_id, there in left.items():
        taken = min(there, amount)
        if taken > 0:
            left[operator_id] = there - taken
            spent[operator_id] = spent.get(operator_id, 0) + taken
            amount -= taken
