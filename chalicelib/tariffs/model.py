"""Tariffs as OCPI 2.2.1 has them (section 11): elements of price components. Pure.

A version of a tariff never changes: what a session started with is what it is billed with. Prices are decimals in
major units, per kWh for ENERGY, per hour for TIME and PARKING_TIME, each for FLAT.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Literal

from chalicelib.kernel.errors import invalid
from chalicelib.kernel.money import CostRounding, Money

Dimension = Literal["ENERGY", "FLAT", "PARKING_TIME", "TIME"]
AssignmentKind = Literal["charger", "location", "operator"]

NEAREST_FIRST: tuple[AssignmentKind, ...] = ("charger", "location", "operator")

MAX_ELEMENTS = 50


TO_THE_MINOR_UNIT = CostRounding()


@dataclass(frozen=True)
class PriceComponent:
    """`vat` in percent; `step_size` is the block in which the dimension is billed: Wh or seconds, 1 for FLAT."""

    type: Dimension
    price: Decimal
    vat: Decimal | None = None
    step_size: int = 1


@dataclass(frozen=True)
class TariffElement:
    """Components that apply together. Of several elements the first that has a dimension prices that dimension."""

    price_components: tuple[PriceComponent, ...]


@dataclass(frozen=True)
class TariffVersion:
    """One immutable version. With `tax_included` the prices contain their VAT, else it is added to them. `rounding` is
    the operator's setting of the time: what a session started with is how it is rounded, too."""

    tariff_id: str
    version: int
    operator_id: str
    name: str
    currency: str
    tax_included: bool
    elements: tuple[TariffElement, ...]
    created_at: datetime
    rounding: CostRounding = TO_THE_MINOR_UNIT

    @cached_property
    def applicable(self) -> tuple[PriceComponent, ...]:
        """OCPI 2.2.1, 11.3.1: for each dimension the first element that has it counts, the others do not."""
        first: dict[Dimension, PriceComponent] = {}
        for element in self.elements:
            for component in element.price_components:
                first.setdefault(component.type, component)
        return tuple(first.values())


@dataclass(frozen=True)
class TariffHead:
    """Which version of a tariff is current."""

    tariff_id: str
    operator_id: str
    version: int
    updated_at: datetime


@dataclass(frozen=True)
class TariffAssignment:
    """What a tariff applies to: a charger, a location, or everything of the operator (`target_id` is its id)."""

    operator_id: str
    kind: AssignmentKind
    target_id: str
    tariff_id: str
    assigned_at: datetime


@dataclass(frozen=True)
class Consumption:
    """What is to be paid for. `parking_s` is the part of the time in which nothing was charged (OCPI PARKING_TIME);
    the rest is TIME. `time_zone` is the location's IANA zone, in which calendar rules are read."""

    started_at: datetime
    ended_at: datetime
    energy_wh: int
    time_zone: str = "UTC"
    parking_s: int = 0

    @property
    def duration_s(self) -> int:
        """Whole seconds, never negative: a charger whose clock jumped back has used no time."""
        return max(0, int((self.ended_at - self.started_at).total_seconds()))

    @property
    def charging_s(self) -> int:
        return max(0, self.duration_s - self.parking_s)


@dataclass(frozen=True)
class CostLine:
    """One dimension's share: the billed quantity in its unit (`kWh`, `h`, or `x`), and its gross amount."""

    dimension: Dimension
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


def check_elements(elements: tuple[TariffElement, ...]) -> None:
    """Raises DomainError (422) for a tariff that prices nothing, or one dimension twice in an element."""
    if not 1 <= len(elements) <= MAX_ELEMENTS:
        raise invalid("tariff.elements", f"A tariff has 1 to {MAX_ELEMENTS} elements.", "/elements")
    for number, element in enumerate(elements):
        pointer = f"/elements/{number}/price_components"
        dimensions = [component.type for component in element.price_components]
        if not dimensions:
            raise invalid("tariff.no_component", "An element needs a price component.", pointer)
        if len(set(dimensions)) != len(dimensions):
            raise invalid("tariff.dimension_twice", "An element prices each dimension once.", pointer)
