"""What an operator owes before a settlement says so: cash that it took for wallets, bonuses of its packages. Pure.

Wallets are good at every operator: whoever puts money into them that it has not paid in spends that of the platform.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.money import Money


@dataclass(frozen=True)
class Exposure:
    """Minor units of cash and bonuses of an operator that no run has settled yet."""

    operator_id: str
    currency: str
    unsettled: int = 0


def room_of(limit: Money, payable: Money) -> Money:
    """What may be unsettled at most: the limit, less what the operator owes already. What it has earned is no more
    credit: it may be withdrawn."""
    return limit + min(payable, Money.zero(limit.currency))


def credit_exhausted(room: Money, unsettled: int) -> DomainError:
    left = max(room - Money(unsettled, room.currency), Money.zero(room.currency))
    detail = f"The operator may owe {left} more at the moment: it pays what it owes, or the platform raises its limit."
    return conflict("operator.credit_exhausted", detail)
