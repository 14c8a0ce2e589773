"""Drivers, and the link between a driver and an organisation. Pure.

A driver belongs to the platform and charges at any operator's chargers; an operator (and an agency) sees the drivers
that charged at its chargers, and an operator may turn one away there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

DriverState = Literal["active", "inactive"]


@dataclass(frozen=True)
class Driver:
    """`id_tokens` are the keys of the driver's cards, `inactive_at` the operators that turn the driver away.

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


@dataclass(frozen=True)
class DriverLink:
    """A driver is on an operator's list, since the first charge there. Never taken off: standing is the driver's."""

    operator_id: str
    driver_id: str
    linked_at: datetime


def matches_search(driver: Driver, words: str) -> bool:
    """Every word occurs in the name, e-mail, phone or id."""
    text = " ".join((driver.full_name, driver.email, driver.phone or "", driver.driver_id)).casefold()
    return all(word in text for word in words.casefold().split())
