"""Vending points: where prepaid energy is sold, and to which users may be narrowed. Pure.

They stand in identity because they bound what users see; vending reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.identity.model.regions import is_within_regions

VendingPointState = Literal["active", "inactive"]


@dataclass(frozen=True)
class VendingPoint:
    vending_point_id: str
    organization_id: str
    name: str
    created_at: datetime
    region_id: str | None = None
    address: str | None = None
    contact_person: str | None = None
    phone: str | None = None
    email: str | None = None
    state: VendingPointState = "active"


def works_at(
    point: VendingPoint,
    lineage: tuple[str, ...],
    region_ids: frozenset[str] | None,
    vending_point_ids: frozenset[str] | None,
) -> bool:
    """Is a point one where a user works, who is narrowed to these regions and points (None: not narrowed)? Who is
    narrowed to both works where both say so. `lineage`: the point's region and those above; empty for none."""
    if vending_point_ids is not None and point.vending_point_id not in vending_point_ids:
        return False
    return is_within_regions(lineage, region_ids)
