"""Quotes: what a charge would cost under a tariff."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec

from chalicelib.identity.model import check_time_zone
from chalicelib.kernel.http import Moment, Request, Shape, check_moment
from chalicelib.kernel.money import Money
from chalicelib.tariffs import rating
from chalicelib.tariffs.api_operator.common import api, readable_tariff
from chalicelib.tariffs.model import Consumption, LineKind, Reading, TariffVersion, what_if


class QuoteReading(Shape):
    """What a meter would tell: `energy_wh` delivered up to `after_s`, and what holds from there on."""

    after_s: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)]
    energy_wh: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    power_w: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] | None = None
    is_idle: bool | None = None


class WhatIf(Shape):
    """A what-if. Energy flows evenly over `duration_s`; or the car is idle for the last `parking_s`; or it charges with
    `power_w` and is idle once it has its energy; or as `readings` tell."""

    energy_wh: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    started_at: Moment
    duration_s: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)]
    parking_s: Annotated[int, msgspec.Meta(ge=0)] = 0
    power_w: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None
    readings: Annotated[list[QuoteReading], msgspec.Meta(max_length=1500)] | None = None


class QuoteCreate(WhatIf):
    """`time_zone` is the location's, in which times, dates and days of the tariff are read."""

    time_zone: str = "UTC"


class CostLineView(Shape):
    """`dimension`: as in the tariff; or MIN_PRICE, MAX_PRICE, ROUNDING for what those change, below zero where less."""

    dimension: LineKind
    quantity: str
    unit: str
    price: str
    vat: str | None
    amount: Money


class QuoteView(Shape):
    """`total` contains `tax`; the lines sum to `total`."""

    tariff_id: str
    version: int
    total: Money
    net: Money
    tax: Money
    lines: list[CostLineView]


@api.post("/v1/tariffs/{tariff_id}/quotes", "tariffs:read", status=200, audited=False)
def quote_tariff(req: Request, tariff_id: str, body: QuoteCreate) -> QuoteView:
    """What a charge would cost: the same computation that bills it."""
    tariff = readable_tariff(req, tariff_id)
    return quote(tariff, consumption_of(body, check_time_zone(body.time_zone)))


def consumption_of(body: WhatIf, time_zone: str) -> Consumption:
    """Raises those of `what_if`."""
    started_at = check_moment(body.started_at, "/started_at")
    return what_if(
        started_at=started_at,
        duration_s=body.duration_s,
        energy_wh=body.energy_wh,
        time_zone=time_zone,
        parking_s=body.parking_s,
        power_w=body.power_w,
        readings=tuple(
            Reading(started_at + timedelta(seconds=told.after_s), told.energy_wh, told.power_w, told.is_idle)
            for told in body.readings or ()
        ),
    )


def quote(tariff: TariffVersion, consumption: Consumption) -> QuoteView:
    cost = rating.rate(tariff, consumption)
    return QuoteView(
        tariff_id=tariff.tariff_id,
        version=tariff.version,
        total=cost.total,
        net=cost.net,
        tax=cost.tax,
        lines=[
            CostLineView(
                dimension=line.dimension,
                quantity=format(line.quantity, "f"),
                unit=line.unit,
                price=format(line.price, "f"),
                vat=None if line.vat is None else format(line.vat, "f"),
                amount=line.amount,
            )
            for line in cost.lines
        ],
    )
