"""Locations, chargers and their EVSEs.

A charger's id is its OCPP identity, stored as registered and compared without case. OCPP 1.6 connector n is EVSE n;
EVSE 0 stands for the charger as a whole and is never offered to drivers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from chalicelib.chargers.model.links import HEARTBEAT_INTERVAL_S

MAX_EVSES = 32
MAX_REPORTED_EVSE_NO = 64
MAX_REPORTED_CONNECTOR_NO = 16

PlaceState = Literal["active", "inactive"]
"""Of locations and chargers: an inactive one keeps its history, and nothing new happens there."""

# A blank inside is against the standard (OCPP 2.0.1 part 4, 3.1.1) and on the type plates of 1.6 chargers.
_IDENTITY = re.compile(r"(?! )[A-Za-z0-9._:@*=+| -]{1,48}(?<! )")
# No vowels and nothing that looks like something else: people type it from a sticker, and it spells no word.
_CODE_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"
_CODE_LENGTH = 8


@dataclass(frozen=True)
class Photo:
    """A picture of a location, somewhere else on the web: an https URL."""

    url: str
    caption: str | None = None


@dataclass(frozen=True)
class Location:
    """A place with chargers. Coordinates are decimal degrees as text (OCPI GeoLocation), `country` ISO 3166-1
    alpha-2, `time_zone` an IANA name: the zone of its prices and of its clock.

    `agency_id` is the agency whose place it is, `region_id` a region of the operator: they decide who sees it.
    `charger_count` is how many chargers are placed here: it changes with them, and an inactive location has none."""

    location_id: str
    operator_id: str
    name: str
    address: str
    city: str
    country: str
    time_zone: str
    created_at: datetime
    postal_code: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    agency_id: str | None = None
    region_id: str | None = None
    description: str | None = None
    state: PlaceState = "active"
    charger_count: int = 0
    photos: list[Photo] = field(default_factory=list)


@dataclass(frozen=True)
class Charger:
    """A registered charger. Without a `location_id` it is unregistered in the words of its users: it may connect,
    but boots as pending. `vendor` to `booted_at` are what it said at its last boot.

    `operator_id` is whose it is: an operator, or the manufacturer, dealer or platform in whose stock it waits. One that
    is `inactive` was taken out of service: it is not let in, and its identity stays taken.

    `security_profile` is the least that it must prove to connect; `next_security_profile` one that it was told to
    change to, and `new_password_hash` a password that it was told to use: either counts from when it is first seen.
    `max_power_w` is what one of its EVSEs gives at most, by its type plate; None: not known.
    `drift_count` is how many variables had another value than expected when they were last looked at, and
    `heartbeat_interval_s` what its boots are answered: the value that its template or it itself is expected to have.
    """

    charger_id: str
    operator_id: str
    evse_count: int
    password_hash: str
    created_at: datetime
    charge_with_qr: bool = True
    accepts_missing_subprotocol: bool = False
    security_profile: int = 1
    next_security_profile: int | None = None
    new_password_hash: str | None = None
    basic_auth_user: str | None = None
    location_id: str | None = None
    name: str | None = None
    serial_number: str | None = None
    uid: str | None = None
    country: str | None = None
    region: str | None = None
    vendor: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    reported_serial_number: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    booted_at: datetime | None = None
    drift_count: int | None = None
    heartbeat_interval_s: int = HEARTBEAT_INTERVAL_S
    max_power_w: int | None = None
    group_id: str | None = None
    state: PlaceState = "active"

    @property
    def charger_key(self) -> str:
        return charger_key(self.charger_id)

    @property
    def is_placed(self) -> bool:
        return self.location_id is not None

    @property
    def only_evse_no(self) -> int:
        """The EVSE that a report must be about which names none; 0, the charger itself, where there are several."""
        return 1 if self.evse_count == 1 else 0


@dataclass(frozen=True)
class Evse:
    """One EVSE as last reported; `status` and `error_code` in the charger's own words, None before its first report.

    With a `connector_no` it is what was said of that connector alone: kept from the second on, for EVSEs of OCPP 2.x
    that have several. `reported_at` is the charger's clock, `received_at` ours: the last report received wins,
    whatever its clock says.
    """

    charger_id: str
    evse_no: int
    code: str | None = None
    status: str | None = None
    error_code: str | None = None
    info: str = ""
    vendor_error_code: str = ""
    reported_at: datetime | None = None
    received_at: datetime | None = None
    connector_no: int | None = None

    @property
    def letter(self) -> str:
        return connector_letter(self.evse_no)


@dataclass(frozen=True)
class EvseCode:
    """What a QR label says: the short code of one EVSE."""

    code: str
    charger_id: str
    evse_no: int


def charger_key(identity: str) -> str:
    """The form in which identities are compared: chargers are careless about case (steve#689)."""
    return identity.lower()


def serial_key(serial_number: str) -> str:
    """The form in which serial numbers are compared: people type them from type plates, with other keyboards."""
    return " ".join(unicodedata.normalize("NFKC", serial_number).casefold().split())


def is_identity(text: str) -> bool:
    """1 to 48 characters (OCPP 2.0.1 part 4, 3.1.1) of letters, digits, `. _ : @ * = + | -` and blanks inside."""
    return _IDENTITY.fullmatch(text) is not None


def connector_letter(evse_no: int) -> str:
    """A for EVSE 1 (left), B for 2 (right) ... Z, AA, AB; empty for the charger itself."""
    letters = ""
    while evse_no > 0:
        evse_no, place = divmod(evse_no - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


def code_url(public_url: str, code: str) -> str:
    """What the QR code of an EVSE says."""
    return f"{public_url}/c/{code}"


def make_code(choose: Callable[[Sequence[str]], str]) -> str:
    """A new QR code; `choose` picks a letter (`secrets.choice`). 27^8 codes: not to be guessed by trying."""
    return "".join(choose(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))
