"""Users: the people of one's own organisation, and of those below it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import OfOrganization, State, api, named_or_own
from chalicelib.identity.api_operator.organizations import UserNameText
from chalicelib.identity.api_public import PasswordText
from chalicelib.identity.model import User
from chalicelib.identity.scope import may_see
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import UNSET, PageQuery, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.texts import EmailText, LanguageText, NameText, PhoneText

Ids = Annotated[list[Annotated[str, msgspec.Meta(min_length=1, max_length=60)]], msgspec.Meta(max_length=50)]
GroupIds = Annotated[list[str], msgspec.Meta(max_length=20)]
SomeGroupIds = Annotated[list[str], msgspec.Meta(min_length=1, max_length=20)]


class UserQuery(PageQuery):
    """`organization_id`: one below; one's own by default. `q`: words in name, e-mail, user name or phone."""

    organization_id: str | None = None
    state: State | None = None
    group_id: str | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


class UserCreate(Shape):
    """`region_ids`, `vending_point_ids`: where a user of an operator works; empty is everywhere."""

    email: EmailText
    full_name: NameText
    password: PasswordText | None = None
    user_name: UserNameText | None = None
    phone: PhoneText | None = None
    groups: GroupIds = msgspec.field(default_factory=list)
    language: LanguageText | None = None
    region_ids: Ids = msgspec.field(default_factory=list)
    vending_point_ids: Ids = msgspec.field(default_factory=list)


class UserPatch(Shape):
    full_name: NameText | Unset = UNSET
    user_name: UserNameText | Unset | None = UNSET
    phone: PhoneText | Unset | None = UNSET
    groups: SomeGroupIds | Unset = UNSET
    language: LanguageText | Unset = UNSET
    region_ids: Ids | Unset = UNSET
    vending_point_ids: Ids | Unset = UNSET
    state: State | Unset = UNSET


class UserView(Shape):
    user_id: str
    organization_id: str
    email: str
    full_name: str
    user_name: str | None
    phone: str | None
    groups: list[str]
    language: str
    region_ids: list[str]
    vending_point_ids: list[str]
    state: str
    created_at: datetime


def user_view(user: User) -> UserView:
    return msgspec.convert(user, UserView, from_attributes=True)


@api.post("/v1/users", permission="users:write")
def create_user(req: Request, query: OfOrganization, body: UserCreate) -> UserView:
    """Adds a user; without groups, an administrator. Nobody gives what they do not hold, nor places beyond their own.

    Without a password the user is mailed how to choose one. An address that already signs in keeps its password.
    """
    organization = named_or_own(req, query.organization_id)
    new = service.NewUser(
        email=body.email,
        full_name=body.full_name,
        password=body.password,
        groups=body.groups,
        language=body.language,
        user_name=body.user_name,
        phone=body.phone,
        region_ids=body.region_ids,
        vending_point_ids=body.vending_point_ids,
    )
    view = user_view(service.create_user(req.uow, organization, new, by=req.actor))
    req.audit("user", view.user_id, owner_id=view.organization_id, after=view)
    return view


@api.get("/v1/users", permission="users:read")
def list_users(req: Request, query: UserQuery) -> PageView[UserView]:
    """The users of an organisation, oldest first.

    A page may be short while matches are rare; go on with its cursor.
    """
    page = service.list_users(
        req.ctx,
        named_or_own(req, query.organization_id).organization_id,
        state=query.state,
        group_id=query.group_id,
        words=query.q,
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, user_view)


@api.get("/v1/users/{user_id}", permission="users:read")
def get_user(req: Request, user_id: str) -> UserView:
    """One user."""
    return user_view(visible_user(req, user_id))


@api.patch("/v1/users/{user_id}", permission="users:write")
def update_user(req: Request, user_id: str, body: UserPatch) -> UserView:
    """Changes a user, but never one's own groups, places or state.

    Only of users who may do no more than oneself, and work nowhere else; and it makes them neither.
    """
    return _changed(req, user_id, changes_of(body))


@api.delete("/v1/users/{user_id}", permission="users:write")
def deactivate_user(req: Request, user_id: str) -> None:
    """Takes all rights from a user; their name stays on what they did."""
    _changed(req, user_id, {"state": "inactive"})


@api.post("/v1/users/{user_id}/restore", permission="users:write", status=200)
def restore_user(req: Request, user_id: str) -> UserView:
    """Undoes the deactivation."""
    return _changed(req, user_id, {"state": "active"})


def _changed(req: Request, user_id: str, changes: dict[str, Any]) -> UserView:
    user = visible_user(req, user_id)
    organization = service.get_organization(req.ctx, user.organization_id)
    by = req.actor.user_id or ""
    changed = service.update_user(req.uow, user, organization, changes, by=by, actor=req.actor)
    view = user_view(changed)
    req.audit("user", user_id, owner_id=user.organization_id, before=user_view(user), after=view)
    return view


def visible_user(req: Request, user_id: str) -> User:
    """A user of the asker's subtree. Raises user.not_found (404)."""
    user = service.get_user(req.ctx, user_id)
    if not may_see(req, user.organization_id):
        raise not_found("user", user_id)
    return user
