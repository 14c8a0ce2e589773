"""Locations: a row is what POST /v1/locations takes, the coordinates in two columns."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.api_operator.locations import LocationCreate, create_location
from chalicelib.files.kinds.common import Created, ImportKind, Values, body_of, changed_since
from chalicelib.files.model import Column
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import Request
from chalicelib.kernel.unit_of_work import UnitOfWork


def _create(req: Request, operator_id: str, values: Values) -> Created:
    body = {**values, "operator_id": operator_id}
    latitude, longitude = body.pop("latitude", None), body.pop("longitude", None)
    if (latitude is None) != (longitude is None):
        missing = "/latitude" if latitude is None else "/longitude"
        raise invalid("coordinates.incomplete", "Give latitude and longitude, or neither.", missing)
    if latitude is not None:
        body["coordinates"] = {"latitude": latitude, "longitude": longitude}
    return Created(create_location(req, body_of(LocationCreate, body)).location_id)


def _take_back(uow: UnitOfWork, location_id: str) -> None:
    if not chargers.take_back_location(uow, location_id):
        raise changed_since("location")


LOCATIONS = ImportKind(
    name="locations",
    permission="locations:write",
    id_column="location_id",
    columns=(
        Column("name", "As drivers read it.", "Market square", required=True, unique=True),
        Column("address", "Street and number.", "Marktplatz 1", required=True),
        Column("city", "", "Berlin", required=True),
        Column("postal_code", "Make the column one of text.", "10178"),
        Column("country", "ISO 3166-1, two letters.", "DE", required=True),
        Column("time_zone", "IANA name: the clock of its prices.", "Europe/Berlin", required=True),
        Column("latitude", "Decimal degrees.", "52.5200000"),
        Column("longitude", "Decimal degrees.", "13.4050000"),
        Column("description", "What drivers should know."),
        Column("region_id", "Of the operator's region tree."),
        Column("agency_id", "The agency whose place it is."),
    ),
    create=_create,
    take_back=_take_back,
)
