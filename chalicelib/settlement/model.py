"""Settlement runs and statements; pure.

One run per operator and business day. The statement is computed from CDRs; the run closes only if the ledger, read
independently, says the same. `gross` is what drivers' wallets paid, `net` what the operator is owed of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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
    """Totals of one currency. `uncollected` was delivered but no wallet could pay it."""

    currency: str
    sessions: int
    energy_wh: int
    gross: int
    commission: int
    net: int
    uncollected: int


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
    """One line per currency, from a stream. No commission contract exists yet, so net equals gross."""
    sums: dict[str, list[int]] = {}
    for cdr in totals:
        entry = sums.setdefault(cdr.captured.currency, [0, 0, 0, 0])
        entry[0] += 1
        entry[1] += cdr.energy_wh
        entry[2] += cdr.captured.amount
        entry[3] += cdr.uncollected.amount
    return [
        Line(
            currency=currency,
            sessions=sessions,
            energy_wh=energy_wh,
            gross=gross,
            commission=0,
            net=gross,
            uncollected=uncollected,
        )
        for currency, (sessions, energy_wh, gross, uncollected) in sorted(sums.items())
    ]


def disagreement(lines: Iterable[Line], ledger_income: dict[str, int]) -> str | None:
    """How statement and ledger differ, in words; None if they agree to the last minor unit."""
    stated = {line.currency: line.gross for line in lines if line.gross}
    booked = {currency: amount for currency, amount in ledger_income.items() if amount}
    differences = [
        f"CDRs say {Money(stated.get(currency, 0), currency)}, the ledger {Money(booked.get(currency, 0), currency)}"
        for currency in sorted(stated.keys() | booked.keys())
        if stated.get(currency, 0) != booked.get(currency, 0)
    ]
    return "; ".join(differences) or None
