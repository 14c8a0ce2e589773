"""`start_time` and `end_time`: local times of the location (OCPI 2.2.1, TariffRestrictions). Pure.

A time that ends before it starts goes over midnight, 00:00 is the end of the day. With a day of the week or a date, the
day is that of the moment: MONDAY 22:00-06:00 is Monday before six and from 22:00 on.
"""

from __future__ import annotations

from datetime import time

from chalicelib.kernel.errors import invalid
from chalicelib.tariffs.restrictions.restrictions import Restrictions
from chalicelib.tariffs.restrictions.situations import DAY_S, Limit, Situation


def check(restrictions: Restrictions, pointer: str) -> None:
    """Raises tariff.time_of_day (422) for a time that is over when it begins, or that is no whole minute."""
    for name, given in (("start_time", restrictions.start_time), ("end_time", restrictions.end_time)):
        if given is not None and (given.second or given.microsecond or given.tzinfo is not None):
            raise invalid("tariff.time_of_day", "A time of the day is hours and minutes.", f"{pointer}/{name}")
    if restrictions.start_time is not None and restrictions.start_time == restrictions.end_time:
        raise invalid(
            "tariff.time_of_day",
            "The time ends when it starts. For the whole day leave both out.",
            f"{pointer}/end_time",
        )


def limit(restrictions: Restrictions) -> Limit | None:
    if restrictions.start_time is None and restrictions.end_time is None:
        return None
    start_s = _seconds(restrictions.start_time)
    end_s = _seconds(restrictions.end_time) or DAY_S

    def within(at: Situation) -> bool:
        return start_s <= at.local_s < end_s

    def over_midnight(at: Situation) -> bool:
        return at.local_s >= start_s or at.local_s < end_s

    return Limit(within if start_s < end_s else over_midnight, times_of_day_s=(start_s, end_s % DAY_S))


def _seconds(given: time | None) -> int:
    return 0 if given is None else given.hour * 3600 + given.minute * 60
