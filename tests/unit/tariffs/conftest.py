"""Tariffs as tests write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from chalicelib.tariffs.model import Consumption, Dimension, PriceComponent, TariffElement, TariffVersion

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def component(dimension: Dimension, price: str, vat: str | None = None, step_size: int = 1) -> PriceComponent:
    return PriceComponent(dimension, Decimal(price), None if vat is None else Decimal(vat), step_size)


def tariff(*components: PriceComponent, currency: str = "EUR", tax_included: bool = True) -> TariffVersion:
    """One element per component."""
    elements = tuple(TariffElement((part,)) for part in components)
    return TariffVersion("trf_1", 1, "org_1", "Standard", currency, tax_included, elements, START)


def consumption(energy_wh: int = 0, duration_s: int = 0, parking_s: int = 0) -> Consumption:
    return Consumption(START, START + timedelta(seconds=duration_s), energy_wh, "Europe/Berlin", parking_s)
