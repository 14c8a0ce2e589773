"""`start_date` (the first day) and `end_date` (the first day that is out): local dates (OCPI 2.2.1). Pure."""

from __future__ import annotations

from datetime import date

from chalicelib.kernel.errors import invalid
from chalicelib.tariffs.restrictions.restrictions import Restrictions
from chalicelib.tariffs.restrictions.situations import Limit

_EPOCH = date(1970, 1, 1)


def check(restrictions: Restrictions, pointer: str) -> None:
    """Raises tariff.dates (422) where no day is left."""
    start, end = restrictions.start_date, restrictions.end_date
    if start is not None and end is not None and start >= end:
        raise invalid("tariff.dates", "The first day that is out comes after the first day.", f"{pointer}/end_date")


def limit(restrictions: Restrictions) -> Limit | None:
    if restrictions.start_date is None and restrictions.end_date is None:
        return None
    first = _day(restrictions.start_date or date.min)
    after = _day(restrictions.end_date or date.max)
    return Limit(lambda at: first <= at.local_day < after, times_of_day_s=(0,))


def _day(given: date) -> int:
    return (given - _EPOCH).days
