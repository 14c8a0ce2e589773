"""A price as whoever wants to charge reads it before the start: all of it, and what counts right now."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kernel.http import Shape
from chalicelib.tariffs.api_operator.shapes import (
    PriceComponentShape,
    PriceShape,
    TariffElementShape,
    elements_view,
    price_view,
)
from chalicelib.tariffs.model import TariffVersion
from chalicelib.tariffs.telling import components_at, in_words


class PricedElement(TariffElementShape, omit_defaults=False):
    """`applies` says its restrictions in words ("Mon-Fri, 22:00-06:00"); null: always."""

    applies: str | None = None


class ChargingPrice(Shape):
    """What a charge costs there. Of the elements, at any moment the first that prices a dimension, and applies, counts
    for it. `now`: what counts for a charge that begins at this moment. `tax_included`: prices contain their `vat` (in
    percent). `min_price` and `max_price` bound the whole charge. `idle_grace_s`: how long after each end of charging
    PARKING_TIME is free. Times are those of `time_zone`."""

    tariff_id: str
    version: int
    currency: str
    tax_included: bool
    elements: list[PricedElement]
    now: list[PriceComponentShape]
    min_price: PriceShape | None
    max_price: PriceShape | None
    idle_grace_s: int
    time_zone: str


def charging_price(tariff: TariffVersion, now: datetime, time_zone: str) -> ChargingPrice:
    """`time_zone` is the location's."""
    shapes = zip(tariff.elements, elements_view(tariff), strict=True)
    return ChargingPrice(
        tariff_id=tariff.tariff_id,
        version=tariff.version,
        currency=tariff.currency,
        tax_included=tariff.tax_included,
        elements=[
            PricedElement(
                price_components=shape.price_components,
                restrictions=shape.restrictions,
                applies=in_words(element.restrictions),
            )
            for element, shape in shapes
        ],
        now=[
            PriceComponentShape(
                type=component.type,
                price=format(component.price, "f"),
                vat=None if component.vat is None else format(component.vat, "f"),
                step_size=component.step_size,
            )
            for component in components_at(tariff, now, time_zone)
        ],
        min_price=price_view(tariff.min_price),
        max_price=price_view(tariff.max_price),
        idle_grace_s=tariff.idle_grace_s,
        time_zone=time_zone,
    )
