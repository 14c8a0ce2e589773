"""Clock and ids: time goes forward when told to; ids sort by it, and the same fact gets the same id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import clock, ids
from chalicelib.kernel.clock import SystemClock, VirtualClock

NOW = datetime(2026, 3, 2, 8, 0, 0, 123_456, tzinfo=UTC)
MOMENTS = st.integers(0, 4_000_000_000_000_000).map(lambda us: clock.from_epoch_ms(0) + timedelta(microseconds=us))


def test_a_virtual_clock_stands_until_it_is_moved() -> None:
    virtual = VirtualClock(NOW)
    assert virtual.now() == virtual.now() == NOW
    assert virtual.advance(1.5) == NOW + timedelta(seconds=1.5) == virtual.now()
    with pytest.raises(ValueError):
        virtual.advance(-1)


def test_a_running_clock_never_goes_back_and_may_jump() -> None:
    running = VirtualClock(NOW, running=True)
    first = running.now()
    assert first >= NOW - timedelta(milliseconds=1)
    running.advance(3600)
    assert running.now() - first >= timedelta(hours=1)


@pytest.mark.parametrize("present", [SystemClock(), VirtualClock(NOW, running=True)])
def test_the_present_is_what_is_read_back_of_it(present: clock.Clock) -> None:
    now = present.now()
    assert clock.from_epoch_ms(clock.to_epoch_ms(now)) == now


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T08:00:00Z", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T09:00:00+01:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        (" 2026-03-02T08:00:00.5Z ", datetime(2026, 3, 2, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-03-02T08:00:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_chargers_write_them(text: str, expected: datetime) -> None:
    assert clock.from_rfc3339(text) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-02T08:00:00Z", "08:00"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError):
        clock.from_rfc3339(text)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    assert clock.to_rfc3339(berlin) == "2026-03-02T08:00:00.123Z"


@given(MOMENTS)
def test_text_and_milliseconds_agree(moment: datetime) -> None:
    read_back = clock.from_rfc3339(clock.to_rfc3339(moment))
    assert clock.to_epoch_ms(read_back) == clock.to_epoch_ms(moment)
    assert clock.from_epoch_ms(clock.to_epoch_ms(moment)) == read_back


@given(MOMENTS, MOMENTS)
def test_ids_sort_by_the_moment_they_were_made_for(one: datetime, other: datetime) -> None:
    first, second = ids.new_id("ses", one), ids.new_id("ses", other)
    if clock.to_epoch_ms(one) != clock.to_epoch_ms(other):
        assert (first < second) == (one < other)
    assert clock.to_epoch_ms(ids.moment_of(first)) == clock.to_epoch_ms(one)


def test_new_ids_differ_and_derived_ids_do_not() -> None:
    assert ids.new_id("ses", NOW) != ids.new_id("ses", NOW)
    assert ids.derived_id("ses", NOW, "a", "b") == ids.derived_id("ses", NOW, "a", "b")
    assert len({ids.derived_id("ses", NOW, *key) for key in (("a", "b"), ("ab",), ("ab", ""), ("b", "a"))}) == 4


@pytest.mark.parametrize("identifier", ["", "ses_", "ses_01", "ses_" + "U" * 26, "ses_" + "0" * 27])
def test_what_is_no_id(identifier: str) -> None:
    with pytest.raises(ValueError):
        ids.moment_of(identifier)
