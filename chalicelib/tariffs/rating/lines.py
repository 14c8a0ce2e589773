"""The lines of a bill: what each price makes of what was used, and what bounds and rounding change of that. Pure.

Called by `rate`. Invariants: the lines sum to the total, and those of one rate of tax to no less than nothing; whoever
checks the quantity of a line against its price finds its amount, to the minor unit (tax on top of it where the tariff's
prices have none).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar

from chalicelib.kernel.money import Money
from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.components.pieces import Dimension
from chalicelib.tariffs.model.costs import CostLine, LineKind
from chalicelib.tariffs.model.versions import TariffVersion
from chalicelib.tariffs.rating.rounding import round_half_up, split_exactly

Vat = TypeVar("Vat")

_SHOWN_QUANTITY = Decimal("0.000001")


class _Key(NamedTuple):
    """What a line is for."""

    dimension: Dimension
    price: Decimal
    vat: Decimal | None


def cost_lines(
    tariff: TariffVersion, quantities: Mapping[int, int], exact: Fraction, *, bounded: Fraction, total: int
) -> tuple[CostLine, ...]:
    """One per dimension, price and VAT that counted, in the tariff's order, and one per VAT for what a bound or the
    rounding makes of their sum. `exact` is what the prices make, `bounded` what the bounds make of it, both in minor
    units and not rounded yet."""
    merged = _merged(tariff, quantities)
    kind = _kind_of_change(exact, bounded)
    # A rounding to the minor unit is within each line; what is more than that is shown.
    natural = total if kind == "ROUNDING" and tariff.rounding.step == 1 else round_half_up(exact)
    shares = [Fraction(cost, tariff.plan.gross.denominator) for _, cost in merged.values()]
    amounts = split_exactly(natural, shares) if merged else []
    lines = [
        _line(key, quantity, Money(amount, tariff.currency))
        for (key, (quantity, _)), amount in zip(merged.items(), amounts, strict=True)
    ]
    return (*lines, *_changes(tariff, lines, total - natural, kind))


def shared_by_vat(change: int, amounts: Mapping[Vat, int]) -> dict[Vat, int]:
    """A change of a bill's sum by rate of tax, each as large a part as it has of the sum. What is taken away leaves
    none below zero; where all is free the first rate has what is added."""
    whole = sum(amounts.values())
    if not whole:
        return {next(iter(amounts)): change}
    parts = split_exactly(abs(change), [Fraction(amount * abs(change), whole) for amount in amounts.values()])
    return {vat: part if change > 0 else -part for vat, part in zip(amounts, parts, strict=True)}


def _merged(tariff: TariffVersion, quantities: Mapping[int, int]) -> dict[_Key, tuple[int, int]]:
    """Quantity and cost (in the plan's denominator) of each line."""
    plan = tariff.plan
    merged: dict[_Key, tuple[int, int]] = {}
    for number in sorted(quantities):
        component = plan.components[number]
        key = _Key(component.type, component.price, component.vat)
        quantity, cost = merged.get(key, (0, 0))
        merged[key] = quantity + quantities[number], cost + quantities[number] * plan.gross.numerators[number]
    return merged


def _kind_of_change(exact: Fraction, bounded: Fraction) -> LineKind:
    if bounded == exact:
        return "ROUNDING"
    return "MIN_PRICE" if bounded > exact else "MAX_PRICE"


def _changes(tariff: TariffVersion, lines: list[CostLine], change: int, kind: LineKind) -> list[CostLine]:
    if not change:
        return []
    by_vat: dict[Decimal | None, int] = {}
    for line in lines:
        by_vat[line.vat] = by_vat.get(line.vat, 0) + line.amount.amount
    shares = shared_by_vat(change, by_vat or {tariff.plan.components[0].vat: 0})
    amounts = [(vat, Money(amount, tariff.currency)) for vat, amount in shares.items() if amount]
    return [CostLine(kind, Decimal(1), "", amount.to_decimal(), vat, amount) for vat, amount in amounts]


def _line(key: _Key, quantity: int, amount: Money) -> CostLine:
    rule = COMPONENTS[key.dimension]
    shown = (Decimal(quantity) / rule.per).quantize(_SHOWN_QUANTITY).normalize()
    # Not 1E+1, however it is written out.
    return CostLine(key.dimension, Decimal(format(shown, "f")), rule.unit, key.price, key.vat, amount)
