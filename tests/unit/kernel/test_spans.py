"""Stretches of time: months as people live them, and ids that were made within."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.clock import from_epoch_ms
from chalicelib.kernel.ids import new_id
from chalicelib.kernel.spans import MonthText, id_span, month_of, month_span, overlap

MOMENTS = st.integers(-(10**12), 3 * 10**13).map(from_epoch_ms)
"""From 1938 to 2920."""
SPANS = st.tuples(st.none() | MOMENTS, st.none() | MOMENTS)


def test_a_month_is_that_of_the_zone() -> None:
    assert month_span("2026-03", "UTC") == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    begin, end = month_span("2026-03", "Europe/Berlin")
    assert (begin.isoformat(), end.isoformat()) == ("2026-02-28T23:00:00+00:00", "2026-03-31T22:00:00+00:00")


@given(MOMENTS, st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns"]))
def test_a_moment_lies_in_its_month(moment: datetime, zone: str) -> None:
    begin, end = month_span(month_of(moment, zone), zone)
    assert begin <= moment < end


@given(st.integers(1970, 2998), st.integers(1, 12), st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns"]))
def test_months_follow_each_other_without_a_gap(year: int, month: int, zone: str) -> None:
    following = f"{year + month // 12}-{month % 12 + 1:02d}"
    assert month_span(f"{year}-{month:02d}", zone)[1] == month_span(following, zone)[0]


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "0001-01", "1969-12", "3000-01", "2026-01\n", "x"])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, MonthText)


@given(SPANS, SPANS, MOMENTS)
def test_the_overlap_is_what_lies_in_both(
    one: tuple[datetime | None, datetime | None], other: tuple[datetime | None, datetime | None], moment: datetime
) -> None:
    def within(span: tuple[datetime | None, datetime | None]) -> bool:
        return (span[0] is None or span[0] <= moment) and (span[1] is None or moment < span[1])

    assert within(overlap(one, other)) == (within(one) and within(other))


@given(SPANS, st.integers(0, 2**44))
def test_an_id_lies_in_the_range_of_its_moment(span: tuple[datetime | None, datetime | None], ms: int) -> None:
    moment = from_epoch_ms(ms)
    identifier = new_id("fbk", moment)
    begin, end = span
    expected = (begin is None or begin <= moment) and (end is None or moment < end)
    ids = id_span("fbk", span)
    assert (ids is not None and ids[0] <= identifier <= ids[1]) == expected
    assert ids is None or ids[0] <= ids[1]


def test_a_stretch_that_ends_before_it_begins_holds_nothing() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert id_span("fbk", (now, now - timedelta(days=1))) is None
    assert id_span("fbk", (now, now)) is None
