"""Locations ("stations" on the screens): places with chargers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import SearchText, api
from chalicelib.chargers.model import Location, Photo, PlaceState
from chalicelib.chargers.scope import check_agency, check_region, listed_places, owned_location
from chalicelib.identity import service as identity
from chalicelib.identity.model import check_time_zone, shown_name, with_shown_names
from chalicelib.identity.scope import OperatorPageQuery, owning_operator
from chalicelib.kernel.countries import check_country
from chalicelib.kernel.http import UNSET, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.searching import has_words
from chalicelib.kernel.texts import CountryText, LineText, NameText, ShortText, ZoneText

LatitudeText = Annotated[str, msgspec.Meta(pattern=r"^-?(([0-9]|[1-8][0-9])(\.[0-9]{1,7})?|90(\.0{1,7})?)$(?!\n)")]
LongitudeText = Annotated[
    str, msgspec.Meta(pattern=r"^-?(([0-9]|[1-9][0-9]|1[0-7][0-9])(\.[0-9]{1,7})?|180(\.0{1,7})?)$(?!\n)")
]
DescriptionText = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
PhotoUrl = Annotated[
    str,
    msgspec.Meta(max_length=500, pattern=r"^https://[^\s<>\"\\/?#\x00-\x1f\x7f][^\s<>\"\\\x00-\x1f\x7f]*$(?!\n)"),
]


class Coordinates(Shape):
    """Decimal degrees (OCPI GeoLocation)."""

    latitude: LatitudeText
    longitude: LongitudeText


class LocationPhoto(Shape):
    """A picture that drivers see. It stays where it is: the URL is all that is kept."""

    url: PhotoUrl
    caption: LineText | None = None


LocationPhotos = Annotated[list[LocationPhoto], msgspec.Meta(max_length=10)]


class LocationCreate(Shape):
    """`agency_id`: the agency of the operator whose place it is, which sees it then. `region_id`: of the operator's
    region tree; who is narrowed to regions must name one of theirs. `operator_id` is for those above the operators."""

    name: NameText
    address: LineText
    city: NameText
    country: CountryText
    time_zone: ZoneText
    postal_code: ShortText | None = None
    coordinates: Coordinates | None = None
    description: DescriptionText | None = None
    agency_id: str | None = None
    region_id: str | None = None
    photos: LocationPhotos = msgspec.field(default_factory=list)
    operator_id: str | None = None


class LocationPatch(Shape):
    """`photos` replaces them all."""

    name: NameText | Unset = UNSET
    address: LineText | Unset = UNSET
    city: NameText | Unset = UNSET
    country: CountryText | Unset = UNSET
    time_zone: ZoneText | Unset = UNSET
    postal_code: ShortText | Unset | None = UNSET
    coordinates: Coordinates | Unset | None = UNSET
    description: DescriptionText | Unset | None = UNSET
    agency_id: str | Unset | None = UNSET
    region_id: str | Unset | None = UNSET
    photos: LocationPhotos | Unset | None = UNSET


class LocationQuery(OperatorPageQuery):
    """`q`: words of its name, address and city. `region_id`: with all that lies in that region."""

    q: SearchText | None = None
    state: PlaceState = "active"
    agency_id: str | None = None
    region_id: str | None = None


class LocationView(Shape):
    """`charger_count`: how many chargers are placed here, whatever their status."""

    location_id: str
    operator_id: str
    name: str
    address: str
    city: str
    postal_code: str | None
    country: str
    coordinates: Coordinates | None
    time_zone: str
    description: str | None
    agency_id: str | None
    region_id: str | None
    state: PlaceState
    charger_count: int
    photos: list[LocationPhoto]
    created_at: datetime


def coordinates_view(location: Location) -> Coordinates | None:
    if location.latitude is None or location.longitude is None:
        return None
    return Coordinates(latitude=location.latitude, longitude=location.longitude)


def photo_views(location: Location) -> list[LocationPhoto]:
    return [LocationPhoto(url=photo.url, caption=photo.caption) for photo in location.photos]


def location_view(location: Location) -> LocationView:
    return LocationView(
        location_id=location.location_id,
        operator_id=location.operator_id,
        name=location.name,
        address=location.address,
        city=location.city,
        postal_code=location.postal_code,
        country=location.country,
        coordinates=coordinates_view(location),
        time_zone=location.time_zone,
        description=location.description,
        agency_id=location.agency_id,
        region_id=location.region_id,
        state=location.state,
        charger_count=location.charger_count,
        photos=photo_views(location),
        created_at=location.created_at,
    )


@api.post("/v1/locations", "locations:write")
def create_location(req: Request, body: LocationCreate) -> LocationView:
    """Adds a location.

    Prices and the clock of its chargers are read in its time zone.
    """
    operator_id = owning_operator(req, body.operator_id)
    check_country(body.country)
    check_time_zone(body.time_zone)
    check_region(req, operator_id, body.region_id)
    check_agency(req, operator_id, body.agency_id)
    location = Location(
        location_id=req.ctx.new_id("loc"),
        operator_id=operator_id,
        name=shown_name(body.name),
        address=shown_name(body.address, "/address"),
        city=shown_name(body.city, "/city"),
        country=body.country,
        time_zone=body.time_zone,
        created_at=req.ctx.now(),
        postal_code=body.postal_code,
        latitude=body.coordinates.latitude if body.coordinates else None,
        longitude=body.coordinates.longitude if body.coordinates else None,
        description=body.description,
        agency_id=body.agency_id,
        region_id=body.region_id,
        photos=_photos(body.photos),
    )
    service.add_location(req.uow, location)
    view = location_view(location)
    req.audit("location", location.location_id, owner_id=operator_id, after=view)
    return view


@api.get("/v1/locations", "locations:read")
def list_locations(req: Request, query: LocationQuery) -> PageView[LocationView]:
    """The operator's locations, oldest first; closed ones with `state=inactive`. The price of each is what
    `/v1/tariff-assignments` says."""
    places = listed_places(req, query.operator_id)

    def keep(location: Location) -> bool:
        if not places.has(location.location_id) or location.state != query.state:
            return False
        if query.agency_id is not None and location.agency_id != query.agency_id:
            return False
        if query.region_id is not None and query.region_id not in _lineage(req, location):
            return False
        return has_words(query.q or "", location.name, location.address, location.city)

    page = service.list_locations(
        req.ctx,
        places.operator_id,
        keep=keep,
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
    """Changes a location (merge patch).

    A new time zone counts for charging sessions that start from now on, another agency or region at once for who sees
    it.
    """
    location = owned_location(req, location_id)
    changes = with_shown_names(changes_of(body), "name", "address", "city")
    check_country(changes.get("country"))
    if "time_zone" in changes:
        check_time_zone(changes["time_zone"])
    if "coordinates" in changes:
        coordinates: Coordinates | None = changes.pop("coordinates")
        changes["latitude"] = coordinates.latitude if coordinates else None
        changes["longitude"] = coordinates.longitude if coordinates else None
    if "photos" in changes:
        changes["photos"] = _photos(changes["photos"] or [])
    if "region_id" in changes:
        check_region(req, location.operator_id, changes["region_id"])
    if "agency_id" in changes:
        check_agency(req, location.operator_id, changes["agency_id"])
    return _changed(req, location, service.change_location(req.uow, location, changes))


@api.delete("/v1/locations/{location_id}", "locations:write")
def delete_location(req: Request, location_id: str) -> None:
    """Closes a location: no charger is placed there any more, and its history stays. `restore` opens it again.

    Its chargers must have been removed from it (409).
    """
    location = owned_location(req, location_id)
    _changed(req, location, service.close_location(req.uow, location))


@api.post("/v1/locations/{location_id}/restore", "locations:write", status=200)
def restore_location(req: Request, location_id: str) -> LocationView:
    """Opens a closed location again."""
    location = owned_location(req, location_id)
    return _changed(req, location, service.restore_location(req.uow, location))


def _changed(req: Request, before: Location, after: Location) -> LocationView:
    view = location_view(after)
    shown = location_view(before)
    req.audit("location", before.location_id, owner_id=before.operator_id, before=shown, after=view)
    return view


def _lineage(req: Request, location: Location) -> tuple[str, ...]:
    if location.region_id is None:
        return ()
    return identity.region_lineage(req.ctx, location.operator_id, location.region_id)


def _photos(photos: list[LocationPhoto]) -> list[Photo]:
    return [Photo(photo.url, photo.caption) for photo in photos]
