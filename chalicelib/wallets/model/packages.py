"""Top-up packages: amounts that drivers pick from, each with a switch and perhaps a bonus. Pure.

A package belongs to the platform or to an operator, who pays its bonus. It is offered while it is `on`; a deleted one
can be restored and is then `off`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.kernel.errors import conflict, invalid
from chalicelib.kernel.money import Money

PackageState = Literal["on", "off", "deleted"]

MAX_PACKAGES = 100
"""Of one owner, deleted ones not counted: a screen of choices, not a catalogue."""


@dataclass(frozen=True)
class TopUpPackage:
    """`revision` counts changes: who changes it names the one that was read."""

    package_id: str
    owner_id: str
    name: str
    amount: Money
    state: PackageState
    sort_order: int
    created_at: datetime
    bonus: Money | None = None
    revision: int = 1

    @property
    def credited(self) -> Money:
        """What a wallet gets for the amount."""
        return self.amount if self.bonus is None else self.amount + self.bonus


@dataclass(frozen=True)
class PackageOwner:
    """Whose package it is: where to find it by its id alone."""

    package_id: str
    owner_id: str


def check_package(package: TopUpPackage, *, currency: str | None) -> TopUpPackage:
    """`currency`: the only one that the owner may use; None for any. Raises topup_package.currency,
    topup_package.bonus."""
    if currency is not None and package.amount.currency != currency:
        detail = f"What the bonus costs is settled in {currency}: the package must be in it."
        raise invalid("topup_package.currency", detail, "/amount/currency")
    bonus = package.bonus
    if bonus is None:
        return package
    if bonus.currency != package.amount.currency:
        raise invalid("topup_package.bonus", "The bonus is of the package's currency.", "/bonus/currency")
    if not 0 < bonus.amount <= package.amount.amount:
        raise invalid("topup_package.bonus", "The bonus is more than nothing, and no more than the amount.", "/bonus")
    return package


def check_number(known: Iterable[TopUpPackage]) -> None:
    """Raises topup_package.too_many (409)."""
    if sum(1 for package in known if package.state != "deleted") >= MAX_PACKAGES:
        raise conflict("topup_package.too_many", f"There are {MAX_PACKAGES} packages; delete one first.")


def place_of(package: TopUpPackage) -> str:
    """Packages sort by this: by the owner's wish, then by age."""
    return f"{package.sort_order:06d}#{package.package_id}"
