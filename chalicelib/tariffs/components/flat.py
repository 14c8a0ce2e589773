"""FLAT: once per charging session (OCPI 2.2.1, TariffDimensionType). It has no steps."""

from __future__ import annotations

from chalicelib.tariffs.model import Consumption


def quantity(consumption: Consumption, _step_size: int) -> int:
    """Once anything was delivered or any time passed: a session that never began costs nothing."""
    return 1 if consumption.energy_wh > 0 or consumption.duration_s > 0 else 0
