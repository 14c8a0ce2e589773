"""The sums of a business day, and when a day is over."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model import CdrTotals
from chalicelib.kernel.money import Money
from chalicelib.settlement.model import (
    MAX_DAYS,
    RUN_LIFECYCLE,
    Booked,
    disagreement,
    due_days,
    last_closed_day,
    sum_cdrs,
)


def cdr(captured: int, uncollected: int = 0, currency: str = "EUR", energy_wh: int = 100) -> CdrTotals:
    total = Money(captured + uncollected, currency)
    return CdrTotals("cdr_1", "ses_1", energy_wh, total, Money(captured, currency), Money(uncollected, currency))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["EUR", "NOK", "JPY"]))))
def test_nothing_is_lost_in_the_sums(amounts: list[tuple[int, int, str]]) -> None:
    lines = sum_cdrs(cdr(captured, uncollected, currency) for captured, uncollected, currency in amounts)
    assert sum(line.sessions for line in lines) == len(amounts)
    assert sum(line.gross for line in lines) == sum(captured for captured, _, _ in amounts)
    assert sum(line.uncollected for line in lines) == sum(uncollected for _, uncollected, _ in amounts)
    assert [line.currency for line in lines] == sorted({currency for _, _, currency in amounts})
    assert all(line.net == line.gross - line.commission for line in lines)


@pytest.mark.parametrize(
    ("ledger", "agrees"),
    [
        ({"EUR": 700}, True),
        ({"EUR": 700, "NOK": 0}, True),
        ({"EUR": 699}, False),
        ({"EUR": 701}, False),
        ({}, False),
        ({"EUR": 700, "NOK": 1}, False),
    ],
)
def test_agreement_is_to_the_last_cent_in_every_currency(ledger: dict[str, int], agrees: bool) -> None:
    assert (disagreement(sum_cdrs([cdr(700)]), Booked(ledger)) is None) == agrees


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        ("2026-03-02T23:14:00+00:00", "Europe/Berlin", "2026-03-01"),  # 00:14: the grace is not over
        ("2026-03-02T23:16:00+00:00", "Europe/Berlin", "2026-03-02"),
        ("2026-03-02T18:46:00+00:00", "Asia/Kolkata", "2026-03-02"),
        ("2026-10-25T22:59:00+00:00", "Europe/Berlin", "2026-10-24"),  # the day of 25 hours
        ("2026-10-25T23:20:00+00:00", "Europe/Berlin", "2026-10-25"),
    ],
)
def test_a_day_is_over_after_the_operators_midnight(now: str, zone: str, day: str) -> None:
    assert last_closed_day(datetime.fromisoformat(now), zone).isoformat() == day


def test_a_posted_run_is_final() -> None:
    assert RUN_LIFECYCLE.final_states == {"posted"}


def test_the_first_evening_counts_where_the_operator_is() -> None:
    """Created at 20:00 in New York, which is the next day in UTC: what was sold until midnight is settled."""
    created_at = datetime(2026, 3, 2, 1, tzinfo=UTC)
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert due_days(created_at, None, now, "America/New_York") == [date(2026, 3, 1)]


def test_due_days_follow_the_newest_run_and_are_bounded() -> None:
    now = datetime(2026, 3, 5, 12, tzinfo=UTC)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    assert due_days(long_ago, date(2026, 3, 4), now, "UTC") == []
    assert due_days(long_ago, date(2026, 3, 2), now, "UTC") == [date(2026, 3, 3), date(2026, 3, 4)]
    assert len(due_days(long_ago, None, now, "UTC")) == MAX_DAYS
