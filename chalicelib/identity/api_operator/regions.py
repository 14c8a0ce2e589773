"""The region tree of an operator: countries, provinces or states, cities or towns.

A user who is narrowed to regions sees those above them too, so that the tree is whole, and changes only what is theirs.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import State, api
from chalicelib.identity.model import Region, RegionLevel
from chalicelib.identity.model.regions import is_within_regions
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see, owning_operator
from chalicelib.kernel.errors import forbidden, not_found
from chalicelib.kernel.http import UNSET, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.texts import CountryText, NameText


class RegionsQuery(OperatorPageQuery, kw_only=True):
    """`parent_id`: only those right below it; `level` `country` gives the top of the tree."""

    parent_id: str | None = None
    level: RegionLevel | None = None
    state: State = "active"


class RegionCreate(Shape):
    """Without `parent_id` a country, below a country a province or state, below that a city or town. `level` may say
    what it is taken for. `operator_id` is for those above the operators; `country_code` is of countries."""

    name: NameText
    parent_id: str | None = None
    level: RegionLevel | None = None
    country_code: CountryText | None = None
    operator_id: str | None = None


class RegionPatch(Shape):
    name: NameText | Unset = UNSET
    country_code: CountryText | Unset | None = UNSET


class RegionView(Shape):
    """`path` are the ids of those above it, the country first. `in_use`: there are regions below it, or vending points
    in it."""

    region_id: str
    operator_id: str
    level: RegionLevel
    name: str
    parent_id: str | None
    path: list[str]
    country_code: str | None
    state: State
    in_use: bool
    created_at: datetime


def region_view(region: Region) -> RegionView:
    return RegionView(
        region_id=region.region_id,
        operator_id=region.organization_id,
        level=region.level,
        name=region.name,
        parent_id=region.parent_id,
        path=region.path,
        country_code=region.country_code,
        state=region.state,
        in_use=region.holds > 0,
        created_at=region.created_at,
    )


@api.get("/v1/regions", permission="regions:read")
def list_regions(req: Request, query: RegionsQuery) -> PageView[RegionView]:
    """The regions of an operator, oldest first: each after the one above it. Flat; `path` makes the tree."""
    operator_id = _listed(req, query)
    above = _above_own(req, operator_id)

    def keep(region: Region) -> bool:
        return (
            region.state == query.state
            and (query.parent_id is None or region.parent_id == query.parent_id)
            and (query.level is None or region.level == query.level)
            and (region.region_id in above or is_within_regions(region.lineage, req.actor.region_ids))
        )

    page = service.list_regions(req.ctx, operator_id, keep, limit=query.limit, cursor=query.cursor)
    return page_view(page, region_view)


@api.post("/v1/regions", permission="regions:write")
def create_region(req: Request, body: RegionCreate) -> RegionView:
    """Adds a region: the one above it first. A name stands once among its siblings (409)."""
    operator_id = owning_operator(req, body.operator_id)
    if req.actor.region_ids is not None and body.parent_id is None:
        raise forbidden("You work in some regions only, and cannot add a country.")
    if body.parent_id is not None:
        _check_own(req, operator_id, body.parent_id)
    region = service.create_region(
        req.uow,
        organization_id=operator_id,
        name=body.name,
        parent_id=body.parent_id,
        level=body.level,
        country_code=body.country_code,
    )
    view = region_view(region)
    req.audit("region", region.region_id, owner_id=operator_id, after=view)
    return view


@api.get("/v1/regions/{region_id}", permission="regions:read")
def get_region(req: Request, region_id: str) -> RegionView:
    """One region, also one that was removed: what stands in it still names it."""
    region = _visible(req, region_id)
    if region_id not in _above_own(req, region.organization_id):
        _check_own(req, region.organization_id, region_id)
    return region_view(region)


@api.patch("/v1/regions/{region_id}", permission="regions:write")
def update_region(req: Request, region_id: str, body: RegionPatch) -> RegionView:
    """Renames a region. Where it hangs never changes."""
    region = _own(req, region_id)
    return _changed(req, region, service.update_region(req.uow, region, changes_of(body)))


@api.delete("/v1/regions/{region_id}", permission="regions:write")
def delete_region(req: Request, region_id: str) -> None:
    """Removes a region that nothing is below and no vending point or user is in (409).

    Locations that stand in it stay where they are, below the regions above it; no other can be put there.
    """
    region = _own(req, region_id)
    _changed(req, region, service.remove_region(req.uow, region))


@api.post("/v1/regions/{region_id}/restore", permission="regions:write", status=200)
def restore_region(req: Request, region_id: str) -> RegionView:
    """Brings a removed region back."""
    region = _own(req, region_id)
    return _changed(req, region, service.restore_region(req.uow, region))


def _listed(req: Request, query: RegionsQuery) -> str:
    """The operator whose regions are asked for. Raises region.not_found (404) for a parent that it does not have."""
    if query.parent_id is None:
        return listed_operator(req, query.operator_id)
    parent = _visible(req, query.parent_id)
    if query.operator_id not in (None, parent.organization_id):
        raise not_found("region", query.parent_id)
    return parent.organization_id


def _changed(req: Request, before: Region, after: Region) -> RegionView:
    view = region_view(after)
    req.audit("region", before.region_id, owner_id=before.organization_id, before=region_view(before), after=view)
    return view


def _visible(req: Request, region_id: str) -> Region:
    region = service.existing_region(req.ctx, region_id)
    if not may_see(req, region.organization_id):
        raise not_found("region", region_id)
    return region


def _own(req: Request, region_id: str) -> Region:
    """Raises region.not_found, also for one where the asker does not work."""
    region = _visible(req, region_id)
    _check_own(req, region.organization_id, region_id)
    return region


def _check_own(req: Request, operator_id: str, region_id: str) -> None:
    lineage = service.region_lineage(req.ctx, operator_id, region_id)
    if not is_within_regions(lineage, req.actor.region_ids):
        raise not_found("region", region_id)


def _above_own(req: Request, operator_id: str) -> frozenset[str]:
    """The regions above those that the asker is narrowed to."""
    own = req.actor.region_ids or ()
    return frozenset(above for region_id in own for above in service.region_lineage(req.ctx, operator_id, region_id))
