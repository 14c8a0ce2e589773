"""What a consumption costs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from chalicelib.kernel.money import Money
from chalicelib.tariffs.components.pieces import Dimension

LineKind = Dimension | Literal["MIN_PRICE", "MAX_PRICE", "ROUNDING"]
"""What a line is for: a dimension of the tariff, or what its minimum adds, its maximum takes away (below zero), or its
rounding changes."""


@dataclass(frozen=True)
class CostLine:
    """One dimension's share: the billed quantity in its unit (`kWh`, `h`, or `x`), and its gross amount. What bounds
    and rounding change has no unit: its price is its amount."""

    dimension: LineKind
    quantity: Decimal
    unit: str
    price: Decimal
    vat: Decimal | None
    amount: Money


@dataclass(frozen=True)
class RatedCost:
    """`total` is what the driver pays, tax included; the lines' amounts sum to it, and `net` and `tax` too."""

    total: Money
    net: Money
    tax: Money
    lines: tuple[CostLine, ...]
