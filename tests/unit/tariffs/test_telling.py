"""Prices as people read them: restrictions in words, and what counts at a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from chalicelib.tariffs.model import DayOfWeek, Price, PriceComponent, Restrictions, TariffElement, TariffVersion
from chalicelib.tariffs.telling import components_at, in_words, is_free
from tests.unit.tariffs.conftest import START, component

WEEKDAYS: tuple[DayOfWeek, ...] = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")


@pytest.mark.parametrize(
    ("restrictions", "words"),
    [
        (None, None),
        (Restrictions(day_of_week=WEEKDAYS), "Mon-Fri"),
        (Restrictions(day_of_week=("SUNDAY", "SATURDAY")), "Sat, Sun"),
        (Restrictions(day_of_week=("MONDAY", "TUESDAY", "WEDNESDAY", "SUNDAY")), "Mon-Wed, Sun"),
        (Restrictions(start_time=time(22), end_time=time(6)), "22:00-06:00"),
        (Restrictions(start_time=time(18, 30)), "18:30-00:00"),
        (Restrictions(end_time=time(6)), "00:00-06:00"),
        (Restrictions(start_date=date(2026, 7, 1), end_date=date(2026, 9, 1)), "from 2026-07-01 before 2026-09-01"),
        (Restrictions(min_kwh=Decimal("10.0"), max_kwh=Decimal(100)), "from 10 kWh below 100 kWh"),
        (Restrictions(max_power=Decimal("3.7")), "below 3.7 kW"),
        (Restrictions(min_duration=5400), "from 1 h 30 min"),
        (Restrictions(max_duration=45), "below 45 s"),
        (Restrictions(day_of_week=("MONDAY",), start_time=time(8), end_time=time(9)), "Mon, 08:00-09:00"),
    ],
)
def test_in_words(restrictions: Restrictions | None, words: str | None) -> None:
    assert in_words(restrictions) == words


def night_and_day() -> TariffVersion:
    night = TariffElement((component("ENERGY", "0.20"),), Restrictions(start_time=time(22), end_time=time(6)))
    later = TariffElement((component("TIME", "1.00"),), Restrictions(min_duration=3600))
    rest = TariffElement((component("ENERGY", "0.40"), component("FLAT", "0.50")))
    return TariffVersion("trf_1", 1, "org_1", "T", "EUR", True, (night, later, rest), START)


@pytest.mark.parametrize(
    ("moment", "energy"),
    [
        (datetime(2026, 3, 2, 20, 59, tzinfo=UTC), "0.40"),
        (datetime(2026, 3, 2, 21, 0, tzinfo=UTC), "0.20"),  # 22:00 in Berlin
        (datetime(2026, 3, 3, 5, 0, tzinfo=UTC), "0.40"),
        (datetime(2026, 7, 2, 20, 0, tzinfo=UTC), "0.20"),  # in summer an hour earlier
    ],
)
def test_what_counts_at_a_moment_is_read_on_the_locations_clock(moment: datetime, energy: str) -> None:
    told = {part.type: format(part.price, "f") for part in components_at(night_and_day(), moment, "Europe/Berlin")}
    assert told == {"ENERGY": energy, "FLAT": "0.50"}


def test_free_is_what_can_never_cost_anything() -> None:
    def tariff(part: PriceComponent, min_price: Price | None = None) -> TariffVersion:
        return TariffVersion("t", 1, "o", "T", "EUR", True, (TariffElement((part,)),), START, min_price=min_price)

    assert is_free(tariff(component("ENERGY", "0")))
    assert not is_free(tariff(component("ENERGY", "0.01")))
    assert not is_free(tariff(component("ENERGY", "0"), Price(incl_vat=Decimal(1))))
