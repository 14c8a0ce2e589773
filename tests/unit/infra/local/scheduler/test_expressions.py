"""Schedule expressions, held to the examples of the EventBridge user guide and to its rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.local.scheduler import parse_schedule

# A Thursday.
START = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def occurrences(expression: str, after: datetime, count: int) -> list[datetime]:
    schedule, found, here = parse_schedule(expression), [], after
    for _ in range(count):
        following = schedule.next_after(here)
        if following is None:
            break
        found.append(here := following)
    return found


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        # The user guide's examples.
        ("cron(0 10 * * ? *)", "2026-01-01T00:00", ["2026-01-01T10:00", "2026-01-02T10:00"]),
        ("cron(15 12 * * ? *)", "2026-01-01T12:15", ["2026-01-02T12:15"]),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-02T18:00", ["2026-01-05T18:00", "2026-01-06T18:00"]),
        ("cron(0 8 1 * ? *)", "2026-01-01T08:00", ["2026-02-01T08:00", "2026-03-01T08:00"]),
        ("cron(0/15 * * * ? *)", "2026-01-01T00:01", ["2026-01-01T00:15", "2026-01-01T00:30"]),
        ("cron(0/10 * ? * MON-FRI *)", "2026-01-02T23:50", ["2026-01-05T00:00", "2026-01-05T00:10"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-01-02T17:50", ["2026-01-02T17:55", "2026-01-05T08:00"]),
        ("cron(0 9 ? * 2#1 *)", "2026-01-01T00:00", ["2026-01-05T09:00", "2026-02-02T09:00"]),
        (
            "cron(0/30 20-2 ? * MON-FRI *)",
            "2026-01-02T23:30",
            ["2026-01-05T00:00", "2026-01-05T00:30", "2026-01-05T01:00", "2026-01-05T01:30", "2026-01-05T02:00"],
        ),
        ("cron(5,35 14 * * ? *)", "2026-01-01T14:05", ["2026-01-01T14:35", "2026-01-02T14:05"]),
        ("cron(15 10 ? * 6L 2026-2027)", "2026-01-01T00:00", ["2026-01-30T10:15", "2026-02-27T10:15"]),
        # Months, by name and in steps; lists; the year.
        ("cron(0 0 1 JAN,JUL ? *)", "2026-01-01T00:00", ["2026-07-01T00:00", "2027-01-01T00:00"]),
        ("cron(0 0 1 1/5 ? *)", "2026-01-01T00:00", ["2026-06-01T00:00", "2026-11-01T00:00", "2027-01-01T00:00"]),
        ("cron(0 0 1 nov-feb ? *)", "2026-02-02T00:00", ["2026-11-01T00:00", "2026-12-01T00:00", "2027-01-01T00:00"]),
        ("cron(1/10 0 * * ? *)", "2026-01-01T00:00", ["2026-01-01T00:01", "2026-01-01T00:11", "2026-01-01T00:21"]),
        ("cron(10-30/10 0 * * ? *)", "2026-01-01T00:00", ["2026-01-01T00:10", "2026-01-01T00:20", "2026-01-01T00:30"]),
        ("cron(0 12 15 6 ? 2027)", "2026-01-01T00:00", ["2027-06-15T12:00"]),
        # Days that only some months have.
        ("cron(0 0 31 * ? *)", "2026-01-31T00:00", ["2026-03-31T00:00", "2026-05-31T00:00"]),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 0 L * ? *)", "2026-01-31T00:00", ["2026-02-28T00:00", "2026-03-31T00:00"]),
        ("cron(0 0 L 2 ? *)", "2028-01-01T00:00", ["2028-02-29T00:00"]),
        ("cron(0 0 ? * 2#5 *)", "2026-01-01T00:00", ["2026-03-30T00:00", "2026-06-29T00:00"]),
        # W: the nearest working day, never in another month.
        ("cron(0 0 3W * ? *)", "2026-01-01T00:00", ["2026-01-02T00:00", "2026-02-03T00:00"]),
        ("cron(0 0 4W 1 ? 2026)", "2026-01-01T00:00", ["2026-01-05T00:00"]),
        ("cron(0 0 1W 8 ? 2026)", "2026-01-01T00:00", ["2026-08-03T00:00"]),
        ("cron(0 0 31W 5 ? 2026)", "2026-01-01T00:00", ["2026-05-29T00:00"]),
        ("cron(0 0 31W * ? 2026)", "2026-03-31T00:00", ["2026-05-29T00:00", "2026-07-31T00:00"]),
        ("cron(0 0 LW * ? 2026)", "2026-01-01T00:00", ["2026-01-30T00:00", "2026-02-27T00:00"]),
        # Days of the week: 1 is Sunday; L alone is the last day of the week; ranges go over the end.
        ("cron(0 0 ? * 1 *)", "2026-01-01T00:00", ["2026-01-04T00:00", "2026-01-11T00:00"]),
        ("cron(0 0 ? * L *)", "2026-01-01T00:00", ["2026-01-03T00:00", "2026-01-10T00:00"]),
        ("cron(0 0 ? * FRI-SUN *)", "2026-01-01T00:00", ["2026-01-02T00:00", "2026-01-03T00:00", "2026-01-04T00:00"]),
        ("cron(0 0 ? * SUNL *)", "2026-01-01T00:00", ["2026-01-25T00:00"]),
        ("cron(0 0 ? * WED,SUN *)", "2026-01-01T00:00", ["2026-01-04T00:00", "2026-01-07T00:00"]),
        # Rates.
        ("rate(1 minute)", "2026-01-01T00:00:30", ["2026-01-01T00:01:30"]),
        ("rate(5 minutes)", "2026-01-01T00:00", ["2026-01-01T00:05", "2026-01-01T00:10"]),
        ("rate(1 hour)", "2026-01-01T00:00", ["2026-01-01T01:00"]),
        ("rate(7 days)", "2026-01-01T00:00", ["2026-01-08T00:00"]),
    ],
)
def test_next_after(expression: str, after: str, expected: list[str]) -> None:
    assert occurrences(expression, moment(after), len(expected)) == [moment(text) for text in expected]


@pytest.mark.parametrize("expression", ["cron(0 0 30 2 ? *)", "cron(0 0 1 1 ? 2025)", "cron(0 0 1 1 ? 1970-2000)"])
def test_never_again(expression: str) -> None:
    assert parse_schedule(expression).next_after(START) is None


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "every day",
        "cron(0 10 * * ?)",
        "cron(0 10 * * ? * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(0 10 5 * MON *)",
        "cron(60 10 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 10 0 * ? *)",
        "cron(0 10 32 * ? *)",
        "cron(0 10 * 13 ? *)",
        "cron(0 10 ? * 0 *)",
        "cron(0 10 ? * 8 *)",
        "cron(0 10 ? * 2#6 *)",
        "cron(0 10 ? * 2#1,3#1 *)",
        "cron(0 10 ? * MO *)",
        "cron(0 10 * * ? 1969)",
        "cron(0 10 * * ? 2200)",
        "cron(0 10 * * ? 2027-2026)",
        "cron(0 10 W * ? *)",
        "cron(0 10 1,2W * ? *)",
        "cron(0/0 10 * * ? *)",
        "cron(0/ 10 * * ? *)",
        "cron(1-2-3 10 * * ? *)",
        "cron(, 10 * * ? *)",
        "cron(-5 10 * * ? *)",
        "cron(? 10 * * ? *)",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(-5 minutes)",
        "rate(5 weeks)",
        "rate(5)",
        "rate(1.5 hours)",
    ],
)
def test_refused_as_eventbridge_does(expression: str) -> None:
    with pytest.raises(ValueError, match=r"rate|cron"):
        parse_schedule(expression)


@pytest.mark.parametrize(
    ("expression", "first", "last", "expected"),
    [
        ("rate(5 minutes)", "2026-01-01T00:00", "2026-01-01T00:00", "2026-01-01T00:00"),
        ("rate(5 minutes)", "2026-01-01T00:00", "2026-03-01T11:04:59", "2026-03-01T11:00"),
        ("cron(* * * * ? *)", "2026-01-01T00:00", "2027-01-01T11:04:59", "2027-01-01T11:04"),
        ("cron(0 1 * * ? *)", "2026-01-01T01:00", "2026-01-09T00:59", "2026-01-08T01:00"),
        ("cron(0 1 * * ? *)", "2026-01-01T01:00", "2026-01-09T01:00", "2026-01-09T01:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29T00:00", "2035-01-01T00:00", "2032-02-29T00:00"),
        ("cron(0 0 1 1 ? 2026)", "2026-01-01T00:00", "2100-01-01T00:00", "2026-01-01T00:00"),
    ],
)
def test_latest_between(expression: str, first: str, last: str, expected: str) -> None:
    assert parse_schedule(expression).latest_between(moment(first), moment(last)) == moment(expected)


def test_other_zones_are_read_as_utc() -> None:
    after = moment("2026-01-01T09:30").astimezone(tz=None) + timedelta(0)
    assert parse_schedule("cron(0 10 * * ? *)").next_after(after) == moment("2026-01-01T10:00")
