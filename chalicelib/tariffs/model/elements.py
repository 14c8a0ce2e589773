"""What a tariff is written in: elements of price components, and prices with and without tax. Pure.

Prices are decimals in major units: per kWh for ENERGY, per hour for TIME and PARKING_TIME, each for FLAT.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chalicelib.tariffs.components.pieces import Dimension
from chalicelib.tariffs.restrictions.restrictions import Restrictions


@dataclass(frozen=True)
class PriceComponent:
    """`vat` in percent; `step_size` is the block in which the dimension is billed: Wh or seconds, 1 for FLAT."""

    type: Dimension
    price: Decimal
    vat: Decimal | None = None
    step_size: int = 1


@dataclass(frozen=True)
class TariffElement:
    """Components that apply together, while the restrictions hold. At any moment the first element that has a dimension
    and applies prices that dimension (OCPI 2.2.1, 11.3.1)."""

    price_components: tuple[PriceComponent, ...]
    restrictions: Restrictions | None = None


@dataclass(frozen=True)
class Price:
    """OCPI's Price: an amount without and with tax, in major units; at least one of them. Both bind where both are."""

    excl_vat: Decimal | None = None
    incl_vat: Decimal | None = None
