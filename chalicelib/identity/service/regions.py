"""The region tree of an organisation."""

from __future__ import annotations

from chalicelib.identity.model import Region
from chalicelib.identity.store import REGIONS, region_key
from chalicelib.kernel.context import Context


def get_region(ctx: Context, organization_id: str, region_id: str) -> Region | None:
    return REGIONS.get(ctx, *region_key(organization_id, region_id))


def region_lineage(ctx: Context, organization_id: str, region_id: str) -> tuple[str, ...]:
    """The regions above one and itself, the country first; empty for one that does not exist. Never changes, so a
    warm process asks once."""
    cache = ctx.cache("identity.regions", size=10_000)

    def load() -> tuple[str, ...] | None:
        region = get_region(ctx, organization_id, region_id)
        return None if region is None else region.lineage

    return cache.get_or_load((organization_id, region_id), load) or ()
