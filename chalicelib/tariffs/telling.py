"""Prices as people read them before they charge: when an element applies, in words, and what applies at a moment. Pure.

The words are English: apps that speak other languages have the restrictions themselves beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from chalicelib.tariffs.model import PriceComponent, TariffVersion
from chalicelib.tariffs.restrictions.day_of_week import DAYS
from chalicelib.tariffs.restrictions.restrictions import DayOfWeek, Restrictions
from chalicelib.tariffs.restrictions.situations import Situation

_DAY_ZERO: Final = date(1970, 1, 1)
_LONGEST_RUN_OF_TWO: Final = 2


def components_at(tariff: TariffVersion, moment: datetime, time_zone: str) -> tuple[PriceComponent, ...]:
    """What counts for a charge that begins at `moment`, of each dimension one component: nothing delivered, no time
    gone, no power yet. The same choice that rating makes."""
    local = moment.astimezone(ZoneInfo(time_zone))
    local_s = local.hour * 3600 + local.minute * 60 + local.second
    situation = Situation((local.date() - _DAY_ZERO).days, local_s, duration_s=0, energy_wh=0, power_w=0)
    plan = tariff.plan
    return tuple(plan.components[number] for _, number in plan.prices_at(situation))


def is_free(tariff: TariffVersion) -> bool:
    """Nothing can ever be asked under it."""
    return tariff.min_price is None and not any(component.price for component in tariff.plan.components)


def in_words(restrictions: Restrictions | None) -> str | None:
    """When an element applies; None: always. Like "Mon-Fri, 22:00-06:00, from 10 kWh"."""
    if restrictions is None:
        return None
    parts = [
        _days(restrictions.day_of_week),
        _times(restrictions.start_time, restrictions.end_time),
        _dates(restrictions.start_date, restrictions.end_date),
        _tier(_number(restrictions.min_kwh), _number(restrictions.max_kwh), " kWh"),
        _tier(_number(restrictions.min_power), _number(restrictions.max_power), " kW"),
        _tier(_duration(restrictions.min_duration), _duration(restrictions.max_duration), ""),
    ]
    return ", ".join(part for part in parts if part) or None


def _days(days: Iterable[DayOfWeek]) -> str:
    """Neighbours as one stretch: Mon-Fri."""
    numbers = sorted(DAYS.index(day) for day in days)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(_run(run) for run in runs)


def _run(run: list[int]) -> str:
    names = [DAYS[number][:3].capitalize() for number in run]
    return f"{names[0]}-{names[-1]}" if len(names) > _LONGEST_RUN_OF_TWO else ", ".join(names)


def _times(start: time | None, end: time | None) -> str:
    return "" if start is None and end is None else f"{start or time():%H:%M}-{end or time():%H:%M}"


def _dates(start: date | None, end: date | None) -> str:
    """The end is the first day that is out."""
    told = [f"from {start.isoformat()}"] if start else []
    return " ".join([*told, f"before {end.isoformat()}"] if end else told)


def _tier(least: str | None, most: str | None, unit: str) -> str:
    told = [f"from {least}{unit}"] if least else []
    return " ".join([*told, f"below {most}{unit}"] if most else told)


def _number(value: Decimal | None) -> str | None:
    return None if value is None or not value else format(value.normalize(), "f")


def _duration(seconds: int | None) -> str | None:
    if not seconds:
        return None
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    told = [f"{amount} {unit}" for amount, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if amount]
    return " ".join(told)
