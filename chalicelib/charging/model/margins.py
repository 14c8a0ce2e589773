"""What the energy of a delivery cost its operator, and what is left of what was paid. Pure.

Both are counted without tax: what an operator takes of it belongs to the state, and what it pays of it comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.charging.model.billing import Cdr, CdrTotals
from chalicelib.kernel.money import Money

MarginGroup = Literal["day", "location", "charger_group", "charger"]


@dataclass(frozen=True)
class EnergyCost:
    """What the energy of one CDR cost, by the operator's price of the moment in which the delivery began. `cost`
    contains `tax`. There is none for a credit CDR: it takes back the one of the CDR that it names."""

    cdr_id: str
    session_id: str
    tariff_id: str
    tariff_version: int
    energy_wh: int
    cost: Money
    tax: Money
    computed_at: datetime

    @property
    def net(self) -> Money:
        return self.cost - self.tax


@dataclass
class MarginSum:
    """Minor units of one currency. `without_cost`: sessions of which nobody said what their energy cost."""

    sessions: int = 0
    energy_wh: int = 0
    revenue: int = 0
    energy_cost: int = 0
    without_cost: int = 0

    def add(self, totals: CdrTotals, cost: EnergyCost | None) -> None:
        """Counts a CDR in; a credit CDR counts out what it takes back."""
        sign = -1 if totals.credit_reference_id is not None else 1
        self.sessions += sign
        self.energy_wh += totals.energy_wh
        self.revenue += net_revenue(totals).amount
        if cost is None or cost.net.currency != totals.captured.currency:
            self.without_cost += sign
        else:
            self.energy_cost += sign * cost.net.amount

    def include(self, other: MarginSum) -> None:
        self.sessions += other.sessions
        self.energy_wh += other.energy_wh
        self.revenue += other.revenue
        self.energy_cost += other.energy_cost
        self.without_cost += other.without_cost


def net_revenue(cdr: Cdr | CdrTotals) -> Money:
    """What was paid, without its tax. CDRs that do not know their tax are of a time when none was told apart."""
    return cdr.captured if cdr.captured_tax is None else cdr.captured - cdr.captured_tax


def margin(cdr: Cdr, cost: EnergyCost | None) -> Money | None:
    """None where nobody said what the energy cost, or in another currency than it was sold in."""
    if cost is None or cost.net.currency != cdr.captured.currency:
        return None
    return net_revenue(cdr) - (-cost.net if cdr.is_credit else cost.net)
