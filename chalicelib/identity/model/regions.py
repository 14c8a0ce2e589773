"""The region tree of an organisation: country → province or state → city or town. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

RegionLevel = Literal["country", "province", "city"]
LEVELS: Final[tuple[RegionLevel, ...]] = ("country", "province", "city")


@dataclass(frozen=True)
class Region:
    """A node of the tree. Where it hangs never changes: `path` are the ids of those above it, the country first."""

    region_id: str
    organization_id: str
    level: RegionLevel
    name: str
    created_at: datetime
    parent_id: str | None = None
    path: list[str] = field(default_factory=list)

    @property
    def lineage(self) -> tuple[str, ...]:
        return (*self.path, self.region_id)
