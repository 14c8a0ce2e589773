"""Blocks by the rule of OCPI 2.2.1 (mod_cdrs, "step_size"), minimum and maximum prices, and the tax in all of it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kernel.money import CostRounding
from chalicelib.tariffs.model import Consumption, TariffElement
from chalicelib.tariffs.rating import rate, total_cost
from tests.unit.tariffs.conftest import component, consumption
from tests.unit.tariffs.prices import bill, element, tariff_of, used

AT_1655 = "2026-03-02T15:55"


def test_energy_is_rounded_once_and_by_the_last_component() -> None:
    """OCPI: 4.3 kWh before 17:00 and 1.1 after it are 5.4, in steps of 500 Wh 5.5; the rest is at the last price."""
    priced = tariff_of(
        element(component("ENERGY", "0.20", step_size=500), end_time="17:00"),
        element(component("ENERGY", "0.27", step_size=500)),
    )
    rated = rate(priced, used(AT_1655, 600, 5_400, [(300, 4_300)]))
    assert [(quantity, price) for _, quantity, price, _ in bill(rated)] == [("4.3", "0.20"), ("1.2", "0.27")]


def test_time_is_rounded_once_and_by_the_last_component() -> None:
    """OCPI: 6 minutes before 17:00 and 22 after it are 28, in steps of ten minutes 30: 24 are billed after 17:00."""
    priced = tariff_of(
        element(component("TIME", "5", step_size=600), end_time="17:00"), element(component("TIME", "7", step_size=600))
    )
    rated = rate(priced, used("2026-03-02T15:54", 28 * 60, 1_000))
    assert [(quantity, price) for _, quantity, price, _ in bill(rated)] == [("0.1", "5"), ("0.4", "7")]


@pytest.mark.parametrize(("minutes", "cents"), [(10, 50), (35, 130)])
def test_the_step_of_the_last_price_counts(minutes: int, cents: int) -> None:
    """OCPI, "Example Tariff", #1 and #2: steps of 30 minutes before 17:00, of 15 after it."""
    priced = tariff_of(
        element(component("TIME", "1.20", step_size=1800), end_time="17:00"),
        element(component("TIME", "2.40", step_size=900)),
    )
    begin = AT_1655 if minutes == 10 else "2026-03-02T15:35"
    assert total_cost(priced, used(begin, minutes * 60, 1_000)).amount == cents


def test_where_idle_time_is_billed_only_that_is_rounded() -> None:
    """OCPI: 21 minutes of charging and 16 idle, steps of ten minutes: 21 and 20."""
    priced = tariff_of(
        element(component("TIME", "1", step_size=600)), element(component("PARKING_TIME", "2", step_size=600))
    )
    rated = rate(priced, consumption(1_000, 37 * 60, 16 * 60))
    assert [(line.dimension, round(line.quantity * 60)) for line in rated.lines] == [("TIME", 21), ("PARKING_TIME", 20)]
    charging_only = rate(priced, consumption(1_000, 21 * 60))
    assert [(line.dimension, round(line.quantity * 60)) for line in charging_only.lines] == [("TIME", 30)]


ENERGY_10 = component("ENERGY", "0.25", vat="10")
START_20 = component("FLAT", "0.50", vat="20")


@pytest.mark.parametrize(
    ("elements", "bounds", "energy_wh", "net", "total"),
    [
        ([ENERGY_10], {"min_price": ("0.50", "0.55")}, 20_000, 500, 550),
        ([ENERGY_10], {"min_price": ("0.50", "0.55")}, 1_999, 50, 55),
        ([ENERGY_10, START_20], {"max_price": ("10", "11")}, 50_000, 1000, 1100),
        ([ENERGY_10, START_20], {"max_price": ("10", "11")}, 30_000, 800, 885),
        ([ENERGY_10], {"max_price": (None, "11")}, 50_000, 1000, 1100),
        ([ENERGY_10], {"max_price": ("10", None)}, 50_000, 1000, 1100),
        ([ENERGY_10], {"min_price": (None, "1.10")}, 1, 100, 110),
        ([ENERGY_10], {"min_price": ("1", None)}, 1, 100, 110),
        ([component("ENERGY", "0", vat="10")], {"min_price": ("1", None)}, 1, 100, 110),
        ([component("ENERGY", "0", vat="10")], {"min_price": (None, "1.10")}, 1, 100, 110),
        ([ENERGY_10], {"min_price": ("0.50", "0.55")}, 0, 0, 0),
    ],
)
def test_the_examples_of_minimum_and_maximum(
    elements: list[Any], bounds: dict[str, Any], energy_wh: int, net: int, total: int
) -> None:
    """OCPI 2.2.1, "minimum price" and "max price", prices without tax; and with only one of the two amounts."""
    priced = tariff_of(*(TariffElement((part,)) for part in elements), tax_included=False, **bounds)
    rated = rate(priced, consumption(energy_wh, 600))
    assert (rated.net.amount, rated.total.amount) == (net, total)
    assert sum(line.amount.amount for line in rated.lines) == total


