"""Groups of drivers, who pay a price of their own: a tariff is assigned to a group like to a place
(`charging/api_operator_prices.py`)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.api_operator.common import api
from chalicelib.drivers.model import Driver
from chalicelib.drivers.model.groups import DriverGroup, DriverGroupMember
from chalicelib.identity.model import shown_name, with_shown_names
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see, owning_operator
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import UNSET, PageQuery, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.revisions import check_revision, etag_of, expected_revision
from chalicelib.kernel.texts import NameText

DescriptionText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class DriverGroupCreate(Shape):
    name: NameText
    description: DescriptionText | None = None
    operator_id: str | None = None


class DriverGroupPatch(Shape):
    name: NameText | Unset = UNSET
    description: DescriptionText | Unset | None = UNSET


class DriverGroupQuery(OperatorPageQuery):
    """`q`: words of the name."""

    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


class DriverGroupView(Shape):
    driver_group_id: str
    operator_id: str
    name: str
    description: str | None
    driver_count: int
    created_at: datetime


class DriverGroupMemberView(Shape):
    """`full_name` is null for a driver whose account is gone."""

    driver_id: str
    full_name: str | None
    added_at: datetime


def driver_group_view(group: DriverGroup) -> DriverGroupView:
    return DriverGroupView(
        driver_group_id=group.group_id,
        operator_id=group.operator_id,
        name=group.name,
        description=group.description,
        driver_count=group.member_count,
        created_at=group.created_at,
    )


def _member_view(member: DriverGroupMember, driver: Driver | None) -> DriverGroupMemberView:
    full_name = None if driver is None else driver.full_name
    return DriverGroupMemberView(driver_id=member.driver_id, full_name=full_name, added_at=member.added_at)


@api.post("/v1/driver-groups", "drivers:write")
def create_driver_group(req: Request, body: DriverGroupCreate) -> DriverGroupView:
    """Adds a group of drivers. With a tariff that is assigned to it, its drivers pay that at all of the operator's
    chargers."""
    new = DriverGroup(
        group_id=req.ctx.new_id("dgr"),
        operator_id=owning_operator(req, body.operator_id),
        name=shown_name(body.name),
        created_at=req.ctx.now(),
        description=body.description,
    )
    view = _with_etag(req, service.add_driver_group(req.uow, new))
    req.audit("driver_group", new.group_id, owner_id=new.operator_id, after=view)
    return view


@api.get("/v1/driver-groups", "drivers:read")
def list_driver_groups(req: Request, query: DriverGroupQuery) -> PageView[DriverGroupView]:
    """The operator's groups of drivers, oldest first."""
    operator_id = listed_operator(req, query.operator_id)
    page = service.list_driver_groups(req.ctx, operator_id, words=query.q, limit=query.limit, cursor=query.cursor)
    return page_view(page, driver_group_view)


@api.get("/v1/driver-groups/{driver_group_id}", "drivers:read")
def get_driver_group(req: Request, driver_group_id: str) -> DriverGroupView:
    """One group."""
    return _with_etag(req, owned_driver_group(req, driver_group_id))


@api.patch("/v1/driver-groups/{driver_group_id}", "drivers:write")
def update_driver_group(req: Request, driver_group_id: str, body: DriverGroupPatch) -> DriverGroupView:
    """Changes a group (merge patch). With If-Match, only if nobody changed it since (412)."""
    group = owned_driver_group(req, driver_group_id)
    check_revision(expected_revision(req), group.revision, "driver_group")
    changed = service.change_driver_group(req.uow, group, with_shown_names(changes_of(body), "name"))
    view = _with_etag(req, changed)
    req.audit("driver_group", group.group_id, owner_id=group.operator_id, before=driver_group_view(group), after=view)
    return view


@api.delete("/v1/driver-groups/{driver_group_id}", "drivers:write")
def delete_driver_group(req: Request, driver_group_id: str) -> None:
    """Removes a group without drivers (409). It does not come back; a tariff that was assigned to it applies nowhere.

    With If-Match, only if nobody changed it since (412).
    """
    group = owned_driver_group(req, driver_group_id)
    check_revision(expected_revision(req), group.revision, "driver_group")
    service.remove_driver_group(req.uow, group)
    req.audit("driver_group", group.group_id, owner_id=group.operator_id, before=driver_group_view(group))


@api.get("/v1/driver-groups/{driver_group_id}/drivers", "drivers:read")
def list_driver_group_drivers(req: Request, driver_group_id: str, query: PageQuery) -> PageView[DriverGroupMemberView]:
    """The drivers of a group."""
    group = owned_driver_group(req, driver_group_id)
    page = service.list_group_members(req.ctx, group.group_id, limit=query.limit, cursor=query.cursor)
    known = service.get_drivers(req.ctx, [member.driver_id for member in page.data])
    return page_view(page, lambda member: _member_view(member, known.get(member.driver_id)))


@api.put("/v1/driver-groups/{driver_group_id}/drivers/{driver_id}", "drivers:write")
def add_driver_group_driver(req: Request, driver_group_id: str, driver_id: str) -> DriverGroupMemberView:
    """Puts a driver of the operator's list into a group. Said twice, it is as said once. What runs keeps its price.

    A driver is in one group of an operator (409).
    """
    group = owned_driver_group(req, driver_group_id)
    driver = service.get_driver(req.ctx, driver_id)
    if driver is None or not service.is_linked(req.ctx, group.operator_id, driver_id):
        raise not_found("driver", driver_id)
    known = service.find_group_member(req.ctx, group.group_id, driver_id)
    view = _member_view(service.add_group_member(req.uow, group, driver), driver)
    before = None if known is None else view
    req.audit("driver_group_driver", _name(group, driver_id), owner_id=group.operator_id, before=before, after=view)
    return view


@api.delete("/v1/driver-groups/{driver_group_id}/drivers/{driver_id}", "drivers:write")
def remove_driver_group_driver(req: Request, driver_group_id: str, driver_id: str) -> None:
    """Takes a driver out of a group (404 for one who is not in it)."""
    group = owned_driver_group(req, driver_group_id)
    member = service.find_group_member(req.ctx, group.group_id, driver_id)
    if member is None:
        raise not_found("driver_group_member", driver_id)
    driver = service.require_driver(req.ctx, driver_id)
    service.remove_group_member(req.uow, group, driver)
    before = _member_view(member, driver)
    req.audit("driver_group_driver", _name(group, driver_id), owner_id=group.operator_id, before=before)


def owned_driver_group(req: Request, driver_group_id: str) -> DriverGroup:
    """Raises driver_group.not_found, also for one that is not the asker's to see."""
    group = service.find_driver_group(req.ctx, driver_group_id)
    if group is None or not may_see(req, group.operator_id):
        raise not_found("driver_group", driver_group_id)
    return group


def _name(group: DriverGroup, driver_id: str) -> str:
    return f"{group.group_id}/{driver_id}"


def _with_etag(req: Request, group: DriverGroup) -> DriverGroupView:
    req.answer_headers["etag"] = etag_of(group.revision)
    return driver_group_view(group)
