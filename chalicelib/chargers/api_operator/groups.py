"""Groups of chargers and their sub-groups. Who belongs to them: `charging/api_operator_groups.py`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import SearchText, api
from chalicelib.chargers.model import ChargerGroup
from chalicelib.chargers.scope import owned_group
from chalicelib.identity.model import shown_name, with_shown_names
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, owning_operator
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import UNSET, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.revisions import check_revision, etag_of, expected_revision
from chalicelib.kernel.searching import has_words
from chalicelib.kernel.texts import NameText

DescriptionText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ChargerGroupCreate(Shape):
    """With a `parent_id` it is a sub-group: five deep at most, and there to stay."""

    name: NameText
    parent_id: str | None = None
    description: DescriptionText | None = None
    operator_id: str | None = None


class ChargerGroupPatch(Shape):
    name: NameText | Unset = UNSET
    description: DescriptionText | Unset | None = UNSET


class ChargerGroupQuery(OperatorPageQuery):
    """`parent_id`: the sub-groups right below that group. `q`: words of the name."""

    parent_id: str | None = None
    q: SearchText | None = None


class ChargerGroupView(Shape):
    """`path`: the ids of the groups above it, the topmost first. The counts are of what is right below it."""

    charger_group_id: str
    operator_id: str
    name: str
    description: str | None
    parent_id: str | None
    path: list[str]
    charger_count: int
    subgroup_count: int
    created_at: datetime


def group_view(group: ChargerGroup) -> ChargerGroupView:
    return ChargerGroupView(
        charger_group_id=group.group_id,
        operator_id=group.operator_id,
        name=group.name,
        description=group.description,
        parent_id=group.parent_id,
        path=group.path,
        charger_count=group.charger_count,
        subgroup_count=group.subgroup_count,
        created_at=group.created_at,
    )


@api.post("/v1/charger-groups", "chargers:write")
def create_charger_group(req: Request, body: ChargerGroupCreate) -> ChargerGroupView:
    """Adds a group of chargers, or a sub-group.

    Chargers come into it by their `charger_group_id`. Its drivers charge from the phone at its chargers and those of
    its sub-groups also where `charge_with_qr` is off.
    """
    operator_id = owning_operator(req, body.operator_id)
    parent = None if body.parent_id is None else service.get_group(req.ctx, body.parent_id)
    if body.parent_id is not None and (parent is None or parent.operator_id != operator_id):
        raise invalid("charger_group.unknown", f"The operator has no group {body.parent_id!r}.", "/parent_id")
    new = ChargerGroup(
        group_id=req.ctx.new_id("cgr"),
        operator_id=operator_id,
        name=shown_name(body.name),
        created_at=req.ctx.now(),
        description=body.description,
    )
    view = _with_etag(req, service.add_group(req.uow, new, parent))
    req.audit("charger_group", view.charger_group_id, owner_id=operator_id, after=view)
    return view


@api.get("/v1/charger-groups", "chargers:read")
def list_charger_groups(req: Request, query: ChargerGroupQuery) -> PageView[ChargerGroupView]:
    """The operator's groups and sub-groups, oldest first: a group always before those below it."""
    if query.parent_id is not None:
        owned_group(req, query.parent_id)
    page = service.list_groups(
        req.ctx,
        listed_operator(req, query.operator_id),
        keep=lambda group: query.parent_id in (None, group.parent_id) and has_words(query.q or "", group.name),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, group_view)


@api.get("/v1/charger-groups/{charger_group_id}", "chargers:read")
def get_charger_group(req: Request, charger_group_id: str) -> ChargerGroupView:
    """One group."""
    return _with_etag(req, owned_group(req, charger_group_id))


@api.patch("/v1/charger-groups/{charger_group_id}", "chargers:write")
def update_charger_group(req: Request, charger_group_id: str, body: ChargerGroupPatch) -> ChargerGroupView:
    """Changes a group (merge patch). With If-Match, only if nobody changed it since (412)."""
    group = owned_group(req, charger_group_id)
    check_revision(expected_revision(req), group.revision, "charger_group")
    changed = service.change_group(req.uow, group, with_shown_names(changes_of(body), "name"))
    view = _with_etag(req, changed)
    req.audit("charger_group", group.group_id, owner_id=group.operator_id, before=group_view(group), after=view)
    return view


@api.delete("/v1/charger-groups/{charger_group_id}", "chargers:write")
def delete_charger_group(req: Request, charger_group_id: str) -> None:
    """Removes a group that has no chargers and no sub-groups (409), with its memberships. It does not come back.

    With If-Match, only if nobody changed it since (412).
    """
    group = owned_group(req, charger_group_id)
    check_revision(expected_revision(req), group.revision, "charger_group")
    service.remove_group(req.uow, group)
    req.audit("charger_group", group.group_id, owner_id=group.operator_id, before=group_view(group))


def _with_etag(req: Request, group: ChargerGroup) -> ChargerGroupView:
    req.answer_headers["etag"] = etag_of(group.revision)
    return group_view(group)
