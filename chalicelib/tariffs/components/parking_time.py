"""PARKING_TIME: seconds connected without charging; the price is per hour (OCPI 2.2.1, TariffDimensionType)."""

from __future__ import annotations

from chalicelib.tariffs.components.steps import round_up
from chalicelib.tariffs.model import Consumption


def quantity(consumption: Consumption, step_size: int) -> int:
    """Never more than the whole time."""
    return round_up(consumption.duration_s - consumption.charging_s, step_size)
