"""`day_of_week`: the days on which an element applies, in the location's time (OCPI 2.2.1). Pure."""

from __future__ import annotations

from typing import Final

from chalicelib.kernel.errors import invalid
from chalicelib.tariffs.restrictions.restrictions import DayOfWeek, Restrictions
from chalicelib.tariffs.restrictions.situations import Limit

DAYS: Final[tuple[DayOfWeek, ...]] = (
    "MONDAY",
    "TUESDAY",
    "WEDNESDAY",
    "THURSDAY",
    "FRIDAY",
    "SATURDAY",
    "SUNDAY",
)
_DAY_ZERO: Final = DAYS.index("THURSDAY")  # 1970-01-01


def check(restrictions: Restrictions, pointer: str) -> None:
    """Raises tariff.day_twice (422)."""
    if len(set(restrictions.day_of_week)) != len(restrictions.day_of_week):
        raise invalid("tariff.day_twice", "A day of the week is named once.", f"{pointer}/day_of_week")


def limit(restrictions: Restrictions) -> Limit | None:
    """None named: every day."""
    if not restrictions.day_of_week:
        return None
    days = frozenset(DAYS.index(day) for day in restrictions.day_of_week)
    return Limit(lambda at: (at.local_day + _DAY_ZERO) % 7 in days, times_of_day_s=(0,))
