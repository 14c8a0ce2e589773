"""What organisations read of their income: by day or by month, and what is owed to them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Literal

from chalicelib.settlement.model.runs import Run, Share

Granularity = Literal["day", "month"]

MAX_INCOME_DAYS = 400


@dataclass(frozen=True)
class Income:
    """One day or month in one currency, settled. Of an operator: all that was sold, and what of it goes where. Of those
    who get a part of it (an agency, a dealer): what was sold where they have a part, and `net`, their part."""

    period: str
    currency: str
    sessions: int = 0
    energy_wh: int = 0
    gross: int = 0
    tax: int = 0
    invoiced: int = 0
    cards: int = 0
    commission: int = 0
    fees: int = 0
    commission_tax: int = 0
    shares: int = 0
    cash: int = 0
    promotions: int = 0
    net: int = 0


_COUNTED = tuple(item.name for item in fields(Income) if item.name not in ("period", "currency"))


@dataclass(frozen=True)
class Balance:
    """What an organisation is owed (below zero: owes) of what is settled. `under_withdrawal` was asked for and is not
    paid yet; it is not in `owed` any more. `cash` was taken since, and is settled with its day; None:
    not looked for."""

    organization_id: str
    currency: str
    owed: int
    under_withdrawal: int = 0
    cash: int | None = 0

    @property
    def withdrawable(self) -> int:
        return max(self.owed, 0)


@dataclass(frozen=True)
class EnterpriseFinance:
    """What an enterprise may still use, what it was invoiced and has not paid, and what is on no invoice yet (what is
    held for charges that go on included). Minor units."""

    enterprise_id: str
    currency: str
    credit_limit: int
    free: int
    open_invoices: int
    open_amount: int
    overdue_amount: int

    @property
    def used(self) -> int:
        return self.credit_limit - self.free

    @property
    def not_invoiced(self) -> int:
        return self.used - self.open_amount


def income_of_run(run: Run) -> list[Income]:
    return [
        Income(run.business_day, line.currency, **{name: getattr(line, name) for name in _COUNTED})
        for line in run.lines
    ]


def income_of_share(share: Share) -> Income:
    return Income(
        share.business_day,
        share.currency,
        sessions=share.sessions,
        energy_wh=share.energy_wh,
        gross=share.gross,
        tax=share.tax,
        net=share.total,
    )


def totals_of(incomes: Iterable[Income]) -> list[Income]:
    """By currency, without a period."""
    return by_period((replace(income, period="") for income in incomes), "day")


def by_period(incomes: Iterable[Income], granularity: Granularity) -> list[Income]:
    """Summed by day or month and currency, oldest first."""
    sums: dict[tuple[str, str], Income] = {}
    for income in incomes:
        period = income.period[:7] if granularity == "month" else income.period
        known = sums.get((period, income.currency)) or Income(period, income.currency)
        counted = {name: getattr(known, name) + getattr(income, name) for name in _COUNTED}
        sums[(period, income.currency)] = replace(known, **counted)
    return [sums[key] for key in sorted(sums)]
