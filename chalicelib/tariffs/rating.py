"""Rating: what a consumption costs under a version of a tariff. Pure; quotes, live cost and bills all call `rate`.

All arithmetic is exact (fractions: a third of an hour has no decimal) until the one rounding of the total, half up to
the minor unit unless the tariff says otherwise; the lines share that total by largest remainder, so that they always
sum to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from chalicelib.kernel.money import CostRounding, Money, currency_exponent
from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.model import (
    TO_THE_MINOR_UNIT,
    Consumption,
    CostLine,
    PriceComponent,
    RatedCost,
    TariffVersion,
)

_SHOWN_QUANTITY = Decimal("0.000001")
_NOTHING = Fraction(0)


@dataclass(frozen=True)
class _UnitCost:
    """Minor units of money for one Wh, one second or one time: with and without tax."""

    gross: Fraction
    net: Fraction


class _Share(NamedTuple):
    """What one component bills, in exact minor units."""

    component: PriceComponent
    quantity: int
    gross: Fraction
    net: Fraction


def rate(tariff: TariffVersion, consumption: Consumption) -> RatedCost:
    """Applies the tariff. Never negative; more energy or time never costs less."""
    billed = _billed(tariff, consumption)
    gross = _sum(share.gross for share in billed)
    total = Money(round_cost(gross, tariff.rounding), tariff.currency)
    # Rounded to more than the minor unit, all parts shrink or grow alike: no tax is left of a total of nothing.
    scale = Fraction(1) if tariff.rounding == TO_THE_MINOR_UNIT or not gross else total.amount / gross
    net = Money(round_half_up(_sum(share.net for share in billed) * scale), tariff.currency)
    amounts = split_exactly(total.amount, [share.gross * scale for share in billed])
    lines = tuple(
        _line(share.component, share.quantity, Money(amount, tariff.currency))
        for share, amount in zip(billed, amounts, strict=True)
    )
    return RatedCost(total, net, total - net, lines)


def total_cost(tariff: TariffVersion, consumption: Consumption) -> Money:
    """`rate(...).total` without the lines: for every meter value of a running charging session."""
    gross = _sum(share.gross for share in _billed(tariff, consumption))
    return Money(round_cost(gross, tariff.rounding), tariff.currency)


def round_cost(amount: Fraction, rounding: CostRounding) -> int:
    """Minor units: the multiple of the step that the mode takes. Amounts are never negative here."""
    steps = amount / rounding.step
    if rounding.mode == "half_up":
        return round_half_up(steps) * rounding.step
    return (ceil(steps) if rounding.mode == "up" else floor(steps)) * rounding.step


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


def _billed(tariff: TariffVersion, consumption: Consumption) -> list[_Share]:
    shares = []
    for component in tariff.applicable:
        quantity = COMPONENTS[component.type].quantity(consumption, component.step_size)
        if quantity:
            unit_cost = _unit_cost(component, tariff.currency, tariff.tax_included)
            shares.append(_Share(component, quantity, unit_cost.gross * quantity, unit_cost.net * quantity))
    return shares


def _sum(parts: Iterable[Fraction]) -> Fraction:
    return sum(parts, _NOTHING)


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
