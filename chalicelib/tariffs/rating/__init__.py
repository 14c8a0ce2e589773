"""Rating: what a consumption costs under a version of a tariff. Pure; quotes, live cost and bills all come from here.

`stretches` from reading to reading, with what is idle; `local_time` the clock of the location; `quantities` what is
billed at which price; `bounds` minimum and maximum; `rounding` minor units. All arithmetic is exact until the one
rounding of the total, half up to the minor unit unless the tariff says otherwise; the lines share that total by largest
remainder, so that they always sum to it. Never negative.

More of the same delivery never costs less as long as no component has steps: another reading adds to what was billed
before it. Steps may take back a begun block when a price with a shorter step follows, or idle time (OCPI's rule).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from chalicelib.kernel.money import Money
from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.components.pieces import Dimension
from chalicelib.tariffs.model import TO_THE_MINOR_UNIT, Consumption, CostLine, RatedCost, TariffVersion
from chalicelib.tariffs.model.plans import UnitPrices
from chalicelib.tariffs.rating.bounds import Bounds
from chalicelib.tariffs.rating.quantities import billed_quantities
from chalicelib.tariffs.rating.rounding import round_cost, round_half_up, round_ratio, split_exactly

__all__ = ["rate", "round_cost", "round_half_up", "split_exactly", "total_cost"]

_SHOWN_QUANTITY = Decimal("0.000001")

_LineKey = tuple[Dimension, Decimal, Decimal | None]
"""Dimension, price, VAT: what a line of the bill is for."""


def rate(tariff: TariffVersion, consumption: Consumption) -> RatedCost:
    """Applies the tariff: the total that the driver pays, the tax in it, and a line for each price that counted."""
    quantities = billed_quantities(tariff, consumption)
    plan = tariff.plan
    exact = Fraction(_sum(plan.gross, quantities), plan.gross.denominator)
    bounds = Bounds(tariff, is_delivered=consumption.energy_wh > 0)
    gross, net = bounds.apply(exact, Fraction(_sum(plan.net, quantities), plan.net.denominator))
    total = bounds.round_gross(gross)
    # Rounded to more than the minor unit, all parts shrink or grow alike: no tax is left of a total of nothing.
    scale = Fraction(total) / gross if gross and tariff.rounding != TO_THE_MINOR_UNIT else Fraction(1)
    net_amount = bounds.round_net(net * scale, total)
    return RatedCost(
        total=Money(total, tariff.currency),
        net=Money(net_amount, tariff.currency),
        tax=Money(total - net_amount, tariff.currency),
        lines=_lines(tariff, quantities, exact, total),
    )


def total_cost(tariff: TariffVersion, consumption: Consumption) -> Money:
    """`rate(...).total` without the lines: for every meter value of a running charging session."""
    quantities = billed_quantities(tariff, consumption)
    plan = tariff.plan
    gross = _sum(plan.gross, quantities)
    if tariff.min_price is None and tariff.max_price is None:
        return Money(round_ratio(gross, plan.gross.denominator, tariff.rounding), tariff.currency)
    bounds = Bounds(tariff, is_delivered=consumption.energy_wh > 0)
    net = Fraction(_sum(plan.net, quantities), plan.net.denominator)
    bounded, _ = bounds.apply(Fraction(gross, plan.gross.denominator), net)
    return Money(bounds.round_gross(bounded), tariff.currency)


def _sum(prices: UnitPrices, quantities: Mapping[int, int]) -> int:
    numerators = prices.numerators
    return sum(numerators[number] * quantity for number, quantity in quantities.items())


def _lines(tariff: TariffVersion, quantities: Mapping[int, int], exact: Fraction, total: int) -> tuple[CostLine, ...]:
    """One per dimension, price and VAT that counted, in the tariff's order. They share what a minimum adds, a maximum
    takes or rounding changes by what they cost; where all is free, the first has it."""
    plan = tariff.plan
    merged: dict[_LineKey, list[int]] = {}
    for number in sorted(quantities):
        component = plan.components[number]
        line = merged.setdefault((component.type, component.price, component.vat), [0, 0])
        line[0] += quantities[number]
        line[1] += quantities[number] * plan.gross.numerators[number]
    if not merged:
        return _unexplained(tariff, total)
    shares = [Fraction(cost, plan.gross.denominator) for _, cost in merged.values()]
    if not exact:
        shares[0] = Fraction(total)
    elif tariff.rounding != TO_THE_MINOR_UNIT or total != round_half_up(exact):
        shares = [share * total / exact for share in shares]
    amounts = split_exactly(total, shares)
    return tuple(
        _line(key, quantity, Money(amount, tariff.currency))
        for (key, (quantity, _)), amount in zip(merged.items(), amounts, strict=True)
    )


def _unexplained(tariff: TariffVersion, total: int) -> tuple[CostLine, ...]:
    """A minimum for what no component prices."""
    if not total:
        return ()
    amount = Money(total, tariff.currency)
    return (_line(("FLAT", amount.to_decimal(), tariff.plan.components[0].vat), 1, amount),)


def _line(key: _LineKey, quantity: int, amount: Money) -> CostLine:
    dimension, price, vat = key
    rule = COMPONENTS[dimension]
    shown = (Decimal(quantity) / rule.per).quantize(_SHOWN_QUANTITY).normalize()
    return CostLine(dimension, shown, rule.unit, price, vat, amount)
