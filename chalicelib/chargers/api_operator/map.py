"""The map: all locations of an operator with their state, as GeoJSON (RFC 7946)."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Annotated, Literal

import msgspec

from chalicelib.chargers.api_operator.common import api
from chalicelib.chargers.model.map import Box, EvseStatus, Pin, in_box, parse_box, worst_of
from chalicelib.chargers.scope import Places, listed_places
from chalicelib.chargers.service import mapping
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import Request, Shape

GEOJSON_TYPE = "application/geo+json"
MAX_OPERATORS = 100
"""Of one map. Who has more below them asks by operator."""


class MapQuery(Shape):
    """`bbox`: west,south,east,north in degrees. `operator_id` is for those above the operators; without it
    they see all of them."""

    bbox: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    operator_id: str | None = None


class Point(Shape):
    """Longitude first (RFC 7946, 3.1.1)."""

    type: Literal["Point"]
    coordinates: tuple[float, float]


class PinProperties(Shape):
    """`status` is the worst of the location's connectors, `statuses` counts them all (OCPI words)."""

    location_id: str
    operator_id: str
    name: str
    address: str
    city: str
    status: EvseStatus
    statuses: dict[str, int]
    charger_count: int
    online_count: int


class PinFeature(Shape):
    type: Literal["Feature"]
    id: str
    geometry: Point
    properties: PinProperties


class MapView(Shape):
    """`unmapped_count`: locations without coordinates. `summary`: how many locations of the map stand how."""

    type: Literal["FeatureCollection"]
    features: list[PinFeature]
    summary: dict[str, int]
    unmapped_count: int
    made_at: datetime


@api.get("/v1/map", "locations:read")
def get_map(req: Request, query: MapQuery) -> MapView:
    """The locations as a map feed (GeoJSON), with the worst status of each.

    Made to be polled: send back the ETag as If-None-Match and an unchanged map is a 304 without a body. The map is up
    to five seconds old, of an operator with many chargers up to a minute; `Cache-Control` says when to ask again.
    """
    places = listed_places(req, query.operator_id)
    box = None if query.bbox is None else _box(query.bbox)
    snapshots = [mapping.get_map(req.ctx, operator_id) for operator_id in _operators(req, query, places)]
    seen = [pin for snapshot in snapshots for pin in snapshot.pins if places.has(pin.location.location_id)]
    shown = [pin for pin in seen if in_box(pin.location, box)]
    features = [_feature(pin) for pin in shown]
    ask_again_at = min((snapshot.good_until for snapshot in snapshots), default=req.ctx.now())
    age_s = max(1, int((ask_again_at - req.ctx.now()).total_seconds()))
    req.answer_headers.update(
        {
            "content-type": GEOJSON_TYPE,
            "etag": mapping.fingerprint(msgspec.json.encode(features)),
            "cache-control": f"private, max-age={age_s}",
        }
    )
    return MapView(
        type="FeatureCollection",
        features=features,
        summary=worst_of(shown),
        unmapped_count=sum(pin.location.latitude is None for pin in seen),
        made_at=min((snapshot.made_at for snapshot in snapshots), default=req.ctx.now()),
    )


def _operators(req: Request, query: MapQuery, places: Places) -> list[str]:
    """The operator that is named; without a name everybody's below who asks."""
    if query.operator_id is not None or req.actor.organization_kind in ("operator", "agency"):
        return [places.operator_id]
    below = identity.operators_below(req.ctx, req.organization_id)
    return [operator.organization_id for operator in islice(below, MAX_OPERATORS)]


def _feature(pin: Pin) -> PinFeature:
    location = pin.location
    return PinFeature(
        type="Feature",
        id=location.location_id,
        geometry=Point(type="Point", coordinates=(float(location.longitude or 0), float(location.latitude or 0))),
        properties=PinProperties(
            location_id=location.location_id,
            operator_id=location.operator_id,
            name=location.name,
            address=location.address,
            city=location.city,
            status=pin.status,
            statuses=pin.statuses,
            charger_count=pin.charger_count,
            online_count=pin.online_count,
        ),
    )


def _box(text: str) -> Box:
    box = parse_box(text)
    if box is None:
        raise invalid("map.bbox", "A box is west,south,east,north in degrees.", "/bbox")
    return box
