"""Organisations: those of one's own subtree."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import (
    UNSET,
    CountryText,
    CurrencyText,
    NameText,
    PhoneText,
    State,
    Unset,
    ZoneText,
    api,
    changes_of,
    visible,
)
from chalicelib.identity.api_public import EmailText, LanguageText, PasswordText
from chalicelib.identity.model import Organization
from chalicelib.kernel.errors import forbidden
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view


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


def organization_view(organization: Organization) -> OrganizationView:
    return msgspec.convert(organization, OrganizationView, from_attributes=True)


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
    parent = service.get_organization(req.ctx, req.organization_id)
    organization, user = service.create_organization(req.uow, new, parent)
    view = msgspec.structs.asdict(organization_view(organization))
    return OrganizationCreatedView(**view, admin_user_id=user.user_id)


@api.get("/v1/organizations", permission="organizations:read")
def list_organizations(req: Request, query: PageQuery) -> PageView[OrganizationView]:
    """The platform's operators; for an operator, itself."""
    page = service.list_organizations(req.ctx, req.organization_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, organization_view)


@api.get("/v1/organizations/{organization_id}", permission="organizations:read")
def get_organization(req: Request, organization_id: str) -> OrganizationView:
    """One organisation."""
    return organization_view(visible(req, organization_id))


@api.patch("/v1/organizations/{organization_id}", permission="organizations:write")
def update_organization(req: Request, organization_id: str, body: OrganizationPatch) -> OrganizationView:
    """Changes an organisation. Only the platform may activate or deactivate one; the currency never changes."""
    organization = visible(req, organization_id)
    changes = changes_of(body)
    if "state" in changes and not req.actor.is_platform:
        raise forbidden("Only the platform activates and deactivates organisations.")
    service.update_organization(req.uow, organization, changes)
    return organization_view(replace(organization, **changes))
