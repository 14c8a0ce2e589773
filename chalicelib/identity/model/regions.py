"""The region tree of an organisation: country → province or state → city or town. Pure.

A region that is removed keeps its place: what stands there stays below the regions above it, and is still seen by
whoever works there. It is only offered no more, and its name is free again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from chalicelib.kernel.countries import check_country
from chalicelib.kernel.errors import conflict, invalid

RegionLevel = Literal["country", "province", "city"]
LEVELS: Final[tuple[RegionLevel, ...]] = ("country", "province", "city")
RegionState = Literal["active", "inactive"]


@dataclass(frozen=True)
class Region:
    """A node of the tree. Where it hangs never changes: `path` are the ids of those above it, the country first.

    `holds` counts the active regions right below it and the active vending points in it: while there is one, the
    region stays. `country_code` (ISO 3166-1 alpha-2) is of countries only.
    """

    region_id: str
    organization_id: str
    level: RegionLevel
    name: str
    created_at: datetime
    parent_id: str | None = None
    path: list[str] = field(default_factory=list)
    country_code: str | None = None
    state: RegionState = "active"
    holds: int = 0

    @property
    def lineage(self) -> tuple[str, ...]:
        return (*self.path, self.region_id)


def level_below(parent: Region | None, wanted: RegionLevel | None = None) -> RegionLevel:
    """The level of a new region below `parent` (None: at the top). `wanted` is what the caller takes it for.

    Raises region.parent_missing, region.too_deep, region.level (422).
    """
    if parent is None and wanted not in (None, LEVELS[0]):
        raise invalid("region.parent_missing", f"A {wanted} is added below a region: choose that first.", "/parent_id")
    if parent is not None and parent.level == LEVELS[-1]:
        raise invalid("region.too_deep", "There is nothing below a city or town.", "/parent_id")
    level = LEVELS[0] if parent is None else LEVELS[LEVELS.index(parent.level) + 1]
    if wanted not in (None, level):
        raise invalid("region.level", f"Below a {parent.level if parent else ''} comes a {level}.", "/level")
    return level


def check_country_code(level: RegionLevel, country_code: str | None) -> str | None:
    """Raises region.country_code (422) for a code on anything but a country, country.unknown (422)."""
    if country_code is not None and level != LEVELS[0]:
        raise invalid("region.country_code", "Only a country has a country code.", "/country_code")
    check_country(country_code, "/country_code")
    return country_code


def check_removable(region: Region) -> None:
    """Raises region.in_use (409)."""
    if region.holds:
        raise conflict("region.in_use", "There are regions below it, or vending points in it.")


def is_within_regions(lineage: Iterable[str], region_ids: frozenset[str] | None) -> bool:
    """Does what stands under these regions lie where somebody works? `region_ids` None: everywhere."""
    return region_ids is None or not region_ids.isdisjoint(lineage)
