"""Rating without storage: a night of twelve hours with 720 readings under a tariff of 30 elements, and a plain one.

The first is the heaviest that the product promises to be quick at: every element has a time of the day, most have a
tier of energy or power or days of the week too, and the clock is changed on the way. The second is what each meter
value of most sessions costs. Both are the mean of many, of one process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal

from chalicelib.tariffs.model import (
    Consumption,
    PriceComponent,
    Reading,
    Restrictions,
    TariffElement,
    TariffVersion,
)
from chalicelib.tariffs.rating import rate, total_cost
from chalicelib.tariffs.restrictions.day_of_week import DAYS

ELEMENTS, READINGS, HOURS = 30, 720, 12
TARGET_MS = 5.0

_START = datetime(2026, 3, 28, 20, tzinfo=UTC)


@dataclass(frozen=True)
class RatingCost:
    """Milliseconds per call, the mean."""

    title: str
    ms: float
    target_ms: float | None = None


def measure() -> list[RatingCost]:
    tariff, night = heavy_tariff(), night_of_readings()
    plain = _tariff(TariffElement((PriceComponent("ENERGY", Decimal("0.35"), Decimal(19)),)))
    hour = Consumption(_START, _START + timedelta(hours=1), 12_345)
    return [
        RatingCost("bill, 720 readings, 30 elements", _mean_ms(lambda: rate(tariff, night), 200), TARGET_MS),
        RatingCost("live cost, the same", _mean_ms(lambda: total_cost(tariff, night), 200), TARGET_MS),
        RatingCost("bill, energy only", _mean_ms(lambda: rate(plain, hour), 20_000)),
        RatingCost("live cost, energy only", _mean_ms(lambda: total_cost(plain, hour), 20_000)),
    ]


def heavy_tariff() -> TariffVersion:
    """Half hours around the clock, and what is left."""
    vat = Decimal(19)
    elements = [
        TariffElement(
            (
                PriceComponent("ENERGY", Decimal(30 + number) / 100, vat),
                PriceComponent("TIME", Decimal(100 + number) / 100, vat),
                PriceComponent("PARKING_TIME", Decimal(300 + number) / 100, Decimal(7), 60),
            ),
            Restrictions(
                start_time=_half_hour(number),
                end_time=_half_hour(number + 1),
                max_power=Decimal(11) if number % 2 else None,
                max_kwh=Decimal(10 + number) if number % 3 else None,
                day_of_week=() if number % 5 else DAYS[:5],
            ),
        )
        for number in range(ELEMENTS - 1)
    ]
    rest = tuple(PriceComponent(kind, Decimal(1), vat) for kind in ("ENERGY", "TIME", "PARKING_TIME", "FLAT"))
    return _tariff(*elements, TariffElement(rest))


def night_of_readings() -> Consumption:
    """One a minute; charging for ten hours, then idle."""
    step = timedelta(hours=HOURS) / (READINGS + 1)
    readings = tuple(
        Reading(_START + number * step, min(60_000, number * 100), 6_000 + number * 10 if number < 600 else 0)
        for number in range(1, READINGS + 1)
    )
    return Consumption(_START, _START + timedelta(hours=HOURS), 60_000, "Europe/Berlin", readings=readings)


def _half_hour(number: int) -> time_of_day:
    return time_of_day(number // 2 % 24, number % 2 * 30)


def _tariff(*elements: TariffElement) -> TariffVersion:
    return TariffVersion("trf_1", 1, "org_1", "Bench", "EUR", True, elements, _START)


def _mean_ms(run: Callable[[], object], times: int) -> float:
    run()
    before = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - before) / times * 1000
