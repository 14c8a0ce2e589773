"""What of a location lets it be found by where it is. Pure.

A *spot* is text that sorts by latitude and says all that a search must know before it reads the location itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chalicelib.chargers.model.geo import Point, cell_of
from chalicelib.chargers.model.places import Location

_AFTER_ALL: Final = "~"


@dataclass(frozen=True)
class Spot:
    """An entry of the index by cells: `<degrees from the south pole> <degrees east of 180° west> <location id>`."""

    spot: str

    @property
    def location_id(self) -> str:
        return self.spot.split(" ")[2]

    @property
    def point(self) -> Point:
        latitude, longitude, _ = self.spot.split(" ")
        return Point(float(latitude) - 90, float(longitude) - 180)


def point_of(location: Location) -> Point | None:
    if location.latitude is None or location.longitude is None:
        return None
    return Point(float(location.latitude), float(location.longitude))


def index_of(location: Location) -> dict[str, str | None]:
    """The columns `cell` and `spot` of a location's row: None for one that is closed, or on no map. They change in the
    writes that change its coordinates and its state, and with nothing else."""
    point = point_of(location)
    if point is None or location.state != "active":
        return {"cell": None, "spot": None}
    east = f"{point.longitude + 180:011.7f}"
    return {"cell": cell_of(point), "spot": f"{_sortable(point.latitude)} {east} {location.location_id}"}


def spots_between(south: float, north: float) -> tuple[str, str]:
    """The texts between which the spots of these latitudes are."""
    return _sortable(south), _sortable(north) + _AFTER_ALL


def _sortable(latitude: float) -> str:
    """To a centimetre, as coordinates are kept."""
    return f"{latitude + 90:011.7f}"
