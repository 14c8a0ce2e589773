"""Rating: what a consumption costs under a version of a tariff. Pure; quotes, live cost and bills all call `rate`.

All arithmetic is exact (fractions: a third of an hour has no decimal) until the one rounding, half up, of the
total; the lines share that total by largest remainder, so that they always sum to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from chalicelib.kernel.money import Money, currency_exponent
from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.model import Consumption, CostLine, Dimension, PriceComponent, RatedCost, TariffVersion

_SHOWN_QUANTITY = Decimal("0.000001")


@dataclass(frozen=True)
class _UnitCost:
    """Minor units of money for one Wh, one second or one time: with and without tax."""

    gross: Fraction
    net: Fraction


def rate(tariff: TariffVersion, consumption: Consumption) -> RatedCost:
    """Applies the tariff. Never negative; more energy or time never costs less."""
    billed: list[tuple[PriceComponent, int, Fraction]] = []
    exact_total = Fraction(0)
    exact_net = Fraction(0)
    for component in _applicable(tariff):
        quantity = COMPONENTS[component.type].quantity(consumption, component.step_size)
        if quantity:
            unit_cost = _unit_cost(component, tariff.currency, tariff.tax_included)
            billed.append((component, quantity, unit_cost.gross * quantity))
            exact_total += unit_cost.gross * quantity
            exact_net += unit_cost.net * quantity
    total = Money(round_half_up(exact_total), tariff.currency)
    net = Money(round_half_up(exact_net), tariff.currency)
    amounts = split_exactly(total.amount, [gross for _, _, gross in billed])
    lines = tuple(
        _line(component, quantity, Money(amount, tariff.currency))
        for (component, quantity, _), amount in zip(billed, amounts, strict=True)
    )
    return RatedCost(total, net, total - net, lines)


def round_half_up(amount: Fraction) -> int:
    """To whole minor units; amounts are never negative here."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def split_exactly(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Whole parts that sum to `total` (the rounded sum of `exact`), each within one of its exact part."""
    parts = [part.numerator // part.denominator for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: exact[i] - parts[i], reverse=True)
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _applicable(tariff: TariffVersion) -> list[PriceComponent]:
    """OCPI 2.2.1, 11.3.1: for each dimension the first element that has it counts, the others do not."""
    first: dict[Dimension, PriceComponent] = {}
    for element in tariff.elements:
        for component in element.price_components:
            first.setdefault(component.type, component)
    return list(first.values())


@lru_cache(maxsize=4096)
def _unit_cost(component: PriceComponent, currency: str, tax_included: bool) -> _UnitCost:
    price = Fraction(component.price) * 10 ** currency_exponent(currency) / COMPONENTS[component.type].per
    tax_factor = 1 + Fraction(component.vat or 0) / 100
    return _UnitCost(price, price / tax_factor) if tax_included else _UnitCost(price * tax_factor, price)


def _line(component: PriceComponent, quantity: int, amount: Money) -> CostLine:
    rule = COMPONENTS[component.type]
    return CostLine(
        dimension=component.type,
        quantity=(Decimal(quantity) / rule.per).quantize(_SHOWN_QUANTITY).normalize(),
        unit=rule.unit,
        price=component.price,
        vat=component.vat,
        amount=amount,
    )
