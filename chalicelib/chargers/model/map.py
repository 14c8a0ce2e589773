"""The map of an operator's locations: what a pin says. Pure.

Words are OCPI 2.2.1's (EVSE status), made of what chargers report in the words of their own version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from chalicelib.chargers.model.places import Charger, Evse, Location

EvseStatus = Literal["AVAILABLE", "CHARGING", "RESERVED", "INOPERATIVE", "OUTOFORDER", "UNKNOWN", "PLANNED"]

_WORDS: Final[dict[str, EvseStatus]] = {
    "Available": "AVAILABLE",
    "Preparing": "CHARGING",
    "Charging": "CHARGING",
    "SuspendedEV": "CHARGING",
    "SuspendedEVSE": "CHARGING",
    "Finishing": "CHARGING",
    "Occupied": "CHARGING",
    "Reserved": "RESERVED",
    "Unavailable": "INOPERATIVE",
    "Faulted": "OUTOFORDER",
}
"""OCPP 1.6 (4.9) and 2.x words. A connector with a plug in it is taken, whatever it does."""

WORST_FIRST: Final[tuple[EvseStatus, ...]] = (
    "OUTOFORDER",
    "UNKNOWN",
    "INOPERATIVE",
    "RESERVED",
    "CHARGING",
    "AVAILABLE",
    "PLANNED",
)
"""By how much somebody has to do something about it. UNKNOWN is a charger that is offline, or has not reported."""

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; west > east crosses the date line."""


@dataclass(frozen=True)
class Pin:
    """One location as it stands now. `statuses` counts connectors by their OCPI status, `app_charging` says whether
    everybody may start at one of its chargers from the phone."""

    location: Location
    status: EvseStatus
    charger_count: int
    online_count: int
    statuses: dict[str, int] = field(default_factory=dict)
    charger_ids: tuple[str, ...] = ()
    app_charging: bool = False


def evse_status(evse: Evse, is_online: bool) -> EvseStatus:
    """What a connector is good for at this moment. The last words of an offline charger are no news."""
    return _WORDS.get(evse.status or "", "UNKNOWN") if is_online else "UNKNOWN"


def pin_of(location: Location, chargers: Sequence[tuple[Charger, bool, Sequence[Evse]]]) -> Pin:
    """`chargers`: each with whether it is online, and its EVSEs. A location without any is planned."""
    counted = Counter(
        evse_status(evse, is_online) for _, is_online, evses in chargers for evse in evses if evse.evse_no > 0
    )
    worst: EvseStatus = next((status for status in WORST_FIRST if counted[status]), "PLANNED")
    online = sum(is_online for _, is_online, _ in chargers)
    return Pin(
        location,
        worst,
        len(chargers),
        online,
        dict(sorted(counted.items())),
        charger_ids=tuple(charger.charger_id for charger, _, _ in chargers),
        app_charging=any(charger.charge_with_qr for charger, _, _ in chargers),
    )


def in_box(location: Location, box: Box | None) -> bool:
    """Does a location lie in the box? Without coordinates it is on no map."""
    if location.latitude is None or location.longitude is None:
        return False
    if box is None:
        return True
    west, south, east, north = box
    latitude, longitude = float(location.latitude), float(location.longitude)
    inside = west <= longitude <= east if west <= east else longitude >= west or longitude <= east
    return inside and south <= latitude <= north


def parse_box(text: str) -> Box | None:
    """`west,south,east,north` in degrees (RFC 7946, 5); None for what is none."""
    parts = text.split(",")
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError:
        return None
    sound = -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if sound else None


def worst_of(pins: Iterable[Pin]) -> dict[str, int]:
    """How many locations stand how."""
    return dict(sorted(Counter(pin.status for pin in pins).items()))
