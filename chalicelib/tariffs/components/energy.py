"""ENERGY: kWh, in steps of Wh (OCPI 2.2.1, TariffDimensionType)."""

from __future__ import annotations

from decimal import Decimal

from chalicelib.tariffs.components.steps import round_up
from chalicelib.tariffs.model import Consumption


def quantity(consumption: Consumption, step_size: int) -> Decimal:
    """A meter that ran backwards delivered nothing."""
    return Decimal(round_up(max(0, consumption.energy_wh), step_size)) / 1000
