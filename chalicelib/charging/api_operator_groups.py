"""The drivers of a group of chargers: who may charge from the phone where not everybody may.

Here and not with the groups, because chargers know no drivers.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import GroupMember
from chalicelib.chargers.scope import owned_group
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape, page_view

api = Api("network", "operator")


class GroupDriverView(Shape):
    """`full_name` is null for a driver whose account is gone."""

    driver_id: str
    full_name: str | None
    added_at: datetime


def member_view(member: GroupMember, driver: Driver | None) -> GroupDriverView:
    return GroupDriverView(
        driver_id=member.driver_id, full_name=None if driver is None else driver.full_name, added_at=member.added_at
    )


@api.get("/v1/charger-groups/{charger_group_id}/drivers", "drivers:read")
def list_charger_group_drivers(req: Request, charger_group_id: str, query: PageQuery) -> PageView[GroupDriverView]:
    """The drivers of a group. They charge at its chargers and at those of its sub-groups."""
    group = owned_group(req, charger_group_id)
    page = chargers.list_members(req.ctx, group.group_id, limit=query.limit, cursor=query.cursor)
    known = drivers.get_drivers(req.ctx, [member.driver_id for member in page.data])
    return page_view(page, lambda member: member_view(member, known.get(member.driver_id)))


@api.put("/v1/charger-groups/{charger_group_id}/drivers/{driver_id}", "drivers:write")
def add_charger_group_driver(req: Request, charger_group_id: str, driver_id: str) -> GroupDriverView:
    """Adds a driver of the operator's list to a group. Said twice, it is as said once."""
    group = owned_group(req, charger_group_id)
    driver = drivers.get_driver(req.ctx, driver_id)
    if driver is None or not drivers.is_linked(req.ctx, group.operator_id, driver_id):
        raise not_found("driver", driver_id)
    known = chargers.get_member(req.ctx, group.group_id, driver_id)
    view = member_view(chargers.add_member(req.uow, group, driver_id), driver)
    name = f"{group.group_id}/{driver_id}"
    before = None if known is None else view
    req.audit("charger_group_driver", name, owner_id=group.operator_id, before=before, after=view)
    return view


@api.delete("/v1/charger-groups/{charger_group_id}/drivers/{driver_id}", "drivers:write")
def remove_charger_group_driver(req: Request, charger_group_id: str, driver_id: str) -> None:
    """Takes a driver out of a group. Said twice, it is as said once."""
    group = owned_group(req, charger_group_id)
    member = chargers.get_member(req.ctx, group.group_id, driver_id)
    if member is None and not drivers.is_linked(req.ctx, group.operator_id, driver_id):
        raise not_found("driver", driver_id)
    before = None
    if member is not None:
        chargers.remove_member(req.uow, member)
        before = member_view(member, drivers.get_driver(req.ctx, driver_id))
    name = f"{group.group_id}/{driver_id}"
    req.audit("charger_group_driver", name, owner_id=group.operator_id, before=before)
