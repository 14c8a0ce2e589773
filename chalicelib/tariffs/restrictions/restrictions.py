"""What limits an element, in OCPI's names (2.2.1, 11.4.6 TariffRestrictions). Pure.

All that are given must hold. Times, dates and days are those of the location; `min_` includes its value and `max_`
excludes it, so that neighbouring tiers neither overlap nor leave a gap. Power is in kW. Current is not among them: what
meters tell of it is too uneven to bill by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Literal

DayOfWeek = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


@dataclass(frozen=True)
class Restrictions:
    """A time that ends before it starts goes over midnight; an `end_time` of 00:00 is the end of the day; `end_date`
    is the first day that is out. A duration is that of the whole charging session so far, and so is the energy."""

    start_time: time | None = None
    end_time: time | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    day_of_week: tuple[DayOfWeek, ...] = ()
