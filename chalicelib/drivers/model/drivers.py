"""Drivers, and the link between a driver and an organisation. Pure.

A driver belongs to the platform and charges at any operator's chargers; an operator (and an agency) sees the drivers
that charged at its chargers, and an operator may turn one away there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from chalicelib.identity.model import shown_name
from chalicelib.kernel.countries import check_country
from chalicelib.kernel.searching import folded, has_words

DriverState = Literal["active", "inactive"]
DELETED_NAME: Final = "Deleted driver"
"""What operators see of somebody who left (`service/leaving.py`)."""

_LINES: Final = frozenset({"phone", "address", "apartment", "street", "city", "region", "postal_code"})
_ID_PREFIX: Final = "drv_"


@dataclass(frozen=True)
class Driver:
    """`id_tokens` are the keys of the driver's cards, `inactive_at` the operators that turn the driver away.
    `enterprises` names, by operator, the enterprise that the driver is a member of there, and `groups` the group that
    the operator put the driver into. With `deleted_at` the account
    is gone for good: nothing personal is left of it, and nothing changes it.

    `revision` counts changes: whoever changes the row names the one that was read.
    """

    driver_id: str
    email: str
    full_name: str
    created_at: datetime
    state: DriverState = "active"
    revision: int = 1
    id_tokens: list[str] = field(default_factory=list)
    inactive_at: list[str] = field(default_factory=list)
    enterprises: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    phone: str | None = None
    language: str = "en"
    receipts_by_email: bool = False
    address: str | None = None
    apartment: str | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class NewDriver:
    """A customer as an operator enters them: at the counter, or by a file. `language` None: the operator's."""

    email: str
    full_name: str
    phone: str | None = None
    language: str | None = None
    address: str | None = None
    apartment: str | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class DriverLink:
    """A driver is on the list of an organisation: of an operator since the first charge there, or since it entered the
    driver; of an agency since the first charge at its locations. Never taken off: standing is the driver's."""

    operator_id: str
    driver_id: str
    linked_at: datetime


def tidied(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Lines of a profile without blanks around them and in composed form; an empty one is none. Raises name.empty
    (422) for a driver without a name, country.unknown (422)."""
    tidy = dict(profile)
    for name, value in profile.items():
        if name == "full_name":
            tidy[name] = shown_name(value, "/full_name")
        elif name == "country":
            check_country(value)
        elif name in _LINES and value is not None:
            tidy[name] = " ".join(unicodedata.normalize("NFC", value).split()) or None
    return tidy


def matches_search(driver: Driver, words: str) -> bool:
    """Every word occurs in the name, e-mail, phone or address (`has_words`); or it begins the id (`drv_…`), in which
    any few digits would occur somewhere."""
    shown = (driver.full_name, driver.email, driver.phone, driver.address, driver.street, driver.city)
    id_text = folded(driver.driver_id)
    return all(
        has_words(word, *shown) or (word.startswith(_ID_PREFIX) and id_text.startswith(word))
        for word in folded(words).split()
    )
