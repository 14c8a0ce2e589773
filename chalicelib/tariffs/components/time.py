"""TIME: seconds of charging, in steps of seconds; the price is per hour (OCPI 2.2.1, TariffDimensionType)."""

from __future__ import annotations

from chalicelib.tariffs.components.steps import round_up
from chalicelib.tariffs.model import Consumption


def quantity(consumption: Consumption, step_size: int) -> int:
    return round_up(consumption.charging_s, step_size)
