"""What an operator owes before a settlement says so: cash that it took for wallets, bonuses of its packages, what it
gave back of its income. Pure.

Wallets are good at every operator: whoever puts money into them that it has not paid in spends that of the platform.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.kernel.errors import DomainError, conflict, invalid
from chalicelib.kernel.money import Money


@dataclass(frozen=True)
class Exposure:
    """Minor units of cash, bonuses (also those that pages still offer) and money given back that no run has settled
    yet. Below zero where more came back than went out."""

    operator_id: str
    currency: str
    unsettled: int = 0


def room_of(limit: Money, payable: Money) -> Money:
    """What may be unsettled at most: the limit, and what is owed to the operator; less what it owes already. What is
    owed to it is good for this only because it cannot be withdrawn while it is (`kept_back`)."""
    return limit + payable


def room_for_promises(limit: Money, payable: Money) -> Money:
    """The same for what is only looked at, and reserves nothing: what is owed to the operator may be gone by then."""
    return limit + min(payable, Money.zero(limit.currency))


def kept_back(unsettled: Money) -> Money:
    """What has to stay of what is owed to an operator, for what it owes and no run has settled."""
    return max(unsettled, Money.zero(unsettled.currency))


def credit_exhausted(room: Money, unsettled: Money) -> DomainError:
    left = max(room - unsettled, Money.zero(room.currency))
    detail = f"The operator may owe {left} more at the moment: it pays what it owes, or the platform raises its limit."
    return conflict("operator.credit_exhausted", detail)


def wrong_currency(own: str) -> DomainError:
    detail = f"Cash is taken in {own}: in another currency the operator may owe nothing."
    return invalid("adjustment.currency", detail, "/amount/currency")
