"""How much of each dimension a piece of a delivery has: one file each, and this map. Pure.

Quantities are whole Wh, seconds or times; prices are per `per` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.tariffs.components import energy, flat, parking_time, time
from chalicelib.tariffs.components.pieces import Dimension, Piece


@dataclass(frozen=True)
class Component:
    """`per` of the quantity are one `unit`, which the price is for; `is_once`: only the first piece counts."""

    quantity: Callable[[Piece], int]
    per: int
    unit: str
    is_once: bool = False


COMPONENTS: Mapping[Dimension, Component] = {
    "ENERGY": Component(energy.quantity, 1000, "kWh"),
    "FLAT": Component(flat.quantity, 1, "x", is_once=True),
    "PARKING_TIME": Component(parking_time.quantity, 3600, "h"),
    "TIME": Component(time.quantity, 3600, "h"),
}
