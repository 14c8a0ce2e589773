"""FLAT: once per charging session, without a unit (OCPI 2.2.1, TariffDimensionType)."""

from __future__ import annotations

from decimal import Decimal

from chalicelib.tariffs.model import Consumption


def quantity(consumption: Consumption, step_size: int) -> Decimal:
    """One, once anything was delivered or any time passed: a session that never began costs nothing."""
    return Decimal(1) if consumption.energy_wh > 0 or consumption.duration_s > 0 else Decimal(0)
