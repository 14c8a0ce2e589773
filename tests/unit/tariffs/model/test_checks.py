"""Which tariffs are refused, and where the fault is pointed at."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.tariffs.model import TariffElement, TariffVersion, check_tariff
from tests.unit.tariffs.conftest import component
from tests.unit.tariffs.prices import element, only, tariff_of

ENERGY = component("ENERGY", "0.35")


def refusal(tariff: TariffVersion) -> tuple[str, str]:
    with pytest.raises(DomainError) as raised:
        check(tariff)
    (field,) = raised.value.fields
    return raised.value.code, field.pointer


def check(tariff: TariffVersion) -> None:
    check_tariff(
        tariff.elements,
        tariff.currency,
        min_price=tariff.min_price,
        max_price=tariff.max_price,
        idle_grace_s=tariff.idle_grace_s,
    )


@pytest.mark.parametrize(
    ("restrictions", "code", "field"),
    [
        ({"start_time": "08:00", "end_time": "08:00"}, "tariff.time_of_day", "/end_time"),
        ({"start_time": "08:00:30"}, "tariff.time_of_day", "/start_time"),
        ({"start_date": "2026-03-02", "end_date": "2026-03-02"}, "tariff.dates", "/end_date"),
        ({"start_date": "2026-03-02", "end_date": "2026-03-01"}, "tariff.dates", "/end_date"),
        ({"min_kwh": "5", "max_kwh": "5"}, "tariff.tier", "/max_kwh"),
        ({"min_power": "22", "max_power": "11"}, "tariff.tier", "/max_power"),
        ({"min_duration": 60, "max_duration": 30}, "tariff.tier", "/max_duration"),
        ({"max_kwh": "0"}, "tariff.tier", "/max_kwh"),
        ({"min_kwh": "-1"}, "tariff.tier", "/min_kwh"),
        ({"min_kwh": "0.0005"}, "tariff.tier", "/min_kwh"),
        ({"day_of_week": ("MONDAY", "MONDAY")}, "tariff.day_twice", "/day_of_week"),
        ({"day_of_week": ()}, "tariff.no_restriction", ""),
    ],
)
def test_restrictions_under_which_nothing_is_left(restrictions: dict[str, Any], code: str, field: str) -> None:
    narrow = TariffElement((ENERGY,), only(**restrictions))
    assert refusal(tariff_of(element(ENERGY), narrow)) == (code, f"/elements/1/restrictions{field}")


@pytest.mark.parametrize(
    "restrictions",
    [
        {"start_time": "22:00", "end_time": "06:00"},
        {"start_time": "18:00", "end_time": "00:00"},
        {"min_kwh": "0", "max_kwh": "0.5"},
        {"min_power": "11", "max_power": "22", "min_duration": 0, "day_of_week": ("SUNDAY",)},
        {"start_date": "2026-03-02", "end_date": "2026-03-03"},
    ],
)
def test_restrictions_that_are_fine(restrictions: dict[str, Any]) -> None:
    check(tariff_of(element(ENERGY, **restrictions)))


@pytest.mark.parametrize(
    ("bounds", "pointer"),
    [
        ({"min_price": (None, None)}, "/min_price"),
        ({"min_price": ("0.005", None)}, "/min_price/excl_vat"),
        ({"max_price": (None, "-1")}, "/max_price/incl_vat"),
        ({"max_price": ("10", "9")}, "/max_price/incl_vat"),
        ({"min_price": (None, "5"), "max_price": (None, "4.99")}, "/max_price/incl_vat"),
        ({"min_price": ("5", "6"), "max_price": ("4", "7")}, "/max_price/excl_vat"),
    ],
)
def test_minima_and_maxima_that_say_nothing_or_cross(bounds: dict[str, Any], pointer: str) -> None:
    assert refusal(tariff_of(element(ENERGY), **bounds)) == ("tariff.price_bounds", pointer)


def test_bounds_are_in_the_currencys_own_coins() -> None:
    assert refusal(tariff_of(element(ENERGY), currency="JPY", min_price=(None, "1.5")))[1] == "/min_price/incl_vat"
    check(tariff_of(element(ENERGY), currency="KWD", min_price=(None, "1.555"), max_price=(None, "1.555")))


def test_grace_is_from_an_idle_fee() -> None:
    assert refusal(tariff_of(element(ENERGY), idle_grace_s=600)) == ("tariff.idle_grace", "/idle_grace_s")
    idle_fee = component("PARKING_TIME", "6")
    assert refusal(tariff_of(element(idle_fee), idle_grace_s=86_401)) == ("tariff.idle_grace", "/idle_grace_s")
    check(tariff_of(element(idle_fee), idle_grace_s=600))


def test_a_currency_that_nobody_pays_in() -> None:
    assert refusal(tariff_of(element(ENERGY), currency="XXX"))[0] == "currency.invalid"
