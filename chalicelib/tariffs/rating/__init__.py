"""Rating: what a consumption costs under a version of a tariff. Pure; quotes, live cost and bills all come from here.

`stretches` from reading to reading, with what is idle; `local_time` the clock of the location; `quantities` what is
billed at which price; `bounds` minimum and maximum; `rounding` minor units; `lines` the bill. All arithmetic is exact
until the one rounding of the total, half up to the minor unit unless the tariff says otherwise; the lines always sum to
it. The total is never negative.

More of the same delivery never costs less as long as no component has steps: another reading adds to what was billed
before it. Steps may take back a begun block when a price with a shorter step follows, or idle time (OCPI's rule).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from chalicelib.kernel.money import Money
from chalicelib.tariffs.model import TO_THE_MINOR_UNIT, Consumption, RatedCost, TariffVersion
from chalicelib.tariffs.model.plans import UnitPrices
from chalicelib.tariffs.rating.bounds import Bounds
from chalicelib.tariffs.rating.lines import cost_lines, shared_by_vat
from chalicelib.tariffs.rating.quantities import billed_quantities
from chalicelib.tariffs.rating.rounding import round_cost, round_half_up, round_ratio, split_exactly

__all__ = ["rate", "round_cost", "round_half_up", "shared_by_vat", "split_exactly", "total_cost"]


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
        lines=cost_lines(tariff, quantities, exact, bounded=gross, total=total),
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
