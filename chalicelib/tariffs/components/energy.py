"""ENERGY: Wh, in steps of Wh; the price is per kWh (OCPI 2.2.1, TariffDimensionType)."""

from __future__ import annotations

from chalicelib.tariffs.components.steps import round_up
from chalicelib.tariffs.model import Consumption


def quantity(consumption: Consumption, step_size: int) -> int:
    """A meter that ran backwards delivered nothing."""
    return round_up(max(0, consumption.energy_wh), step_size)
