"""Restricted tariffs and metered consumptions as tests write them, short."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from chalicelib.tariffs.model import (
    Consumption,
    Price,
    PriceComponent,
    RatedCost,
    Reading,
    Restrictions,
    TariffElement,
    TariffVersion,
)
from tests.unit.tariffs.conftest import START


def only(**restrictions: Any) -> Restrictions:
    """Texts become times, dates and decimals."""
    kinds = {"time": time.fromisoformat, "date": date.fromisoformat, "kwh": Decimal, "power": Decimal}
    read = {name: kinds.get(name.partition("_")[2], lambda value: value)(value) for name, value in restrictions.items()}
    return Restrictions(**read)


def element(*components: PriceComponent, **restrictions: Any) -> TariffElement:
    return TariffElement(components, only(**restrictions) if restrictions else None)


def tariff_of(*elements: TariffElement, currency: str = "EUR", tax_included: bool = True, **more: Any) -> TariffVersion:
    """`min_price` and `max_price` as (without VAT, with VAT)."""
    made = TariffVersion("trf_1", 1, "org_1", "Restricted", currency, tax_included, elements, START)
    bounds: dict[str, Any] = {
        name: Price(*(None if text is None else Decimal(text) for text in more.pop(name)))
        for name in ("min_price", "max_price")
        if name in more
    }
    return replace(made, **bounds, **more)


def at(text: str) -> datetime:
    """UTC, unless the text says otherwise."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def used(
    begin: str | datetime,
    duration_s: int,
    energy_wh: int,
    readings: Iterable[tuple[Any, ...]] = (),
    zone: str = "Europe/Berlin",
) -> Consumption:
    """Readings: seconds after the start, Wh, and then power and idleness."""
    start = at(begin) if isinstance(begin, str) else begin
    told = tuple(Reading(start + timedelta(seconds=after_s), *rest) for after_s, *rest in readings)
    return Consumption(start, start + timedelta(seconds=duration_s), energy_wh, zone, readings=told)


def bill(rated: RatedCost) -> list[tuple[str, str, str, int]]:
    """Dimension, quantity, price, amount of each line."""
    return [
        (line.dimension, format(line.quantity, "f"), format(line.price, "f"), line.amount.amount)
        for line in rated.lines
    ]
