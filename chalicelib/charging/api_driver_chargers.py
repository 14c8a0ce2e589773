"""What a driver sees of a charger after scanning its QR code, or typing its number, and of a location.

Here and not with the chargers, because those know no drivers: who is not served there any more may not start.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.chargers import service as chargers
from chalicelib.chargers.api_driver import (
    DriverChargerView,
    DriverLocation,
    driver_charger_view,
    driver_location,
    find_charger,
    operator_name,
)
from chalicelib.chargers.api_operator.locations import Coordinates, coordinates_view
from chalicelib.chargers.model import Charger, Evse, Location
from chalicelib.chargers.model.map import EvseStatus, evse_status
from chalicelib.chargers.service import nearby
from chalicelib.charging import service
from chalicelib.charging.price_views import ChargingPrice, DriverQuote, charging_price, quote_at
from chalicelib.charging.service.admitting import refusal_of_start
from chalicelib.charging.service.pricing import find_price, price_for
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.tariffs.api_operator.quotes import QuoteView

api = Api("driver", "driver")


class WebPayment(Shape):
    """What stands in the URL of the code on a charger's display, behind `/pay/`, in this order."""

    charger_id: str
    evse_no: Annotated[int, msgspec.Meta(ge=0, le=999)]
    password: Annotated[str, msgspec.Meta(max_length=255)]
    version: Annotated[str, msgspec.Meta(max_length=20)]


class DriverChargerDetail(DriverChargerView):
    """`price`: what this driver pays there now; null: no tariff applies, and nobody starts. `start_refusal`: the code
    of the error that a start from the phone would be answered, whichever connector; null: nothing is in the way, and
    this driver `may_start`."""

    price: ChargingPrice | None
    start_refusal: str | None


@api.post("/v1/driver/web-payments", status=200, audited=False)
def start_web_payment(req: Request, body: WebPayment) -> DriverChargerDetail:
    """A charger by the code on its display, good for a minute or two (422 web_payment.invalid: scan it again).

    The charger keeps the connector for five minutes: start the session meanwhile.
    """
    charger = chargers.start_web_payment(
        req.uow,
        identity=body.charger_id,
        evse_no=body.evse_no,
        password=body.password,
        version=body.version,
        driver_id=req.driver_id,
    )
    location = chargers.require_location(req.ctx, charger.location_id or "")
    return _view(req, charger, location, body.evse_no)


@api.get("/v1/driver/chargers/{code}")
def get_driver_charger(req: Request, code: str) -> DriverChargerDetail:
    """A charger by the code on its label, or by its number, with the whole price."""
    charger, location, evse_no = find_charger(req.ctx, code)
    return _view(req, charger, location, evse_no)


@api.post("/v1/driver/chargers/{code}/quotes", status=200, audited=False)
def quote_charger(req: Request, code: str, body: DriverQuote) -> QuoteView:
    """What a charge there would cost me: the same computation that bills it. 409 tariff.none where none applies."""
    charger, location, _ = find_charger(req.ctx, code)
    tariff = price_for(req.ctx, charger, _groups(drivers.get_driver(req.ctx, req.driver_id), charger))
    return quote_at(req.ctx, tariff, location, body)


class LocationConnector(Shape):
    """`letter` is on the charger: A left, B right. `qr_code` is what its label says."""

    evse_no: int
    letter: str
    status: EvseStatus
    qr_code: str | None


class LocationCharger(Shape):
    """`charge_with_qr` as in `/v1/driver/chargers`. `may_start`: it lets this driver charge from the phone; whether a
    price, money or a statement is missing the charger itself says (`start_refusal`)."""

    charger_id: str
    name: str | None
    online: bool
    charge_with_qr: bool
    may_start: bool
    connectors: list[LocationConnector]


class DriverLocationDetail(Shape):
    """A location with what stands there."""

    location: DriverLocation
    operator_id: str
    operator_name: str
    description: str | None
    coordinates: Coordinates | None
    app_charging: bool
    chargers: list[LocationCharger]


@api.get("/v1/driver/locations/{location_id}")
def get_driver_location(req: Request, location_id: str) -> DriverLocationDetail:
    """A location with its chargers and their connectors as they are now. 404 for one that is closed, or has none."""
    location = nearby.require_open_location(req.ctx, location_id)
    found = nearby.chargers_at(req.ctx, location)
    driver = drivers.get_driver(req.ctx, req.driver_id)
    return DriverLocationDetail(
        location=driver_location(location),
        operator_id=location.operator_id,
        operator_name=operator_name(req.ctx, location.operator_id),
        description=location.description,
        coordinates=coordinates_view(location),
        app_charging=any(charger.charge_with_qr for charger, _, _ in found),
        chargers=[_charger_view(req, driver, *looked_at) for looked_at in found],
    )


def _view(req: Request, charger: Charger, location: Location, evse_no: int | None) -> DriverChargerDetail:
    driver = drivers.get_driver(req.ctx, req.driver_id)
    price = find_price(req.ctx, charger, _groups(driver, charger))
    refusal = refusal_of_start(req.ctx, charger, driver, price)
    view = driver_charger_view(req.ctx, charger, location, evse_no, may_start=refusal is None)
    return DriverChargerDetail(
        **{name: getattr(view, name) for name in DriverChargerView.__struct_fields__},
        price=None if price is None else charging_price(price, req.ctx.now(), location.time_zone),
        start_refusal=refusal,
    )


def _groups(driver: Driver | None, charger: Charger) -> tuple[str, ...]:
    return () if driver is None else drivers.groups_at(driver.groups, charger.operator_id)


def _charger_view(
    req: Request, driver: Driver | None, charger: Charger, is_online: bool, evses: list[Evse]
) -> LocationCharger:
    return LocationCharger(
        charger_id=charger.charger_id,
        name=charger.name,
        online=is_online,
        charge_with_qr=charger.charge_with_qr,
        may_start=service.may_start(req.ctx, charger, driver),
        connectors=[
            LocationConnector(
                evse_no=evse.evse_no, letter=evse.letter, status=evse_status(evse, is_online), qr_code=evse.code
            )
            for evse in evses
        ],
    )
