"""Business days in requests."""

from __future__ import annotations

from datetime import date

from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import YEARS


def day_of(day: date, pointer: str) -> str:
    """YYYY-MM-DD. Raises day.distant (422) for years at which the calendar ends as soon as a month is added."""
    if day.year not in YEARS:
        raise invalid("day.distant", f"The year is from {YEARS[0]} to {YEARS[-1]}.", pointer)
    return day.isoformat()
