"""A version of a tariff, made ready for rating: whole numbers, and where prices may change. Pure.

Made once per version. Prices per unit are whole numbers over one common denominator, so that sums are exact and quick;
`gross` with tax, `net` without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Final

from chalicelib.kernel.money import currency_exponent
from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.components.pieces import Dimension
from chalicelib.tariffs.model.elements import PriceComponent, TariffElement
from chalicelib.tariffs.restrictions import limits_of
from chalicelib.tariffs.restrictions.situations import Limit, Situation

_TIMES: Final = frozenset({"PARKING_TIME", "TIME"})

Prices = tuple[tuple[Dimension, int], ...]
"""What counts at a moment: of each dimension the number of its component."""


@dataclass(frozen=True)
class UnitPrices:
    """Minor units of money for one Wh, one second or one time of each component: `numerators[i] / denominator`."""

    numerators: tuple[int, ...]
    denominator: int


@dataclass(frozen=True)
class Plan:
    """`components` are those of all elements, numbered in order. Edges are in order, too; there are no `times_of_day_s`
    where the location's time does not matter."""

    components: tuple[PriceComponent, ...]
    elements: tuple[tuple[tuple[Limit, ...], tuple[tuple[Dimension, int], ...]], ...]
    times_of_day_s: tuple[int, ...]
    durations_s: tuple[int, ...]
    energies_wh: tuple[int, ...]
    powers_w: tuple[int, ...]
    gross: UnitPrices

    def prices_at(self, situation: Situation) -> Prices:
        """Of each dimension the first element that has it and applies (OCPI 2.2.1, 11.3.1)."""
        first: dict[Dimension, int] = {}
        for limits, priced in self.elements:
            if all(limit.holds(situation) for limit in limits):
                for dimension, number in priced:
                    first.setdefault(dimension, number)
        return tuple(first.items())

    @cached_property
    def net(self) -> UnitPrices:
        prices = zip(self.components, _fractions(self.gross), strict=True)
        return _unit_prices(price / _tax_factor(component) for component, price in prices)

    @cached_property
    def always(self) -> Prices | None:
        """What counts at every moment, where no element is restricted."""
        if any(limits for limits, _ in self.elements):
            return None
        return self.prices_at(Situation(0, 0, 0, 0, 0))

    @cached_property
    def bills_time(self) -> bool:
        return any(component.type in _TIMES for component in self.components)

    @cached_property
    def needs_readings(self) -> bool:
        """Energy and flat fees need none, nor do tiers of energy: how much there was, its end tells."""
        return self.bills_time or bool(self.times_of_day_s or self.durations_s or self.powers_w)

    @cached_property
    def tax_factor(self) -> Fraction:
        """What a price without tax grows by, of the first component: for an amount that no component explains."""
        return _tax_factor(self.components[0]) if self.components else Fraction(1)


def make_plan(elements: tuple[TariffElement, ...], currency: str, tax_included: bool) -> Plan:
    components: list[PriceComponent] = []
    numbered = []
    for element in elements:
        first = len(components)
        components += element.price_components
        priced = tuple((component.type, number) for number, component in enumerate(element.price_components, first))
        numbered.append((limits_of(element.restrictions), priced))
    limits = [limit for of_element, _ in numbered for limit in of_element]
    return Plan(
        components=tuple(components),
        elements=tuple(numbered),
        times_of_day_s=_in_order(limit.times_of_day_s for limit in limits),
        durations_s=_in_order(limit.durations_s for limit in limits),
        energies_wh=_in_order(limit.energies_wh for limit in limits),
        powers_w=_in_order(limit.powers_w for limit in limits),
        gross=_unit_prices(_gross(component, currency, tax_included) for component in components),
    )


def _in_order(edges: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted({edge for some in edges for edge in some}))


def _gross(component: PriceComponent, currency: str, tax_included: bool) -> Fraction:
    minor_units: int = 10 ** currency_exponent(currency)
    price = Fraction(component.price) * minor_units / COMPONENTS[component.type].per
    return price if tax_included else price * _tax_factor(component)


def _tax_factor(component: PriceComponent) -> Fraction:
    return Fraction(1) + Fraction(component.vat or 0) / 100


def _unit_prices(prices: Iterable[Fraction]) -> UnitPrices:
    exact = list(prices)
    denominator = lcm(*(price.denominator for price in exact))
    return UnitPrices(tuple(int(price * denominator) for price in exact), denominator)


def _fractions(prices: UnitPrices) -> list[Fraction]:
    return [Fraction(numerator, prices.denominator) for numerator in prices.numerators]
