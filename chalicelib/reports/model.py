"""Figures of an operator's business: what was charged and earned, by stretches of its calendar. Pure.

They are sums of CDRs, so a correction counts by its credit CDR and its replacement, on the business day on which it was
made. A session that was corrected is still one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Literal

from chalicelib.kernel.errors import invalid
from chalicelib.settlement.model import Line, Sums

Step = Literal["day", "week", "month"]

MAX_DAYS = 3_660
"""Ten years, of what is settled: a day is one small row."""
MAX_STREAMED_DAYS = 92
"""Where CDRs are read one by one."""
MAX_PERIODS = 400


@dataclass(frozen=True)
class Place:
    """Where the figures are from. None: wherever."""

    location_ids: frozenset[str] | None = None
    charger_ids: frozenset[str] | None = None

    @property
    def is_everywhere(self) -> bool:
        return self.location_ids is None and self.charger_ids is None

    def has(self, location_id: str | None, charger_id: str | None) -> bool:
        is_there = self.location_ids is None or location_id in self.location_ids
        return is_there and (self.charger_ids is None or charger_id in self.charger_ids)


@dataclass
class Figures:
    """Of one currency, in minor units. `gross` is what was paid, with `tax` in it: by cards, on the invoices of
    enterprises, the rest from wallets. `corrections` is what refunds and other corrections changed of it."""

    sessions: int = 0
    energy_wh: int = 0
    gross: int = 0
    tax: int = 0
    cards: int = 0
    invoiced: int = 0
    uncollected: int = 0
    corrections: int = 0

    def add(self, part: Figures | Line | Sums) -> None:
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(part, name))

    @property
    def wallets(self) -> int:
        return self.gross - self.cards - self.invoiced


_COUNTED = tuple(item.name for item in fields(Figures))


@dataclass
class TopUps:
    """Paid for by drivers, or taken at the counter; `bonus` was given besides."""

    count: int = 0
    amount: int = 0
    bonus: int = 0

    def add(self, part: TopUps) -> None:
        self.count += part.count
        self.amount += part.amount
        self.bonus += part.bonus


ByCurrency = dict[str, Figures]


def days_between(first: date, last: date) -> list[str]:
    """YYYY-MM-DD, both included, oldest first."""
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


def check_days(first: date, last: date, most: int = MAX_DAYS) -> None:
    """Raises stats.span (422)."""
    if not 0 <= (last - first).days < most:
        raise invalid("stats.span", f"Ask for 1 to {most} days here.", "/date_from")


def period_of(day: str, step: Step) -> str:
    """The name of the stretch that a day is in: YYYY-MM-DD, YYYY-Www (ISO 8601, weeks begin on Monday), YYYY-MM."""
    if step == "week":
        year, week, _ = date.fromisoformat(day).isocalendar()
        return f"{year}-W{week:02d}"
    return day if step == "day" else day[:7]


def periods_between(first: date, last: date, step: Step) -> list[str]:
    """The names of all stretches of these days, oldest first. Raises stats.too_many_periods (422)."""
    periods = list(dict.fromkeys(period_of(day, step) for day in days_between(first, last)))
    if len(periods) > MAX_PERIODS:
        raise invalid("stats.too_many_periods", f"At most {MAX_PERIODS} at once: choose longer steps.", "/by")
    return periods


def by_period(days: Iterable[tuple[str, Mapping[str, Figures]]], step: Step) -> dict[str, ByCurrency]:
    """The figures of days, given one after the other, by stretch and currency."""
    sums: dict[str, ByCurrency] = {}
    for day, found in days:
        of_period = sums.setdefault(period_of(day, step), {})
        for currency, figures in found.items():
            of_period.setdefault(currency, Figures()).add(figures)
    return sums