def test_a_minimum_that_no_component_explains_has_a_line() -> None:
    priced = tariff_of(element(component("ENERGY", "1", vat="10"), min_kwh="5"), min_price=(None, "2.20"))
    assert bill(rate(priced, consumption(1_000, 600))) == [("MIN_PRICE", "1", "2.20", 220)]
    assert rate(priced, consumption(1_000, 600)).net.amount == 200


ENERGY_19 = component("ENERGY", "0.35", vat="19")


@pytest.mark.parametrize(
    ("bounds", "lines"),
    [
        ({"max_price": (None, "5.00")}, [("ENERGY", "20", "0.35", 700), ("MAX_PRICE", "1", "-2.00", -200)]),
        ({"min_price": (None, "9.00")}, [("ENERGY", "20", "0.35", 700), ("MIN_PRICE", "1", "2.00", 200)]),
        ({"max_price": (None, "7.00")}, [("ENERGY", "20", "0.35", 700)]),
        ({"rounding": CostRounding("up", 50)}, [("ENERGY", "20", "0.35", 700)]),
        ({"rounding": CostRounding("up", 300)}, [("ENERGY", "20", "0.35", 700), ("ROUNDING", "1", "2.00", 200)]),
        ({"rounding": CostRounding("down", 300)}, [("ENERGY", "20", "0.35", 700), ("ROUNDING", "1", "-1.00", -100)]),
    ],
)
def test_what_bounds_and_rounding_change_is_said_on_the_bill(
    bounds: dict[str, Any], lines: list[tuple[str, str, str, int]]
) -> None:
    rated = rate(tariff_of(element(ENERGY_19), **bounds), consumption(20_000, 600))
    assert bill(rated) == lines
    assert {line.vat for line in rated.lines} == {ENERGY_19.vat}


def test_what_a_maximum_takes_away_is_shared_by_the_rates_of_tax() -> None:
    """30.00 at 19 % and 10.00 at 7 %, of which 10.00 are due."""
    parts = (component("ENERGY", "3", vat="19"), component("FLAT", "10", vat="7"))
    rated = rate(tariff_of(element(*parts), max_price=(None, "10.00")), consumption(10_000, 600))
    assert [(line.dimension, str(line.vat), line.amount.amount) for line in rated.lines] == [
        ("ENERGY", "19", 3000),
        ("FLAT", "7", 1000),
        ("MAX_PRICE", "19", -2250),
        ("MAX_PRICE", "7", -750),
    ]


@pytest.mark.parametrize(
    ("rounding", "bounds", "energy_wh", "total"),
    [
        (CostRounding("up", 5), {"max_price": (None, "0.99")}, 20_000, 95),
        (CostRounding("down", 5), {"min_price": (None, "0.99")}, 1, 100),
        (CostRounding("down", 5), {"min_price": (None, "0.99"), "max_price": (None, "0.99")}, 1, 95),
        (CostRounding("half_up", 5), {"max_price": (None, "1.00")}, 20_000, 100),
    ],
)
def test_bounds_stand_above_rounding(
    rounding: CostRounding, bounds: dict[str, Any], energy_wh: int, total: int
) -> None:
    priced = tariff_of(element(component("ENERGY", "0.25")), rounding=rounding, **bounds)
    rated = rate(priced, consumption(energy_wh, 600))
    assert rated.total.amount == total_cost(priced, consumption(energy_wh, 600)).amount == total


def test_taxes_of_parts_within_and_on_top() -> None:
    """Energy at 19 %, idle time at 7 %, a fee without tax."""
    parts = (component("ENERGY", "1.00", vat="19"), component("PARKING_TIME", "10", vat="7"), component("FLAT", "1"))
    used_up: Consumption = consumption(10_000, 7200, 3600)
    on_top = rate(tariff_of(element(*parts), tax_included=False), used_up)
    assert (on_top.net.amount, on_top.tax.amount, on_top.total.amount) == (2100, 190 + 70, 2360)
    within = rate(tariff_of(element(*parts)), used_up)
    assert (within.total.amount, within.net.amount) == (2100, 1875)  # 10 / 1.19 + 10 / 1.07 + 1
