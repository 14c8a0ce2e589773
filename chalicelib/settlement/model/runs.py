"""Settlement runs and statements; pure.

One run per operator and business day. The statement is computed from CDRs; the run closes only if the ledger, read
independently, says the same. `gross` is what wallets paid and enterprises owe. The latter (`invoiced`) the operator
collects itself, and what it took in cash for wallets (`cash`) it has already: no money of either came to the platform,
so they are not in `net`, what the operator is owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.charging.model import CdrTotals
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money

GRACE = timedelta(minutes=15)
"""After the operator's midnight: commits that were decided before it have landed."""

MAX_DAYS = 31
"""Runs that are opened at once for one operator."""

RUN_LIFECYCLE = Lifecycle(
    noun="settlement_run",
    initial="open",
    transitions={
        ("open", "computed"): "computed",
        ("computed", "computed"): "computed",
        ("computed", "posted"): "posted",
        ("computed", "disagreed"): "disputed",
        ("disputed", "computed"): "computed",
    },
)


@dataclass(frozen=True)
class Line:
    """Totals of one currency: `net` = `gross` - `invoiced` - `commission` - `cash`; below zero, the operator owes it.
    `cash` was taken for wallets, less what was paid out of them. `uncollected` was delivered but nobody could pay
    it."""

    currency: str
    sessions: int
    energy_wh: int
    gross: int
    commission: int
    net: int
    uncollected: int
    invoiced: int = 0
    cash: int = 0


@dataclass(frozen=True)
class Booked:
    """What the ledger says of a day, by currency: all income, what of it came out of enterprises' credit, and the cash
    that the operator took for wallets."""

    income: Mapping[str, int] = field(default_factory=dict)
    invoiced: Mapping[str, int] = field(default_factory=dict)
    cash: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    operator_id: str
    business_day: str
    state: str
    opened_at: datetime
    lines: list[Line] = field(default_factory=list)
    computed_at: datetime | None = None
    posted_at: datetime | None = None
    difference: str | None = None

    @property
    def settlement_id(self) -> str:
        return f"{self.operator_id}.{self.business_day}"


def last_closed_day(now: datetime, zone: str) -> date:
    """The newest business day that is over in the operator's zone, grace included (right across DST)."""
    return (now - GRACE).astimezone(ZoneInfo(zone)).date() - timedelta(days=1)


def due_days(created_at: datetime, newest: date | None, now: datetime, zone: str) -> list[date]:
    """The closed business days that have no run yet, oldest first: those after the `newest` run, else since the
    operator exists. Days on which the schedule did not run are among them; MAX_DAYS at a time."""
    began = created_at.astimezone(ZoneInfo(zone)).date() if newest is None else newest + timedelta(days=1)
    count = (last_closed_day(now, zone) - began).days + 1
    return [began + timedelta(days=n) for n in range(min(count, MAX_DAYS))]


def sum_cdrs(totals: Iterable[CdrTotals]) -> list[Line]:
    """One line per currency, from a stream. No commission contract exists yet."""
    sums: dict[str, list[int]] = {}
    for cdr in totals:
        entry = sums.setdefault(cdr.captured.currency, [0, 0, 0, 0, 0])
        entry[0] += 1
        entry[1] += cdr.energy_wh
        entry[2] += cdr.captured.amount
        entry[3] += cdr.uncollected.amount
        entry[4] += cdr.captured.amount if cdr.enterprise_id else 0
    return [
        Line(
            currency=currency,
            sessions=sessions,
            energy_wh=energy_wh,
            gross=gross,
            commission=0,
            net=gross - invoiced,
            uncollected=uncollected,
            invoiced=invoiced,
        )
        for currency, (sessions, energy_wh, gross, uncollected, invoiced) in sorted(sums.items())
    ]


def with_cash(lines: Iterable[Line], cash: Mapping[str, int]) -> list[Line]:
    """The lines with the day's cash, by currency: also where nobody charged."""
    known = {line.currency: line for line in lines}
    taken = {currency: amount for currency, amount in cash.items() if amount}
    return [
        _less(known.get(currency, Line(currency, 0, 0, 0, 0, 0, 0)), taken.get(currency, 0))
        for currency in sorted(known.keys() | taken.keys())
    ]


def _less(line: Line, cash: int) -> Line:
    return replace(line, cash=cash, net=line.gross - line.invoiced - line.commission - cash)


def disagreement(lines: Iterable[Line], booked: Booked) -> str | None:
    """How statement and ledger differ, in words; None if they agree to the last minor unit: in all that was earned, in
    what of it enterprises owe, and in cash."""
    lines = list(lines)
    differences = [
        *_differences("CDRs say", {line.currency: line.gross for line in lines}, booked.income),
        *_differences("CDRs of enterprises say", {line.currency: line.invoiced for line in lines}, booked.invoiced),
        *_differences("of cash the statement says", {line.currency: line.cash for line in lines}, booked.cash),
    ]
    return "; ".join(differences) or None


def _differences(who_says: str, stated: Mapping[str, int], booked: Mapping[str, int]) -> Iterator[str]:
    for currency in sorted(stated.keys() | booked.keys()):
        said, kept = stated.get(currency, 0), booked.get(currency, 0)
        if said != kept:
            yield f"{who_says} {Money(said, currency)}, the ledger {Money(kept, currency)}"
