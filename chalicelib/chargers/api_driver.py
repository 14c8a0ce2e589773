"""What a driver sees of a charger, and the locations around.

One charger, and one location with its chargers: `charging/api_driver_chargers.py`, which knows whom an operator serves.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.locations import Coordinates, LocationPhoto, coordinates_view, photo_views
from chalicelib.chargers.model import Charger, Location
from chalicelib.chargers.model.geo import Point
from chalicelib.chargers.model.map import EvseStatus, Pin
from chalicelib.chargers.service import mapping, nearby
from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape

api = Api("driver", "driver")


class DriverLocation(Shape):
    location_id: str
    name: str
    address: str
    city: str
    country: str
    time_zone: str
    photos: list[LocationPhoto]


class DriverConnector(Shape):
    """`letter` is on the charger: A left, B right."""

    evse_no: int
    letter: str
    status: str | None
    qr_code: str | None


class DriverChargerView(Shape):
    """`evse_no` is the connector whose code was scanned, null for the number of a charger: then let people choose.

    `charge_with_qr` false: this charger takes cards, and charges from the phones of its group's drivers. `may_start`:
    the driver who asks may charge here from the phone.
    """

    charger_id: str
    operator_id: str
    operator_name: str
    name: str | None
    online: bool
    charge_with_qr: bool
    may_start: bool
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


def driver_location(location: Location) -> DriverLocation:
    return DriverLocation(
        location_id=location.location_id,
        name=location.name,
        address=location.address,
        city=location.city,
        country=location.country,
        time_zone=location.time_zone,
        photos=photo_views(location),
    )


def driver_charger_view(
    ctx: Context, charger: Charger, location: Location, evse_no: int | None, *, may_start: bool
) -> DriverChargerView:
    facts = service.get_facts(ctx, charger)
    return DriverChargerView(
        charger_id=charger.charger_id,
        operator_id=charger.operator_id,
        operator_name=operator_name(ctx, charger.operator_id),
        name=charger.name,
        online=facts.link is not None and facts.link.is_online(ctx.now()),
        charge_with_qr=charger.charge_with_qr,
        may_start=may_start,
        evse_no=evse_no,
        location=driver_location(location),
        connectors=[
            DriverConnector(evse_no=evse.evse_no, letter=evse.letter, status=evse.status, qr_code=evse.code)
            for evse in facts.connectors
        ],
    )


class NearbyQuery(PageQuery, kw_only=True):
    """Where the driver is, in decimal degrees, and how far around to look."""

    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    radius_km: Annotated[float, msgspec.Meta(ge=1, le=50)] = 10
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50


class ConnectorCounts(Shape):
    """`statuses` counts connectors by their OCPI status."""

    available: int
    total: int
    statuses: dict[str, int]


class NearbyLocation(Shape):
    """`status`: the worst of its connectors (OCPI words). `app_charging`: everybody may start a charge from the phone
    at one of its chargers at least. `distance_m`: as the crow flies."""

    location_id: str
    operator_id: str
    operator_name: str
    name: str
    address: str
    city: str
    country: str
    coordinates: Coordinates | None
    photos: list[LocationPhoto]
    distance_m: int
    status: EvseStatus
    connectors: ConnectorCounts
    charger_count: int
    app_charging: bool


class NearbyPage(PageView[NearbyLocation], kw_only=True):
    """`radius_km`: how far was looked."""

    radius_km: float


@api.get("/v1/driver/locations")
def list_driver_locations(req: Request, query: NearbyQuery) -> NearbyPage:
    """The locations around, of all operators, nearest first.

    Those that are open, have chargers and are on the map. At most 5 000 are looked at: where more stand around, within
    half of the radius, and so on, as `radius_km` says. Statuses are a few seconds old, of an operator with many
    chargers up to a minute.
    """
    centre = Point(query.latitude, query.longitude)
    found = nearby.find_nearby(req.ctx, centre, query.radius_km * 1000, limit=query.limit, cursor=query.cursor)
    pins: dict[str, dict[str, Pin]] = {}
    names: dict[str, str] = {}
    for operator_id in {near.location.operator_id for near in found.page.data}:
        pins[operator_id] = {pin.location.location_id: pin for pin in mapping.get_map(req.ctx, operator_id).pins}
        names[operator_id] = operator_name(req.ctx, operator_id)
    return NearbyPage(
        data=[
            _nearby_view(near, pins[near.location.operator_id], names[near.location.operator_id])
            for near in found.page.data
        ],
        has_more=found.page.next_cursor is not None,
        next_cursor=found.page.next_cursor,
        radius_km=found.radius_m / 1000,
    )


def _nearby_view(near: nearby.Nearby, pins: dict[str, Pin], operator_name: str) -> NearbyLocation:
    """A location that is younger than the map has nothing on it yet."""
    location = near.location
    pin = pins.get(location.location_id) or Pin(location, "UNKNOWN", location.charger_count, 0)
    return NearbyLocation(
        location_id=location.location_id,
        operator_id=location.operator_id,
        operator_name=operator_name,
        name=location.name,
        address=location.address,
        city=location.city,
        country=location.country,
        coordinates=coordinates_view(location),
        photos=photo_views(location),
        distance_m=near.distance_m,
        status=pin.status,
        connectors=ConnectorCounts(
            available=pin.statuses.get("AVAILABLE", 0), total=sum(pin.statuses.values()), statuses=pin.statuses
        ),
        charger_count=location.charger_count,
        app_charging=pin.app_charging,
    )


def operator_name(ctx: Context, operator_id: str) -> str:
    operator = identity.find_organization(ctx, operator_id)
    return "" if operator is None else operator.name
