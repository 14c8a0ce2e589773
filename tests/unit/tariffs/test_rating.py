"""Rating: golden cases, and what must hold for every tariff and every consumption."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.money import Money
from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.components.steps import round_up
from chalicelib.tariffs.model import (
    Consumption,
    Dimension,
    PriceComponent,
    RatedCost,
    TariffElement,
    TariffVersion,
)
from chalicelib.tariffs.rating import rate, round_half_up, split_exactly, total_cost
from tests.unit.tariffs.conftest import START, component, consumption, tariff


def total(rated: RatedCost) -> int:
    return rated.total.amount


def test_the_example_of_the_product() -> None:
    """0.35 EUR a kWh, stopped after 200 Wh: 0.07 EUR, to the cent."""
    rated = rate(tariff(component("ENERGY", "0.35")), consumption(200, 600))
    assert rated.total == Money(7, "EUR")
    (line,) = rated.lines
    assert (line.dimension, line.quantity, line.unit, line.amount) == (
        "ENERGY",
        Decimal("0.2"),
        "kWh",
        Money(7, "EUR"),
    )


@pytest.mark.parametrize(
    ("part", "used", "cents"),
    [
        (component("ENERGY", "0.25"), consumption(10_000), 250),
        (component("ENERGY", "0.25"), consumption(0, 3600), 0),
        (component("ENERGY", "0.25"), consumption(-500, 3600), 0),
        (component("ENERGY", "0.25"), consumption(20), 1),
        (component("ENERGY", "0.25"), consumption(19), 0),
        (component("ENERGY", "0.25", step_size=1000), consumption(1), 25),
        (component("ENERGY", "0.25", step_size=1000), consumption(1000), 25),
        (component("ENERGY", "0.25", step_size=1000), consumption(1001), 50),
        (component("TIME", "2.00"), consumption(0, 1800), 100),
        (component("TIME", "2.00", step_size=300), consumption(0, 301), 33),
        (component("TIME", "2.00"), consumption(0, 3600, 1800), 100),
        (component("PARKING_TIME", "6.00"), consumption(0, 3600, 600), 100),
        (component("PARKING_TIME", "6.00"), consumption(0, 600, 3600), 100),
        (component("PARKING_TIME", "6.00"), consumption(5000, 600), 0),
        (component("FLAT", "1.50"), consumption(0, 1), 150),
        (component("FLAT", "1.50"), consumption(1, 0), 150),
        (component("FLAT", "1.50"), consumption(0, 0), 0),
    ],
)
def test_each_dimension(part: PriceComponent, used: Consumption, cents: int) -> None:
    assert total(rate(tariff(part), used)) == cents


def test_a_third_of_an_hour_is_exact() -> None:
    """0.045 an hour for 20 minutes is 1.5 cents: half up, though a third has no decimal."""
    assert total(rate(tariff(component("TIME", "0.045")), consumption(0, 1200))) == 2


@pytest.mark.parametrize(("currency", "minor"), [("EUR", 1234), ("JPY", 12), ("KWD", 12_340)])
def test_minor_units_of_the_currency(currency: str, minor: int) -> None:
    assert total(rate(tariff(component("FLAT", "12.34"), currency=currency), consumption(1))) == minor


def test_one_rounding_for_all_components() -> None:
    """Two costs of half a cent are one cent, not two."""
    parts = (component("ENERGY", "0.005"), component("FLAT", "0.005"))
    rated = rate(tariff(*parts), consumption(1000, 60))
    assert total(rated) == 1
    assert sorted(line.amount.amount for line in rated.lines) == [0, 1]


def test_tax_on_top_and_tax_within() -> None:
    net = tariff(component("ENERGY", "1.00", vat="19"), tax_included=False)
    gross = tariff(component("ENERGY", "1.19", vat="19"), tax_included=True)
    for priced in (net, gross):
        rated = rate(priced, consumption(10_000))
        assert (rated.total, rated.net, rated.tax) == (Money(1190, "EUR"), Money(1000, "EUR"), Money(190, "EUR"))


def test_components_with_different_rates_of_tax() -> None:
    rated = rate(
        tariff(component("ENERGY", "1.00", vat="19"), component("FLAT", "1.00", vat="7"), tax_included=False),
        consumption(1000),
    )
    assert (rated.total.amount, rated.net.amount, rated.tax.amount) == (226, 200, 26)
    assert [line.amount.amount for line in rated.lines] == [119, 107]


def test_the_first_element_with_a_dimension_prices_it() -> None:
    """OCPI 2.2.1, 11.3.1."""
    parts = (component("ENERGY", "0.30"), component("ENERGY", "9.00"), component("FLAT", "1.00"))
    assert total(rate(tariff(*parts), consumption(1000))) == 130


def test_a_clock_that_jumped_back_has_used_no_time() -> None:
    used = Consumption(START, START - timedelta(hours=1), 1000)
    assert total(rate(tariff(component("TIME", "60"), component("ENERGY", "0.30")), used)) == 30


def test_every_dimension_has_a_component() -> None:
    assert set(COMPONENTS) == set(Dimension.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("amount", "step", "billed"), [(0, 60, 0), (1, 60, 60), (60, 60, 60), (61, 60, 120), (7, 0, 7)]
)
def test_begun_blocks_are_whole_ones(amount: int, step: int, billed: int) -> None:
    assert round_up(amount, step) == billed


PRICES = st.decimals(min_value=0, max_value=1000, places=4, allow_nan=False)
VATS = st.none() | st.decimals(min_value=0, max_value=100, places=2, allow_nan=False)
COMPONENT = st.builds(
    PriceComponent,
    type=st.sampled_from(sorted(COMPONENTS)),
    price=PRICES,
    vat=VATS,
    step_size=st.integers(1, 5000),
)
TARIFFS = st.builds(
    TariffVersion,
    tariff_id=st.just("trf_1"),
    version=st.just(1),
    operator_id=st.just("org_1"),
    name=st.just("Any"),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    tax_included=st.booleans(),
    elements=st.lists(
        st.builds(TariffElement, st.lists(COMPONENT, min_size=1, max_size=4).map(tuple)), min_size=1, max_size=5
    ).map(tuple),
    created_at=st.just(START),
)
ENERGY = st.integers(-1000, 500_000)
SECONDS = st.integers(0, 90_000)


@given(TARIFFS, ENERGY, SECONDS, SECONDS)
def test_lines_sum_to_the_total_and_nothing_is_negative(
    priced: TariffVersion, energy_wh: int, duration_s: int, parking_s: int
) -> None:
    rated = rate(priced, consumption(energy_wh, duration_s, parking_s))
    assert sum(line.amount.amount for line in rated.lines) == total(rated)
    assert rated.net + rated.tax == rated.total
    assert all(line.amount.amount >= 0 for line in rated.lines)
    assert 0 <= rated.net.amount <= total(rated)
    assert total_cost(priced, consumption(energy_wh, duration_s, parking_s)) == rated.total


@given(TARIFFS, ENERGY, SECONDS, st.integers(0, 10_000), st.integers(0, 10_000))
def test_more_never_costs_less(
    priced: TariffVersion, energy_wh: int, duration_s: int, more_wh: int, more_s: int
) -> None:
    less = rate(priced, consumption(energy_wh, duration_s))
    more = rate(priced, consumption(energy_wh + more_wh, duration_s + more_s))
    assert less.total <= more.total


@given(PRICES, st.integers(0, 500_000), st.integers(0, 500_000))
def test_energy_adds_up_to_a_rounding(price: Decimal, first_wh: int, second_wh: int) -> None:
    priced = tariff(PriceComponent("ENERGY", price))
    parts = total(rate(priced, consumption(first_wh))) + total(rate(priced, consumption(second_wh)))
    assert abs(total(rate(priced, consumption(first_wh + second_wh))) - parts) <= 1


@given(PRICES, st.integers(0, 500_000))
def test_energy_without_steps_is_price_times_quantity(price: Decimal, energy_wh: int) -> None:
    exact = price * energy_wh / 1000
    assert rate(tariff(PriceComponent("ENERGY", price)), consumption(energy_wh)).total == Money.from_decimal(
        exact, "EUR"
    )


@given(st.lists(st.fractions(min_value=0, max_value=1000, max_denominator=3600), max_size=6))
def test_shares_are_within_one_of_their_exact_part(exact: list[Fraction]) -> None:
    whole = round_half_up(sum(exact, Fraction(0)))
    parts = split_exactly(whole, exact)
    assert sum(parts) == whole
    assert all(abs(part - share) <= 1 for part, share in zip(parts, exact, strict=True))
