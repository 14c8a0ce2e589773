"""Lines, taxes and months of invoices, without a store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model import Cdr, CdrTotals
from chalicelib.kernel.money import Money
from chalicelib.settlement.model import (
    INVOICE_LIFECYCLE,
    Booked,
    InvoiceLine,
    disagreement,
    due_months,
    invoice_id_of,
    line_of,
    statement_of,
    sum_cdrs,
    totals_by_rate,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
vats = st.sampled_from([None, "0", "7", "19", "20.5"])
parts = st.lists(st.tuples(vats, st.integers(0, 100_000)), max_size=4)


def cdr(lines: list[tuple[str | None, int]], captured: int | None = None) -> Cdr:
    total = sum(amount for _, amount in lines)
    taken = total if captured is None else captured
    return Cdr(
        cdr_id="cdr_1",
        session_id="ses_1",
        operator_id="org_1",
        charger_id="CP-1",
        evse_no=1,
        id_token="CARD",
        started_at=NOON,
        ended_at=NOON,
        energy_wh=1000,
        total_cost=Money(total, "EUR"),
        captured=Money(taken, "EUR"),
        uncollected=Money(total - taken, "EUR"),
        business_day="2026-03-02",
        lines=[{"vat": vat, "amount": {"amount": amount, "currency": "EUR"}} for vat, amount in lines],
        driver_id="drv_1",
        enterprise_id="epr_1",
    )


def line(of: Cdr) -> InvoiceLine:
    return line_of("lin_1", of, order_no="1", driver_name="Dana", location_name="Here")


@given(parts, st.integers(0, 100))
def test_net_and_tax_of_a_line_are_what_was_taken_for_it(lines: list[tuple[str | None, int]], percent: int) -> None:
    total = sum(amount for _, amount in lines)
    found = line(cdr(lines, total * percent // 100))
    assert found.gross == total * percent // 100 == found.net + found.tax
    assert found.gross == sum(rate.gross for rate in found.rates)
    assert all(rate.net + rate.tax == rate.gross and rate.net >= 0 <= rate.tax for rate in found.rates)


@given(st.lists(parts, max_size=5))
def test_the_rates_of_an_invoice_are_the_sums_of_its_lines(all_lines: list[list[tuple[str | None, int]]]) -> None:
    lines = [line(cdr(each)) for each in all_lines]
    rates = totals_by_rate(lines)
    assert len({rate.vat for rate in rates}) == len(rates)
    for name in ("net", "tax", "gross"):
        assert sum(getattr(rate, name) for rate in rates) == sum(getattr(each, name) for each in lines)


def test_tax_that_is_in_the_price_is_taken_out_of_it() -> None:
    [rate] = line(cdr([("19", 119)])).rates
    assert (rate.net, rate.tax, rate.gross) == (100, 19, 119)


def test_a_session_that_was_paid_in_part_has_a_part_of_each_rate() -> None:
    rates = line(cdr([("19", 100), ("7", 300)], 200)).rates
    assert [(rate.vat, rate.gross) for rate in rates] == [("19", 50), ("7", 150)]


@pytest.mark.parametrize(
    ("created", "newest", "now", "zone", "months"),
    [
        ("2026-03-02T08:00:00+00:00", None, "2026-03-31T23:00:00+00:00", "UTC", []),
        ("2026-03-02T08:00:00+00:00", None, "2026-04-01T00:14:00+00:00", "UTC", []),  # the grace is not over
        ("2026-03-02T08:00:00+00:00", None, "2026-04-01T00:16:00+00:00", "UTC", ["2026-03"]),
        ("2026-03-02T08:00:00+00:00", None, "2026-03-31T22:16:00+00:00", "Europe/Berlin", ["2026-03"]),
        ("2026-03-02T08:00:00+00:00", "2026-03", "2026-04-20T00:00:00+00:00", "UTC", []),
        ("2026-03-02T08:00:00+00:00", "2026-10", "2027-02-20T00:00:00+00:00", "UTC", ["2026-11", "2026-12", "2027-01"]),
    ],
)
def test_months_are_due_when_they_are_over_where_the_operator_is(
    created: str, newest: str | None, now: str, zone: str, months: list[str]
) -> None:
    assert due_months(datetime.fromisoformat(created), newest, datetime.fromisoformat(now), zone) == months


def test_due_months_are_bounded() -> None:
    assert len(due_months(datetime(2020, 1, 1, tzinfo=UTC), None, NOON, "UTC")) == 12


def test_an_invoice_has_one_id_that_sorts_by_its_month() -> None:
    ids = [invoice_id_of("epr_1", month) for month in ("2025-12", "2026-01", "2026-02")]
    assert ids == sorted(ids)
    assert invoice_id_of("epr_2", "2026-01") != ids[1]


def test_what_is_paid_or_void_stays_so() -> None:
    """What was paid may be credited, and is paid all the same."""
    assert INVOICE_LIFECYCLE.final_states == {"void"}
    after_paid = {after for (state, _), after in INVOICE_LIFECYCLE.transitions.items() if state == "paid"}
    assert after_paid == {"paid"}


def totals(captured: int, enterprise_id: str | None) -> CdrTotals:
    money = Money(captured, "EUR")
    return CdrTotals("cdr_1", "ses_1", 1, money, money, Money(0, "EUR"), enterprise_id=enterprise_id)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.booleans())))
def test_what_enterprises_owe_is_not_owed_by_the_platform(sessions: list[tuple[int, bool]]) -> None:
    sums = sum_cdrs(totals(amount, "epr_1" if of_enterprise else None) for amount, of_enterprise in sessions)
    lines = statement_of(sums, "2026-03-02")
    assert sum(each.net for each in lines) == sum(amount for amount, of_enterprise in sessions if not of_enterprise)
    assert all(each.gross == each.net + each.invoiced for each in lines)


@pytest.mark.parametrize(
    ("invoiced", "agrees"), [({"EUR": 30}, True), ({"EUR": 31}, False), ({}, False), ({"EUR": 30, "NOK": 1}, False)]
)
def test_statement_and_ledger_agree_on_what_is_invoiced(invoiced: dict[str, Any], agrees: bool) -> None:
    lines = statement_of(sum_cdrs([totals(70, None), totals(30, "epr_1")]), "2026-03-02")
    assert (disagreement(lines, Booked({"EUR": 100}, invoiced)) is None) == agrees
