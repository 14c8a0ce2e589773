"""Stretches of time: a month of somebody's calendar, and the ids that were made within one. Pure.

A stretch begins with its first moment and ends before its last; None is open.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.kernel.clock import from_epoch_ms
from chalicelib.kernel.ids import lowest_id

Span = tuple[datetime | None, datetime | None]

MonthText = Annotated[
    str,
    msgspec.Meta(pattern=r"^(19[789]|2[0-9]{2})[0-9]-(0[1-9]|1[0-2])$(?!\n)", description="A month: YYYY-MM."),
]
FirstDay = Annotated[date, msgspec.Meta(description="The first business day, itself included.")]
LastDay = Annotated[date, msgspec.Meta(description="The last business day, itself included.")]
_EPOCH = from_epoch_ms(0)


def month_of(moment: datetime, zone: str) -> str:
    """The month (YYYY-MM) in which a moment is lived in an IANA zone."""
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()[:7]


def month_span(month: str, zone: str) -> tuple[datetime, datetime]:
    """The month (YYYY-MM, see `MonthText`) as it is lived in an IANA zone, summer time and all; in UTC."""
    year, number = int(month[:4]), int(month[5:7])
    begin = datetime(year, number, 1, tzinfo=ZoneInfo(zone))
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=ZoneInfo(zone))
    return begin.astimezone(UTC), end.astimezone(UTC)


def month_days(month: str) -> tuple[str, str]:
    """The first and the last day of a month (YYYY-MM), as YYYY-MM-DD."""
    last = monthrange(int(month[:4]), int(month[5:7]))[1]
    return f"{month}-01", f"{month}-{last:02d}"


def month_after(month: str) -> str:
    return months_before(month, -1)


def months_before(month: str, count: int = 1) -> str:
    """The month (YYYY-MM) that many earlier, the first one of 1970 at least: before that there are no ids."""
    number = max(1970 * 12, int(month[:4]) * 12 + int(month[5:7]) - 1 - count)
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def overlap(one: Span, other: Span) -> Span:
    """What lies in both; it may end before it begins."""
    begins = [begin for begin in (one[0], other[0]) if begin is not None]
    ends = [end for end in (one[1], other[1]) if end is not None]
    return max(begins, default=None), min(ends, default=None)


def id_span(prefix: str, span: Span) -> tuple[str, str] | None:
    """The lowest and the highest id that can have been made within the stretch: for a condition between the two. None
    where nothing can: DynamoDB refuses a range that ends before it begins."""
    begin, end = span
    if end is not None and (end <= _EPOCH or (begin is not None and end <= begin)):
        return None
    lowest = f"{prefix}_" if begin is None or begin <= _EPOCH else lowest_id(prefix, begin)
    return lowest, f"{prefix}_~" if end is None else lowest_id(prefix, end)
