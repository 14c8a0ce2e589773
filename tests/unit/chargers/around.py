"""Points around a place, for tests of what is near."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin

from chalicelib.chargers.model.geo import EARTH_RADIUS_M, Point

BERLIN = Point(52.52, 13.405)


def away(centre: Point, bearing: float, how_far_m: float) -> Point:
    """The point that lies so far away in a direction (radians from north), to the seven decimals that are kept."""
    angle, latitude = how_far_m / EARTH_RADIUS_M, radians(centre.latitude)
    sine = sin(latitude) * cos(angle) + cos(latitude) * sin(angle) * cos(bearing)
    reached = asin(max(-1.0, min(1.0, sine)))
    east = atan2(sin(bearing) * sin(angle) * cos(latitude), cos(angle) - sin(latitude) * sin(reached))
    longitude = (centre.longitude + degrees(east) + 180) % 360 - 180
    return Point(round(degrees(reached), 7), round(longitude, 7))
