"""How much of each dimension a consumption has: one file each, and this map. Pure.

Quantities are whole Wh, seconds or times, rounded up to whole steps; prices are per `per` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.tariffs.components import energy, flat, parking_time, time
from chalicelib.tariffs.model import Consumption, Dimension


@dataclass(frozen=True)
class Component:
    """`quantity(consumption, step_size)`; `per` of it are one `unit`, which the price is for."""

    quantity: Callable[[Consumption, int], int]
    per: int
    unit: str


COMPONENTS: Mapping[Dimension, Component] = {
    "ENERGY": Component(energy.quantity, 1000, "kWh"),
    "FLAT": Component(flat.quantity, 1, "x"),
    "PARKING_TIME": Component(parking_time.quantity, 3600, "h"),
    "TIME": Component(time.quantity, 3600, "h"),
}
