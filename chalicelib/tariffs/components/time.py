"""TIME: hours of charging, in steps of seconds (OCPI 2.2.1, TariffDimensionType)."""

from __future__ import annotations

from decimal import Decimal

from chalicelib.tariffs.components.steps import round_up
from chalicelib.tariffs.model import Consumption


def quantity(consumption: Consumption, step_size: int) -> Decimal:
    return Decimal(round_up(consumption.charging_s, step_size)) / 3600
