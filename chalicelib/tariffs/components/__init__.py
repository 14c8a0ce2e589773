"""How much of each dimension a consumption has: one file each, and this map. Pure.

A quantity function answers in the unit of the price (kWh, hours, times), rounded up to whole steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from chalicelib.tariffs.components import energy, flat, parking_time, time
from chalicelib.tariffs.model import Consumption, Dimension


@dataclass(frozen=True)
class Component:
    """`quantity(consumption, step_size)` in `unit`s."""

    unit: str
    quantity: Callable[[Consumption, int], Decimal]


COMPONENTS: Mapping[Dimension, Component] = {
    "ENERGY": Component("kWh", energy.quantity),
    "FLAT": Component("x", flat.quantity),
    "PARKING_TIME": Component("h", parking_time.quantity),
    "TIME": Component("h", time.quantity),
}
