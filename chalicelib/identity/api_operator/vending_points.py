"""Vending points: where prepaid energy is sold. A user who is narrowed to some, or to regions, sees only those."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import AddressText, State, api
from chalicelib.identity.model import VendingPoint
from chalicelib.identity.model.regions import is_within_regions
from chalicelib.identity.model.vending_points import works_at
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see, owning_operator
from chalicelib.kernel.errors import forbidden, invalid, not_found
from chalicelib.kernel.http import UNSET, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.searching import has_words
from chalicelib.kernel.texts import EmailText, NameText, PhoneText


class VendingPointsQuery(OperatorPageQuery, kw_only=True):
    """`region_id`: those in it and in the regions below it. `q`: words of the name."""

    region_id: str | None = None
    state: State = "active"
    q: Annotated[str, msgspec.Meta(max_length=100)] | None = None


class VendingPointCreate(Shape):
    """`operator_id` is for those above the operators."""

    name: NameText
    region_id: str | None = None
    address: AddressText | None = None
    contact_person: NameText | None = None
    phone: PhoneText | None = None
    email: EmailText | None = None
    operator_id: str | None = None


class VendingPointPatch(Shape):
    name: NameText | Unset = UNSET
    region_id: str | Unset | None = UNSET
    address: AddressText | Unset | None = UNSET
    contact_person: NameText | Unset | None = UNSET
    phone: PhoneText | Unset | None = UNSET
    email: EmailText | Unset | None = UNSET


class VendingPointView(Shape):
    vending_point_id: str
    operator_id: str
    name: str
    region_id: str | None
    address: str | None
    contact_person: str | None
    phone: str | None
    email: str | None
    state: State
    created_at: datetime


def vending_point_view(point: VendingPoint) -> VendingPointView:
    return VendingPointView(
        vending_point_id=point.vending_point_id,
        operator_id=point.organization_id,
        name=point.name,
        region_id=point.region_id,
        address=point.address,
        contact_person=point.contact_person,
        phone=point.phone,
        email=point.email,
        state=point.state,
        created_at=point.created_at,
    )


@api.get("/v1/vending-points", permission="vending_points:read")
def list_vending_points(req: Request, query: VendingPointsQuery) -> PageView[VendingPointView]:
    """The vending points of an operator, oldest first."""
    wanted = None if query.region_id is None else frozenset({query.region_id})

    def keep(point: VendingPoint) -> bool:
        return (
            point.state == query.state
            and has_words(query.q or "", point.name)
            and is_within_regions(_lineage(req, point), wanted)
            and _works_at(req, point)
        )

    operator_id = listed_operator(req, query.operator_id)
    page = service.list_vending_points(req.ctx, operator_id, keep, limit=query.limit, cursor=query.cursor)
    return page_view(page, vending_point_view)


@api.post("/v1/vending-points", permission="vending_points:write")
def create_vending_point(req: Request, body: VendingPointCreate) -> VendingPointView:
    """Adds a vending point. Its name stands once among the operator's (409)."""
    operator_id = owning_operator(req, body.operator_id)
    if req.actor.vending_point_ids is not None:
        raise forbidden("You work at some vending points only, and cannot add one.")
    _check_region(req, operator_id, body.region_id)
    point = service.create_vending_point(
        req.uow,
        VendingPoint(
            vending_point_id=req.ctx.new_id("vpt"),
            organization_id=operator_id,
            name=body.name,
            created_at=req.ctx.now(),
            region_id=body.region_id,
            address=body.address,
            contact_person=body.contact_person,
            phone=body.phone,
            email=body.email,
        ),
    )
    view = vending_point_view(point)
    req.audit("vending_point", point.vending_point_id, owner_id=operator_id, after=view)
    return view


@api.get("/v1/vending-points/{vending_point_id}", permission="vending_points:read")
def get_vending_point(req: Request, vending_point_id: str) -> VendingPointView:
    """One vending point."""
    return vending_point_view(_own(req, vending_point_id))


@api.patch("/v1/vending-points/{vending_point_id}", permission="vending_points:write")
def update_vending_point(req: Request, vending_point_id: str, body: VendingPointPatch) -> VendingPointView:
    """Changes a vending point."""
    point, changes = _own(req, vending_point_id), changes_of(body)
    if "region_id" in changes:
        _check_region(req, point.organization_id, changes["region_id"])
    return _changed(req, point, service.update_vending_point(req.uow, point, changes))


@api.delete("/v1/vending-points/{vending_point_id}", permission="vending_points:write")
def delete_vending_point(req: Request, vending_point_id: str) -> None:
    """Deactivates a vending point; it can be restored."""
    point = _own(req, vending_point_id)
    _changed(req, point, service.deactivate_vending_point(req.uow, point))


@api.post("/v1/vending-points/{vending_point_id}/restore", permission="vending_points:write", status=200)
def restore_vending_point(req: Request, vending_point_id: str) -> VendingPointView:
    """Makes a vending point active again."""
    point = _own(req, vending_point_id)
    return _changed(req, point, service.restore_vending_point(req.uow, point))


def _changed(req: Request, before: VendingPoint, after: VendingPoint) -> VendingPointView:
    view = vending_point_view(after)
    req.audit(
        "vending_point",
        before.vending_point_id,
        owner_id=before.organization_id,
        before=vending_point_view(before),
        after=view,
    )
    return view


def _lineage(req: Request, point: VendingPoint) -> tuple[str, ...]:
    if point.region_id is None:
        return ()
    return service.region_lineage(req.ctx, point.organization_id, point.region_id)


def _works_at(req: Request, point: VendingPoint) -> bool:
    return works_at(point, _lineage(req, point), req.actor.region_ids, req.actor.vending_point_ids)


def _own(req: Request, vending_point_id: str) -> VendingPoint:
    """Raises vending_point.not_found, also for one where the asker does not work."""
    point = service.existing_vending_point(req.ctx, vending_point_id)
    if not (may_see(req, point.organization_id) and _works_at(req, point)):
        raise not_found("vending_point", vending_point_id)
    return point


def _check_region(req: Request, operator_id: str, region_id: str | None) -> None:
    """Who works in some regions puts vending points nowhere else. Raises region.unknown (422)."""
    lineage = () if region_id is None else service.region_lineage(req.ctx, operator_id, region_id)
    if not is_within_regions(lineage, req.actor.region_ids):
        raise invalid("region.unknown", "Name one of the regions that you work in.", "/region_id")
