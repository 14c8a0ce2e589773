"""Vending points of an operator: where they are, and who answers there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.identity.model import VendingPoint, check_email, shown_name
from chalicelib.identity.service.editing import set_named
from chalicelib.identity.service.names import change_name, free_name, take_name
from chalicelib.identity.service.regions import get_region, hold_region, release_region, require_region
from chalicelib.identity.store import (
    VENDING_POINT_PREFIX,
    VENDING_POINTS,
    ByOrganization,
    VendingPointRow,
    vending_point_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict, not_found
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

VENDING_POINT_CHANGES = frozenset({"name", "region_id", "address", "contact_person", "phone", "email"})
_SCOPE = "vending_point"


def get_vending_point(ctx: Context, organization_id: str, vending_point_id: str) -> VendingPoint | None:
    """One of the organisation's, active or not."""
    point = VENDING_POINTS.get(ctx, *vending_point_key(vending_point_id))
    return point if point is not None and point.organization_id == organization_id else None


def existing_vending_point(ctx: Context, vending_point_id: str) -> VendingPoint:
    """Whoever's it is. Raises vending_point.not_found (404)."""
    point = VENDING_POINTS.get(ctx, *vending_point_key(vending_point_id))
    if point is None:
        raise not_found("vending_point", vending_point_id)
    return point


def list_vending_points(
    ctx: Context, organization_id: str, keep: Callable[[VendingPoint], bool], *, limit: int, cursor: str | None
) -> Page[VendingPoint]:
    """Those that `keep` keeps, oldest first."""
    steps = VENDING_POINTS.walk(
        ctx,
        organization_id,
        ByOrganization.pk.startswith(VENDING_POINT_PREFIX),
        index=VendingPointRow.by_organization,
        cursor=cursor,
    )
    return page_of(steps, limit, keep)


def create_vending_point(uow: UnitOfWork, point: VendingPoint) -> VendingPoint:
    """Raises name.empty, email.invalid, region.unknown (422); the commit name.taken (409)."""
    point = _checked(point)
    if point.region_id is not None:
        require_region(uow.ctx, point.organization_id, point.region_id)
    uow.create(VENDING_POINTS, point)
    take_name(uow, point.organization_id, _SCOPE, point.name, point.vending_point_id)
    hold_region(uow, point.region_id)
    return point


def update_vending_point(uow: UnitOfWork, point: VendingPoint, changes: Mapping[str, Any]) -> VendingPoint:
    """Sets only the named attributes (VENDING_POINT_CHANGES), None clears. Raises like `create_vending_point`."""
    if unknown := changes.keys() - VENDING_POINT_CHANGES:
        raise ValueError(f"{unknown} of a vending point cannot be changed")
    changed = _checked(replace(point, **changes))
    if changed == point:
        return point
    moved = changed.region_id != point.region_id
    if moved and changed.region_id is not None:
        require_region(uow.ctx, point.organization_id, changed.region_id)
    _write(uow, point, changed)
    if point.state == "active":
        change_name(uow, point.organization_id, _SCOPE, point.name, changed.name, point.vending_point_id)
        if moved:
            hold_region(uow, changed.region_id)
            release_region(uow, point.region_id)
    return changed


def deactivate_vending_point(uow: UnitOfWork, point: VendingPoint) -> VendingPoint:
    """Its name and its region are free again. Nothing for one that is not active."""
    if point.state == "inactive":
        return point
    changed = replace(point, state="inactive")
    _write(uow, point, changed)
    free_name(uow, point.organization_id, _SCOPE, point.name)
    release_region(uow, point.region_id)
    return changed


def restore_vending_point(uow: UnitOfWork, point: VendingPoint) -> VendingPoint:
    """Raises region.removed (409); the commit name.taken (409) if another got its name meanwhile."""
    if point.state == "active":
        return point
    if point.region_id is not None and get_region(uow.ctx, point.organization_id, point.region_id) is None:
        raise conflict("region.removed", "Its region was removed: restore that first, or give it another.")
    changed = replace(point, state="active")
    _write(uow, point, changed)
    take_name(uow, point.organization_id, _SCOPE, point.name, point.vending_point_id)
    hold_region(uow, point.region_id)
    return changed


def _checked(point: VendingPoint) -> VendingPoint:
    email = None if point.email is None else check_email(point.email)
    return replace(point, name=shown_name(point.name), email=email)


def _write(uow: UnitOfWork, point: VendingPoint, changed: VendingPoint) -> None:
    """Only onto what was read: what hangs on the name, the region and the state is decided from these."""
    region = VendingPointRow.region_id
    condition = (
        (VendingPointRow.name == point.name)
        & (VendingPointRow.state == point.state)
        & (region.does_not_exist() if point.region_id is None else region == point.region_id)
    )
    differing = {
        name: getattr(changed, name)
        for name in sorted({*VENDING_POINT_CHANGES, "state"})
        if getattr(changed, name) != getattr(point, name)
    }
    set_named(uow, VENDING_POINTS, vending_point_key(point.vending_point_id), differing, condition)
