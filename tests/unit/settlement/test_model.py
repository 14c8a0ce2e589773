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
    RunState,
    disagreement,
    due_days,
    last_closed_day,
    parse_settlement_id,
    statement_of,
    sum_cdrs,
)


def cdr(captured: int, uncollected: int = 0, currency: str = "EUR", energy_wh: int = 100) -> CdrTotals:
    total = Money(captured + uncollected, currency)
    return CdrTotals("cdr_1", "ses_1", energy_wh, total, Money(captured, currency), Money(uncollected, currency))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["EUR", "NOK", "JPY"]))))
def test_nothing_is_lost_in_the_sums(amounts: list[tuple[int, int, str]]) -> None:
    sums = sum_cdrs(cdr(captured, uncollected, currency) for captured, uncollected, currency in amounts)
    lines = statement_of(sums, "2026-03-02")
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
    assert (disagreement(statement_of(sum_cdrs([cdr(700)]), "2026-03-02"), Booked(ledger)) is None) == agrees


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


@pytest.mark.parametrize("state", sorted(RUN_LIFECYCLE.states))
@pytest.mark.parametrize("event", sorted(RUN_LIFECYCLE.events))
def test_what_is_agreed_is_never_computed_again(state: RunState, event: str) -> None:
    """Beneficiaries may have got their part already."""
    leads_to = {
        ("open", "computed"): "computed",
        ("computed", "computed"): "computed",
        ("computed", "agreed"): "posting",
        ("computed", "disagreed"): "disputed",
        ("disputed", "computed"): "computed",
        ("posting", "posted"): "posted",
    }.get((state, event))
    assert RUN_LIFECYCLE.allows(state, event) == (leads_to is not None)
    if leads_to is not None:
        assert RUN_LIFECYCLE.next(state, event) == leads_to
    if state in ("posting", "posted"):
        assert event == "posted" or leads_to is None


@pytest.mark.parametrize(
    ("settlement_id", "parsed"),
    [
        ("org_1.2026-03-02", ("org_1", "2026-03-02", 1)),
        ("org_1.2026-03-02.2", ("org_1", "2026-03-02", 2)),
        ("org_1", None),
        ("org_1.", None),
        (".2026-03-02", None),
        ("org_1.2026-03-02.", None),
        ("org_1.2026-03-02.x", None),
        ("org_1.2026-03-02.²", None),
        ("org_1.2026-03-02.2.3", None),
        ("org_1.2026-03-02." + "9" * 5000, None),
    ],
)
def test_an_id_names_operator_day_and_run(settlement_id: str, parsed: object) -> None:
    assert parse_settlement_id(settlement_id) == parsed


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
