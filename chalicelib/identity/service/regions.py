"""The region tree of an organisation: grown from the country down, each name once among its siblings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.identity.model import Region, RegionLevel, shown_name
from chalicelib.identity.model.regions import check_country_code, check_removable, level_below
from chalicelib.identity.service.editing import set_named
from chalicelib.identity.service.names import change_name, free_name, take_name
from chalicelib.identity.store import REGION_PREFIX, REGIONS, ByOrganization, RegionRow, region_key, walk_users
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, invalid, not_found
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork


def find_region(ctx: Context, region_id: str) -> Region | None:
    """Whoever's it is, also one that was removed."""
    return REGIONS.get(ctx, *region_key(region_id))


def get_region(ctx: Context, organization_id: str, region_id: str) -> Region | None:
    """A region of the organisation that something may be put into: not one that was removed."""
    region = find_region(ctx, region_id)
    return region if region and region.organization_id == organization_id and region.state == "active" else None


def region_lineage(ctx: Context, organization_id: str, region_id: str) -> tuple[str, ...]:
    """The regions above one and itself, the country first; also for a removed one. Empty for one that the organisation
    does not have. Never changes, so a warm process asks once."""
    cache = ctx.cache("identity.regions", size=10_000)

    def load() -> tuple[str, ...] | None:
        region = find_region(ctx, region_id)
        return region.lineage if region is not None and region.organization_id == organization_id else None

    return cache.get_or_load((organization_id, region_id), load) or ()


def list_regions(
    ctx: Context, organization_id: str, keep: Callable[[Region], bool], *, limit: int, cursor: str | None
) -> Page[Region]:
    """The regions that `keep` keeps, oldest first: a region comes after the one above it."""
    steps = REGIONS.walk(
        ctx,
        organization_id,
        ByOrganization.pk.startswith(REGION_PREFIX),
        index=RegionRow.by_organization,
        cursor=cursor,
    )
    return page_of(steps, limit, keep)


def create_region(
    uow: UnitOfWork,
    *,
    organization_id: str,
    name: str,
    parent_id: str | None,
    level: RegionLevel | None = None,
    country_code: str | None = None,
) -> Region:
    """A region below `parent_id`; without one, a country. `level` is what the caller takes it for, if it says so.

    Raises region.parent_missing, region.too_deep, region.level, region.country_code, name.empty (422); the commit
    name.taken (409).
    """
    ctx = uow.ctx
    parent = None if parent_id is None else get_region(ctx, organization_id, parent_id)
    if parent is None and parent_id is not None:
        raise invalid("region.parent_missing", f"There is no region {parent_id!r}.", "/parent_id")
    level = level_below(parent, level)
    region = Region(
        region_id=ctx.new_id("reg"),
        organization_id=organization_id,
        level=level,
        name=shown_name(name),
        created_at=ctx.now(),
        parent_id=parent_id,
        path=[] if parent is None else list(parent.lineage),
        country_code=check_country_code(level, country_code),
    )
    uow.create(REGIONS, region)
    take_name(uow, organization_id, _scope(region), region.name, region.region_id)
    hold_region(uow, parent_id)
    return region


def update_region(uow: UnitOfWork, region: Region, changes: Mapping[str, Any]) -> Region:
    """Sets the named ones of `name` and `country_code`. Raises like `create_region`."""
    changed = replace(region, **changes)
    changed = replace(changed, name=shown_name(changed.name))
    check_country_code(changed.level, changed.country_code)
    if changed == region:
        return region
    _write(uow, region, {"name": changed.name, "country_code": changed.country_code})
    if region.state == "active":
        change_name(uow, region.organization_id, _scope(region), region.name, changed.name, region.region_id)
    return changed


def remove_region(uow: UnitOfWork, region: Region) -> Region:
    """Nothing can be put there any more. Raises region.in_use (409) while something is; again, it changes nothing."""
    if region.state == "inactive":
        return region
    check_removable(region)
    if any(region.region_id in user.region_ids for user, _ in walk_users(uow.ctx, region.organization_id)):
        raise conflict("region.in_use", "There are users who work in it.")
    _write(uow, region, {"state": "inactive"})
    free_name(uow, region.organization_id, _scope(region), region.name)
    release_region(uow, region.parent_id)
    return replace(region, state="inactive")


def restore_region(uow: UnitOfWork, region: Region) -> Region:
    """Raises region.parent_removed (409); the commit name.taken (409) if another got its name meanwhile."""
    if region.state == "active":
        return region
    if region.parent_id and get_region(uow.ctx, region.organization_id, region.parent_id) is None:
        raise conflict("region.parent_removed", "The region above it was removed: restore that first.")
    _write(uow, region, {"state": "active"})
    take_name(uow, region.organization_id, _scope(region), region.name, region.region_id)
    hold_region(uow, region.parent_id)
    return replace(region, state="active")


def require_region(ctx: Context, organization_id: str, region_id: str, pointer: str = "/region_id") -> Region:
    """Raises region.unknown (422) for one that nothing may be put into."""
    region = get_region(ctx, organization_id, region_id)
    if region is None:
        raise invalid("region.unknown", f"There is no region {region_id!r}.", pointer)
    return region


def existing_region(ctx: Context, region_id: str) -> Region:
    """Whoever's it is. Raises region.not_found (404)."""
    region = find_region(ctx, region_id)
    if region is None:
        raise not_found("region", region_id)
    return region


def hold_region(uow: UnitOfWork, region_id: str | None) -> None:
    """Something is put into the region: it cannot be removed before `release_region`. Nothing for None."""
    if region_id is not None:
        _count(uow, region_id, 1)


def release_region(uow: UnitOfWork, region_id: str | None) -> None:
    if region_id is not None:
        _count(uow, region_id, -1)


def _count(uow: UnitOfWork, region_id: str, by: int) -> None:
    uow.update(
        REGIONS,
        region_key(region_id),
        [RegionRow.holds.add(by)],
        condition=RegionRow.state == "active",
        on_conflict=StaleRead("The region"),
    )


def _write(uow: UnitOfWork, region: Region, changes: Mapping[str, Any]) -> None:
    """Only onto what was read: what hangs on the name, the state and the count is decided from these."""
    condition = (RegionRow.name == region.name) & (RegionRow.state == region.state) & (RegionRow.holds == region.holds)
    set_named(uow, REGIONS, region_key(region.region_id), changes, condition)


def _scope(region: Region) -> str:
    return f"region#{region.parent_id or ''}"
