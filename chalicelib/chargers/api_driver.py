"""What a driver sees of a charger after scanning its QR code, or typing its number.

`driver_charger_view` is for other capabilities too, that add a price to it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.model import Charger, Location
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, not_found
from chalicelib.kernel.http import Api, Request, Shape

api = Api("driver", "driver")


class DriverLocation(Shape):
    location_id: str
    name: str
    address: str
    city: str
    country: str
    time_zone: str


class DriverConnector(Shape):
    """`letter` is on the charger: A left, B right."""

    evse_no: int
    letter: str
    status: str | None
    qr_code: str | None


class DriverChargerView(Shape):
    """`evse_no` is the connector whose code was scanned, null for the number of a charger: then let people choose.

    `charge_with_qr` false: this charger takes cards only.
    """

    charger_id: str
    operator_id: str
    name: str | None
    online: bool
    charge_with_qr: bool
    evse_no: int | None
    location: DriverLocation
    connectors: list[DriverConnector]


def find_charger(ctx: Context, code: str) -> tuple[Charger, Location, int | None]:
    """By QR code or identity: charger, its location, the EVSE of the code. Raises charger.not_found, also for one
    that is not placed: it cannot be charged at."""
    try:
        evse = service.find_evse_by_code(ctx, code)
        charger, evse_no = service.get_charger(ctx, evse.charger_id), evse.evse_no
    except DomainError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise
        charger, evse_no = service.get_charger(ctx, code), None
    if charger is None or charger.location_id is None:
        raise not_found("charger", code)
    return charger, service.require_location(ctx, charger.location_id), evse_no


def driver_charger_view(ctx: Context, charger: Charger, location: Location, evse_no: int | None) -> DriverChargerView:
    facts = service.get_facts(ctx, charger)
    return DriverChargerView(
        charger_id=charger.charger_id,
        operator_id=charger.operator_id,
        name=charger.name,
        online=facts.link is not None and facts.link.is_online(ctx.now()),
        charge_with_qr=charger.charge_with_qr,
        evse_no=evse_no,
        location=DriverLocation(
            location_id=location.location_id,
            name=location.name,
            address=location.address,
            city=location.city,
            country=location.country,
            time_zone=location.time_zone,
        ),
        connectors=[
            DriverConnector(evse_no=evse.evse_no, letter=evse.letter, status=evse.status, qr_code=evse.code)
            for evse in facts.connectors
        ],
    )


class WebPayment(Shape):
    """What stands in the URL of the code on a charger's display, behind `/pay/`, in this order."""

    charger_id: str
    evse_no: Annotated[int, msgspec.Meta(ge=0, le=999)]
    password: Annotated[str, msgspec.Meta(max_length=255)]
    version: Annotated[str, msgspec.Meta(max_length=20)]


@api.post("/v1/driver/web-payments", status=200, audited=False)
def start_web_payment(req: Request, body: WebPayment) -> DriverChargerView:
    """A charger by the code on its display, good for a minute or two (422 web_payment.invalid: scan it again).

    The charger keeps the connector for five minutes: start the session meanwhile.
    """
    charger = service.start_web_payment(
        req.uow,
        identity=body.charger_id,
        evse_no=body.evse_no,
        password=body.password,
        version=body.version,
        driver_id=req.driver_id,
    )
    location = service.require_location(req.ctx, charger.location_id or "")
    return driver_charger_view(req.ctx, charger, location, body.evse_no)


@api.get("/v1/driver/chargers/{code}")
def get_driver_charger(req: Request, code: str) -> DriverChargerView:
    """A charger by the code on its label, or by its number."""
    charger, location, evse_no = find_charger(req.ctx, code)
    return driver_charger_view(req.ctx, charger, location, evse_no)
