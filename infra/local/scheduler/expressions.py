"""EventBridge's schedule expressions: `rate(5 minutes)` and the six-field `cron(0 12 * * ? *)`, both in UTC.

Pure. `parse_schedule` is the way in; it refuses with ValueError what EventBridge refuses, so that a schedule
that would fail to deploy fails on the developer's machine first. Source: EventBridge user guide, "Cron
expressions reference" and "Rate expressions reference".
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

ONE_MINUTE = timedelta(minutes=1)
FIRST_YEAR, LAST_YEAR = 1970, 2199
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
MONTH_NAMES = {name: number for number, name in enumerate(MONTHS.split(), 1)}
WEEKDAY_NAMES = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
SATURDAY = 7

# How far back `latest_between` looks, widening only when nothing was found: a few dozen steps, whatever the span.
LOOK_BACK = tuple(timedelta(days=days) for days in (1 / 24, 1, 32, 366, 366 * 9, 366 * 230))


class Schedule(Protocol):
    def next_after(self, moment: datetime) -> datetime | None:
        """The first occurrence strictly after `moment`; None when there is none until the end of 2199."""
        ...

    def latest_between(self, first: datetime, last: datetime) -> datetime:
        """Of the occurrences in [first, last], the latest. `first` is itself an occurrence, `first <= last`."""
        ...


@dataclass(frozen=True, slots=True)
class RateSchedule:
    """Every `interval`, counted from the previous occurrence."""

    interval: timedelta

    def next_after(self, moment: datetime) -> datetime | None:
        return moment + self.interval

    def latest_between(self, first: datetime, last: datetime) -> datetime:
        return first + (last - first) // self.interval * self.interval


@dataclass(frozen=True, slots=True)
class DayRule:
    """Which days of a month a cron expression means: exactly one of its members is set."""

    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()  # 1 = Sunday .. 7 = Saturday
    last_day: bool = False  # L
    last_working_day: bool = False  # LW
    working_day_near: int | None = None  # 15W
    last_weekday: int | None = None  # 6L: the last Friday
    nth_weekday: tuple[int, int] | None = None  # 6#3: the third Friday

    def days_in(self, year: int, month: int) -> list[int]:
        """The matching days of that month, ascending; empty when the month has none (a 30 February)."""
        length = calendar.monthrange(year, month)[1]
        if self.last_day:
            return [length]
        if self.last_working_day:
            return [_nearest_working_day(year, month, length)]
        if self.working_day_near is not None:
            near = self.working_day_near
            return [_nearest_working_day(year, month, near)] if near <= length else []
        if self.last_weekday is not None:
            return _days_on(year, month, {self.last_weekday})[-1:]
        if self.nth_weekday is not None:
            weekday, ordinal = self.nth_weekday
            return _days_on(year, month, {weekday})[ordinal - 1 : ordinal]
        if self.weekdays:
            return _days_on(year, month, self.weekdays)
        return sorted(day for day in self.month_days if day <= length)


@dataclass(frozen=True, slots=True)
class CronSchedule:
    """The six fields, resolved to the values that they mean, ascending."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayRule
    months: tuple[int, ...]
    years: tuple[int, ...]

    def next_after(self, moment: datetime) -> datetime | None:
        earliest = moment.astimezone(UTC).replace(second=0, microsecond=0) + ONE_MINUTE
        for year in self.years:
            if year < earliest.year:
                continue
            for month in self.months:
                if (year, month) < (earliest.year, earliest.month):
                    continue
                found = self._first_in_month(year, month, earliest)
                if found is not None:
                    return found
        return None

    def _first_in_month(self, year: int, month: int, earliest: datetime) -> datetime | None:
        for day in self.days.days_in(year, month):
            candidate = date(year, month, day)
            if candidate < earliest.date():
                continue
            found = self._first_on(candidate, earliest.time() if candidate == earliest.date() else time.min)
            if found is not None:
                return found
        return None

    def _first_on(self, day: date, earliest: time) -> datetime | None:
        for hour in self.hours:
            if hour < earliest.hour:
                continue
            first_minute = earliest.minute if hour == earliest.hour else 0
            for minute in self.minutes:
                if minute >= first_minute:
                    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        return None

    def latest_between(self, first: datetime, last: datetime) -> datetime:
        for span in LOOK_BACK:
            start = max(first, last - span)
            found = self.next_after(start - ONE_MINUTE) if start > first else first
            if found is None or found > last:
                continue
            while (following := self.next_after(found)) is not None and following <= last:
                found = following
            return found
        return first


def parse_schedule(text: str) -> Schedule:
    """Reads `rate(...)` or `cron(...)`. ValueError, naming the field, for what EventBridge would refuse."""
    match = re.fullmatch(r"(rate|cron)\((.*)\)", text.strip())
    if match is None:
        raise ValueError(f"a schedule is rate(...) or cron(...), not {text!r}")
    kind, inside = match.groups()
    try:
        return _parse_rate(inside) if kind == "rate" else _parse_cron(inside)
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None


