"""Groups of users, and what they may do."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chalicelib.identity.api_operator.common import OfOrganization, api, named_or_own
from chalicelib.identity.model import Organization
from chalicelib.identity.permissions import PERMISSIONS, is_default, locked, within
from chalicelib.identity.scope import check_works_everywhere
from chalicelib.identity.service import groups
from chalicelib.identity.service.groups import KnownGroup
from chalicelib.kernel.http import UNSET, PageView, Request, Shape, Unset, changes_of
from chalicelib.kernel.revisions import etag_of, expected_revision
from chalicelib.kernel.texts import NameText

PermissionNames = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=2 * len(PERMISSIONS))
]
DescriptionText = Annotated[str, msgspec.Meta(max_length=300)]


class PermissionView(Shape):
    """`default_on`: ticked in what a screen offers for a new group; those of the section `system` are not."""

    name: str
    section: str
    title: str
    default_on: bool


class UserGroupCreate(Shape):
    name: NameText
    description: DescriptionText = ""
    permissions: PermissionNames = msgspec.field(default_factory=list)


class UserGroupReplace(Shape):
    name: NameText
    permissions: PermissionNames
    description: DescriptionText = ""


class UserGroupPatch(Shape):
    name: NameText | Unset = UNSET
    description: DescriptionText | Unset = UNSET
    permissions: PermissionNames | Unset = UNSET


class UserGroupView(Shape):
    """`built_in`: the product brings it; `changed`: the organisation has its own copy of it, which DELETE undoes.
    `locked_permissions` cannot be taken from it."""

    group_id: str
    name: str
    description: str
    permissions: list[str]
    locked_permissions: list[str]
    built_in: bool
    changed: bool
    revision: int


@api.get("/v1/permissions", permission="user_groups:read")
def list_permissions(req: Request, query: OfOrganization) -> PageView[PermissionView]:
    """Every permission that users of an organisation may hold, in the order of the screens. All on one page."""
    kind = named_or_own(req, query.organization_id).kind
    return PageView(
        data=[
            PermissionView(
                name=permission.name,
                section=permission.section,
                title=permission.title,
                default_on=is_default(permission),
            )
            for permission in PERMISSIONS.values()
            if kind in permission.kinds
        ],
        has_more=False,
    )


@api.get("/v1/user-groups", permission="user_groups:read")
def list_user_groups(req: Request, query: OfOrganization) -> PageView[UserGroupView]:
    """The groups that users of an organisation may be in: the built-in ones, then its own. All on one page."""
    organization = named_or_own(req, query.organization_id)
    known = groups.list_groups(req.ctx, organization)
    return PageView(data=[_view(organization, group) for group in known], has_more=False)


@api.post("/v1/user-groups", permission="user_groups:write")
def create_user_group(req: Request, query: OfOrganization, body: UserGroupCreate) -> UserGroupView:
    """Makes a group. It may do nothing but what is ticked, and nobody ticks what they do not hold."""
    check_works_everywhere(req)
    organization = named_or_own(req, query.organization_id)
    group = groups.create_group(
        req.uow,
        organization,
        req.actor,
        name=body.name,
        description=body.description,
        permissions=body.permissions,
    )
    return _answer(req, organization, None, group)


@api.get("/v1/user-groups/{group_id}", permission="user_groups:read")
def get_user_group(req: Request, group_id: str, query: OfOrganization) -> UserGroupView:
    """One group."""
    organization = named_or_own(req, query.organization_id)
    group = groups.get_group(req.ctx, organization, group_id)
    req.answer_headers["etag"] = etag_of(group.group.revision)
    return _view(organization, group)


@api.put("/v1/user-groups/{group_id}", permission="user_groups:write")
def replace_user_group(req: Request, group_id: str, query: OfOrganization, body: UserGroupReplace) -> UserGroupView:
    """Changes a group as a whole; of a built-in one the organisation gets a copy of its own.

    With If-Match, only if the group is still the one with that ETag (412). What it may do counts for everybody in it
    within half a minute.
    """
    return _change(req, group_id, query, msgspec.structs.asdict(body))


@api.patch("/v1/user-groups/{group_id}", permission="user_groups:write")
def update_user_group(req: Request, group_id: str, query: OfOrganization, body: UserGroupPatch) -> UserGroupView:
    """Changes what is named of a group; otherwise like PUT."""
    return _change(req, group_id, query, changes_of(body))


@api.delete("/v1/user-groups/{group_id}", permission="user_groups:write")
def remove_user_group(req: Request, group_id: str, query: OfOrganization) -> None:
    """Removes a group that nobody is in any more; a changed built-in one becomes again what it was."""
    check_works_everywhere(req)
    organization = named_or_own(req, query.organization_id)
    known = groups.get_group(req.ctx, organization, group_id)
    left = groups.remove_group(req.uow, organization, known, req.actor, expected_revision(req))
    req.audit(
        "user_group",
        group_id,
        owner_id=organization.organization_id,
        before=_view(organization, known),
        after=None if left is None else _view(organization, left),
    )


def _change(req: Request, group_id: str, query: OfOrganization, changes: dict[str, Any]) -> UserGroupView:
    check_works_everywhere(req)
    organization = named_or_own(req, query.organization_id)
    known = groups.get_group(req.ctx, organization, group_id)
    changed = groups.change_group(req.uow, organization, known, req.actor, changes, expected_revision(req))
    return _answer(req, organization, known, changed)


def _answer(req: Request, organization: Organization, before: KnownGroup | None, after: KnownGroup) -> UserGroupView:
    view = _view(organization, after)
    req.answer_headers["etag"] = etag_of(after.group.revision)
    req.audit(
        "user_group",
        view.group_id,
        owner_id=organization.organization_id,
        before=None if before is None else _view(organization, before),
        after=view,
    )
    return view


def _view(organization: Organization, known: KnownGroup) -> UserGroupView:
    group = known.group
    return UserGroupView(
        group_id=group.group_id,
        name=group.name,
        description=group.description,
        permissions=sorted(within(group.permissions, organization.kind)),
        locked_permissions=sorted(locked(group.group_id, organization.kind)),
        built_in=known.built_in,
        changed=known.changed,
        revision=group.revision,
    )
