"""A price as whoever wants to charge reads it before the start: all of it, and what counts right now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.chargers.model import Location
from chalicelib.kernel.context import Context
from chalicelib.kernel.http import Moment, Shape, check_moment
from chalicelib.tariffs.api_operator.quotes import QuoteView, quote
from chalicelib.tariffs.api_operator.shapes import (
    PriceComponentShape,
    PriceShape,
    TariffElementShape,
    elements_view,
    price_view,
)
from chalicelib.tariffs.model import TariffVersion, what_if
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


class DriverQuote(Shape):
    """A what-if: `energy_wh` within `duration_s`, from now on or from `started_at`; evenly, or with `power_w` and idle
    from then on, or idle for the last `parking_s`."""

    energy_wh: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    duration_s: Annotated[int, msgspec.Meta(ge=0, le=7 * 86_400)]
    started_at: Moment | None = None
    parking_s: Annotated[int, msgspec.Meta(ge=0)] = 0
    power_w: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None


def quote_at(ctx: Context, tariff: TariffVersion, location: Location, body: DriverQuote) -> QuoteView:
    """What a charge there costs under a tariff. Raises those of `what_if`."""
    consumption = what_if(
        started_at=ctx.now() if body.started_at is None else check_moment(body.started_at, "/started_at"),
        duration_s=body.duration_s,
        energy_wh=body.energy_wh,
        time_zone=location.time_zone,
        parking_s=body.parking_s,
        power_w=body.power_w,
    )
    return quote(tariff, consumption)
