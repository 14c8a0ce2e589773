"""Organisations and users, for those who run them. An operator sees itself; the platform sees all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_public import EmailText, LanguageText, PasswordText
from chalicelib.identity.model import PLATFORM_ID, Organization, User
from chalicelib.identity.permissions import ALL_PERMISSIONS, GROUPS
from chalicelib.kernel.errors import forbidden, not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.table import Page

api = Api("organizations", "operator")

NameText = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
PhoneText = Annotated[str, msgspec.Meta(min_length=3, max_length=32)]
CountryText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2.")]
CurrencyText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217.")]
ZoneText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="IANA time zone.")]
State = Literal["active", "inactive"]
Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class AdminCreate(Shape):
    email: EmailText
    full_name: NameText
    password: PasswordText | None = None


class OrganizationCreate(Shape):
    name: NameText
    email: EmailText
    currency: CurrencyText
    time_zone: ZoneText
    admin: AdminCreate
    kind: Literal["operator"] = "operator"
    language: LanguageText = "en"
    country: CountryText | None = None
    phone: PhoneText | None = None


class OrganizationPatch(Shape):
    name: NameText | Unset = UNSET
    email: EmailText | Unset = UNSET
    time_zone: ZoneText | Unset = UNSET
    language: LanguageText | Unset = UNSET
    country: CountryText | Unset | None = UNSET
    phone: PhoneText | Unset | None = UNSET
    state: State | Unset = UNSET


class OrganizationView(Shape):
    organization_id: str
    kind: str
    parent_id: str | None
    name: str
    email: str
    currency: str
    time_zone: str
    language: str
    country: str | None
    phone: str | None
    state: str
    created_at: datetime


class OrganizationCreatedView(OrganizationView):
    admin_user_id: str


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


class UserGroupView(Shape):
    group_id: str
    name: str
    permissions: list[str]


class UserGroupsView(Shape):
    data: list[UserGroupView]


def _organization_view(organization: Organization) -> OrganizationView:
    return msgspec.convert(organization, OrganizationView, from_attributes=True)


def _user_view(user: User) -> UserView:
    return msgspec.convert(user, UserView, from_attributes=True)


def _changes(body: Shape) -> dict[str, Any]:
    """What a merge patch names; null clears (RFC 7396)."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}


def _visible(req: Request, organization_id: str) -> Organization:
    if not req.actor.is_platform and organization_id != req.organization_id:
        raise not_found("organization", organization_id)
    return service.get_organization(req.ctx, organization_id)


@api.post("/v1/organizations", permission="organizations:create")
def create_organization(req: Request, body: OrganizationCreate) -> OrganizationCreatedView:
    """Opens an operator with its first administrator.

    Without a password the administrator is mailed how to choose one.
    """
    admin = service.NewUser(email=body.admin.email, full_name=body.admin.full_name, password=body.admin.password)
    new = service.NewOrganization(
        name=body.name,
        email=body.email,
        currency=body.currency,
        time_zone=body.time_zone,
        language=body.language,
        country=body.country,
        phone=body.phone,
        admin=admin,
    )
    organization, user = service.create_organization(req.uow, new)
    view = msgspec.structs.asdict(_organization_view(organization))
    return OrganizationCreatedView(**view, admin_user_id=user.user_id)


@api.get("/v1/organizations", permission="organizations:read")
def list_organizations(req: Request, query: PageQuery) -> PageView[OrganizationView]:
    """The platform's operators; for an operator, itself."""
    if req.actor.is_platform:
        page = service.list_organizations(req.ctx, PLATFORM_ID, limit=query.limit, cursor=query.cursor)
    else:
        page = Page([service.get_organization(req.ctx, req.organization_id)])
    return page_view(page, _organization_view)


@api.get("/v1/organizations/{organization_id}", permission="organizations:read")
def get_organization(req: Request, organization_id: str) -> OrganizationView:
    """One organisation."""
    return _organization_view(_visible(req, organization_id))


@api.patch("/v1/organizations/{organization_id}", permission="organizations:write")
def update_organization(req: Request, organization_id: str, body: OrganizationPatch) -> OrganizationView:
    """Changes an organisation. Only the platform may activate or deactivate one; the currency never changes."""
    organization = _visible(req, organization_id)
    changes = _changes(body)
    if "state" in changes and not req.actor.is_platform:
        raise forbidden("Only the platform activates and deactivates organisations.")
    service.update_organization(req.uow, organization, changes)
    return _organization_view(replace(organization, **changes))


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
    return _user_view(service.create_user(req.uow, organization, new))


@api.get("/v1/users", permission="users:read")
def list_users(req: Request, query: PageQuery) -> PageView[UserView]:
    """The users of one's own organisation."""
    page = service.list_users(req.ctx, req.organization_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, _user_view)


@api.get("/v1/users/{user_id}", permission="users:read")
def get_user(req: Request, user_id: str) -> UserView:
    """One user of one's own organisation."""
    return _user_view(_own_user(req, user_id))


@api.patch("/v1/users/{user_id}", permission="users:write")
def update_user(req: Request, user_id: str, body: UserPatch) -> UserView:
    """Changes a user of one's own organisation, but never one's own groups or state."""
    user = _own_user(req, user_id)
    organization = service.get_organization(req.ctx, req.organization_id)
    changes = _changes(body)
    service.update_user(req.uow, user, organization.kind, changes, by=req.actor.user_id or "")
    return _user_view(replace(user, **changes))


@api.get("/v1/user-groups", permission="users:read")
def list_user_groups(req: Request) -> UserGroupsView:
    """The groups that users of one's own organisation may be in."""
    kind = req.actor.organization_kind
    groups = [group for group in GROUPS.values() if group.organization_kind == kind]
    return UserGroupsView(
        data=[
            UserGroupView(
                group_id=group.group_id,
                name=group.name,
                permissions=sorted(ALL_PERMISSIONS if "*" in group.permissions else group.permissions),
            )
            for group in groups
        ]
    )


def _own_user(req: Request, user_id: str) -> User:
    user = service.get_user(req.ctx, user_id)
    if user.organization_id != req.organization_id:
        raise not_found("user", user_id)
    return user
