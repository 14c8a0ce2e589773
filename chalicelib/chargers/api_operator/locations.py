"""Locations ("stations" on the screens): places with chargers."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import (
    UNSET,
    CountryText,
    LineText,
    NameText,
    ShortText,
    Unset,
    api,
    changes_of,
)
from chalicelib.chargers.model import Location
from chalicelib.chargers.scope import listed_places, owned_location
from chalicelib.identity.scope import OperatorPageQuery, owning_operator
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import PageView, Request, Shape, page_view

LatitudeText = Annotated[str, msgspec.Meta(pattern=r"^-?(([0-9]|[1-8][0-9])(\.[0-9]{1,7})?|90(\.0{1,7})?)$(?!\n)")]
LongitudeText = Annotated[
    str, msgspec.Meta(pattern=r"^-?(([0-9]|[1-9][0-9]|1[0-7][0-9])(\.[0-9]{1,7})?|180(\.0{1,7})?)$(?!\n)")
]
ZoneText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="IANA time zone.")]


class Coordinates(Shape):
    """Decimal degrees (OCPI GeoLocation)."""

    latitude: LatitudeText
    longitude: LongitudeText


class LocationCreate(Shape):
    """`operator_id` is for the platform's people."""

    name: NameText
    address: LineText
    city: NameText
    country: CountryText
    time_zone: ZoneText
    postal_code: ShortText | None = None
    coordinates: Coordinates | None = None
    operator_id: str | None = None


class LocationPatch(Shape):
    name: NameText | Unset = UNSET
    address: LineText | Unset = UNSET
    city: NameText | Unset = UNSET
    country: CountryText | Unset = UNSET
    time_zone: ZoneText | Unset = UNSET
    postal_code: ShortText | Unset | None = UNSET
    coordinates: Coordinates | Unset | None = UNSET


class LocationView(Shape):
    location_id: str
    operator_id: str
    name: str
    address: str
    city: str
    postal_code: str | None
    country: str
    coordinates: Coordinates | None
    time_zone: str
    created_at: datetime


def location_view(location: Location) -> LocationView:
    coordinates = None
    if location.latitude is not None and location.longitude is not None:
        coordinates = Coordinates(latitude=location.latitude, longitude=location.longitude)
    return LocationView(
        location_id=location.location_id,
        operator_id=location.operator_id,
        name=location.name,
        address=location.address,
        city=location.city,
        postal_code=location.postal_code,
        country=location.country,
        coordinates=coordinates,
        time_zone=location.time_zone,
        created_at=location.created_at,
    )


@api.post("/v1/locations", "locations:write")
def create_location(req: Request, body: LocationCreate) -> LocationView:
    """Adds a location.

    Prices and the clock of its chargers are read in its time zone.
    """
    _check_zone(body.time_zone)
    location = Location(
        location_id=req.ctx.new_id("loc"),
        operator_id=owning_operator(req, body.operator_id),
        name=body.name,
        address=body.address,
        city=body.city,
        country=body.country,
        time_zone=body.time_zone,
        created_at=req.ctx.now(),
        postal_code=body.postal_code,
        latitude=body.coordinates.latitude if body.coordinates else None,
        longitude=body.coordinates.longitude if body.coordinates else None,
    )
    service.add_location(req.uow, location)
    return location_view(location)


@api.get("/v1/locations", "locations:read")
def list_locations(req: Request, query: OperatorPageQuery) -> PageView[LocationView]:
    """The operator's locations, oldest first."""
    places = listed_places(req, query.operator_id)
    page = service.list_locations(
        req.ctx,
        places.operator_id,
        keep=lambda location: places.has(location.location_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, location_view)


@api.get("/v1/locations/{location_id}", "locations:read")
def get_location(req: Request, location_id: str) -> LocationView:
    """One location."""
    return location_view(owned_location(req, location_id))


@api.patch("/v1/locations/{location_id}", "locations:write")
def update_location(req: Request, location_id: str, body: LocationPatch) -> LocationView:
    """Changes a location (merge patch). A new time zone counts for charging sessions that start from now on."""
    location = owned_location(req, location_id)
    changes = changes_of(body)
    if "time_zone" in changes:
        _check_zone(changes["time_zone"])
    if "coordinates" in changes:
        coordinates: Coordinates | None = changes.pop("coordinates")
        changes["latitude"] = coordinates.latitude if coordinates else None
        changes["longitude"] = coordinates.longitude if coordinates else None
    return location_view(service.change_location(req.uow, location, changes))


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _check_zone(time_zone: str) -> None:
    if time_zone not in _zones():
        raise invalid("time_zone.unknown", f"{time_zone!r} is not an IANA time zone.", "/time_zone")
