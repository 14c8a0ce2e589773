"""Users of one's own organisation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import (
    UNSET,
    NameText,
    State,
    Unset,
    api,
    changes_of,
)
from chalicelib.identity.api_public import EmailText, LanguageText, PasswordText
from chalicelib.identity.model import User
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view


class UserCreate(Shape):
    email: EmailText
    full_name: NameText
    password: PasswordText | None = None
    groups: Annotated[list[str], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    language: LanguageText | None = None


class UserPatch(Shape):
    full_name: NameText | Unset = UNSET
    groups: Annotated[list[str], msgspec.Meta(min_length=1, max_length=20)] | Unset = UNSET
    language: LanguageText | Unset = UNSET
    state: State | Unset = UNSET


class UserView(Shape):
    user_id: str
    organization_id: str
    email: str
    full_name: str
    groups: list[str]
    language: str
    state: str
    created_at: datetime


def user_view(user: User) -> UserView:
    return msgspec.convert(user, UserView, from_attributes=True)


@api.post("/v1/users", permission="users:write")
def create_user(req: Request, body: UserCreate) -> UserView:
    """Adds a user to one's own organisation; without groups, an administrator.

    Without a password the user is mailed how to choose one. An address that already signs in keeps its password.
    """
    organization = service.get_organization(req.ctx, req.organization_id)
    new = service.NewUser(
        email=body.email,
        full_name=body.full_name,
        password=body.password,
        groups=body.groups,
        language=body.language,
    )
    return user_view(service.create_user(req.uow, organization, new))


@api.get("/v1/users", permission="users:read")
def list_users(req: Request, query: PageQuery) -> PageView[UserView]:
    """The users of one's own organisation."""
    page = service.list_users(req.ctx, req.organization_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, user_view)


@api.get("/v1/users/{user_id}", permission="users:read")
def get_user(req: Request, user_id: str) -> UserView:
    """One user of one's own organisation."""
    return user_view(_own_user(req, user_id))


@api.patch("/v1/users/{user_id}", permission="users:write")
def update_user(req: Request, user_id: str, body: UserPatch) -> UserView:
    """Changes a user of one's own organisation, but never one's own groups or state."""
    user = _own_user(req, user_id)
    organization = service.get_organization(req.ctx, req.organization_id)
    changes = changes_of(body)
    service.update_user(req.uow, user, organization, changes, by=req.actor.user_id or "")
    return user_view(replace(user, **changes))


def _own_user(req: Request, user_id: str) -> User:
    user = service.get_user(req.ctx, user_id)
    if user.organization_id != req.organization_id:
        raise not_found("user", user_id)
    return user
