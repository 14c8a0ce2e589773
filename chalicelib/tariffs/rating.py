"""Rating: what a consumption costs under a version of a tariff. Pure; quotes, live cost and bills all call `rate`.

All arithmetic is exact until the one rounding (half up) of the total; the lines share that total by largest
remainder, so that they always sum to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from chalicelib.kernel.money import Money, currency_exponent
from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.model import Consumption, CostLine, Dimension, PriceComponent, RatedCost, TariffVersion


@dataclass(frozen=True)
class _Share:
    """A component's exact cost, in minor units."""

    line: CostLine
    gross: Fraction
    net: Fraction


def rate(tariff: TariffVersion, consumption: Consumption) -> RatedCost:
    """Applies the tariff. Never negative; more energy or time never costs less."""
    shares = [
        _share(component, consumption, tariff)
        for component in _applicable(tariff)
        if COMPONENTS[component.type].quantity(consumption, component.step_size)
    ]
    total = round_half_up(sum((share.gross for share in shares), Fraction(0)))
    net = min(total, round_half_up(sum((share.net for share in shares), Fraction(0))))
    amounts = split_exactly(total, [share.gross for share in shares])
    lines = tuple(
        CostLine(
            dimension=share.line.dimension,
            quantity=share.line.quantity,
            unit=share.line.unit,
            price=share.line.price,
            vat=share.line.vat,
            amount=Money(amount, tariff.currency),
        )
        for share, amount in zip(shares, amounts, strict=True)
    )
    currency = tariff.currency
    return RatedCost(Money(total, currency), Money(net, currency), Money(total - net, currency), lines)


def round_half_up(amount: Fraction) -> int:
    """To whole minor units; amounts are never negative here."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def split_exactly(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Whole parts near the exact ones that sum to `total`: the largest remainders are rounded up."""
    parts = [part.numerator // part.denominator for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: exact[i] - parts[i], reverse=True)
    for i in by_remainder[: max(0, total - sum(parts))]:
        parts[i] += 1
    return parts


def _applicable(tariff: TariffVersion) -> list[PriceComponent]:
    """OCPI 2.2.1, 11.3.1: for each dimension the first element that has it counts, the others do not."""
    first: dict[Dimension, PriceComponent] = {}
    for element in tariff.elements:
        for component in element.price_components:
            first.setdefault(component.type, component)
    return list(first.values())


def _share(component: PriceComponent, consumption: Consumption, tariff: TariffVersion) -> _Share:
    rule = COMPONENTS[component.type]
    quantity = rule.quantity(consumption, component.step_size)
    ...