def _parse_rate(inside: str) -> RateSchedule:
    match = re.fullmatch(r"([1-9]\d*) (minute|hour|day)(s?)", inside.strip())
    if match is None:
        raise ValueError("a rate is a positive number and minute(s), hour(s) or day(s)")
    value, unit = int(match[1]), match[2]
    if (value == 1) == bool(match[3]):
        raise ValueError("the unit is singular for 1 and plural for all else")
    return RateSchedule(timedelta(**{f"{unit}s": value}))


def _parse_cron(inside: str) -> CronSchedule:
    fields = inside.split()
    if len(fields) != 6:
        raise ValueError(f"a cron expression has six fields, this one {len(fields)}")
    minutes, hours, month_days, months, weekdays, years = (field.upper() for field in fields)
    if (month_days == "?") == (weekdays == "?"):
        raise ValueError("exactly one of day-of-month and day-of-week is '?'")
    days = _parse_weekdays(weekdays) if month_days == "?" else _parse_month_days(month_days)
    return CronSchedule(
        minutes=_parse_values("minutes", minutes, 0, 59),
        hours=_parse_values("hours", hours, 0, 23),
        days=days,
        months=_parse_values("month", months, 1, 12, MONTH_NAMES),
        years=_parse_values("year", years, FIRST_YEAR, LAST_YEAR),
    )


def _parse_month_days(text: str) -> DayRule:
    if text == "L":
        return DayRule(last_day=True)
    if text == "LW":
        return DayRule(last_working_day=True)
    if text.endswith("W"):
        return DayRule(working_day_near=_parse_value("day-of-month", text[:-1], 1, 31, {}))
    return DayRule(month_days=frozenset(_parse_values("day-of-month", text, 1, 31)))


def _parse_weekdays(text: str) -> DayRule:
    if text == "L":  # "the last day of the week"
        return DayRule(weekdays=frozenset({SATURDAY}))
    if text.endswith("L"):
        return DayRule(last_weekday=_parse_value("day-of-week", text[:-1], 1, 7, WEEKDAY_NAMES))
    if "#" in text:
        weekday, _, ordinal = text.partition("#")
        return DayRule(
            nth_weekday=(
                _parse_value("day-of-week", weekday, 1, 7, WEEKDAY_NAMES),
                _parse_value("day-of-week after '#'", ordinal, 1, 5, {}),
            )
        )
    return DayRule(weekdays=frozenset(_parse_values("day-of-week", text, 1, 7, WEEKDAY_NAMES)))


def _parse_values(
    field: str, text: str, low: int, high: int, names: Mapping[str, int] | None = None
) -> tuple[int, ...]:
    values: set[int] = set()
    for part in text.split(","):
        values.update(_parse_part(field, part, low, high, names or {}))
    return tuple(sorted(values))


def _parse_part(field: str, part: str, low: int, high: int, names: Mapping[str, int]) -> list[int]:
    base, slash, step_text = part.partition("/")
    step = _parse_value(f"{field} after '/'", step_text, 1, high, {}) if slash else 1
    if base == "*":
        return list(range(low, high + 1, step))
    start_text, dash, end_text = base.partition("-")
    start = _parse_value(field, start_text, low, high, names)
    if not dash:
        return list(range(start, high + 1, step)) if slash else [start]
    end = _parse_value(field, end_text, low, high, names)
    if end >= start:
        return list(range(start, end + 1, step))
    if field == "year":
        raise ValueError(f"year: {part!r} runs backward")
    # 20-2 hours, FRI-MON: over the end of the day or week and on from its beginning, as EventBridge reads it.
    size = high - low + 1
    return [low + (value - low) % size for value in range(start, end + size + 1, step)]


def _parse_value(field: str, text: str, low: int, high: int, names: Mapping[str, int]) -> int:
    value = names.get(text)
    if value is None:
        if not re.fullmatch(r"\d{1,4}", text):
            raise ValueError(f"{field}: {text!r} is not understood")
        value = int(text)
    if not low <= value <= high:
        raise ValueError(f"{field}: {text} is not in {low}..{high}")
    return value


def _weekday(year: int, month: int, day: int) -> int:
    """1 = Sunday .. 7 = Saturday, as EventBridge counts."""
    return (date(year, month, day).weekday() + 1) % 7 + 1


def _days_on(year: int, month: int, weekdays: frozenset[int] | set[int]) -> list[int]:
    length = calendar.monthrange(year, month)[1]
    return [day for day in range(1, length + 1) if _weekday(year, month, day) in weekdays]


def _nearest_working_day(year: int, month: int, day: int) -> int:
    """Monday to Friday, as near to `day` as can be without leaving the month."""
    length = calendar.monthrange(year, month)[1]
    weekday = _weekday(year, month, day)
    if weekday == SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == WEEKDAY_NAMES["SUN"]:
        return day + 1 if day < length else day - 2
    return day
