"""How an organisation shows itself, for everybody: the driver's app asks before anybody signs in. Nothing else of an
organisation is told here; whether one exists is no secret, its id is on its chargers' labels."""

from __future__ import annotations

from typing import Final

from chalicelib.identity import service
from chalicelib.identity.api_operator.organizations import logo_url
from chalicelib.identity.model import Organization
from chalicelib.identity.service import settings
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Answer, Api, Request, Shape

api = Api("brand", "public")

KEPT: Final = "public, max-age=3600"
"""How long browsers show a logo without asking again; a new one has a new address (`logo_url`)."""


class BrandView(Shape):
    """`languages` is empty where every language there is may be chosen; `language` is the one to begin with."""

    organization_id: str
    display_name: str
    primary_color: str | None
    logo_url: str | None
    support_email: str | None
    support_phone: str | None
    website: str | None
    language: str
    languages: list[str]


@api.get("/v1/organizations/{organization_id}/brand")
def get_brand(req: Request, organization_id: str) -> BrandView:
    """How an organisation shows itself to drivers."""
    organization = _existing(req, organization_id)
    brand = settings.brand_of(req.ctx, organization)
    req.answer_headers["cache-control"] = "public, max-age=60"
    return BrandView(
        organization_id=organization.organization_id,
        display_name=brand.display_name or organization.name,
        primary_color=brand.primary_color,
        logo_url=logo_url(req, organization),
        support_email=brand.support_email,
        support_phone=brand.support_phone,
        website=brand.website,
        language=organization.language,
        languages=settings.languages_of(req.ctx, organization_id),
    )


@api.get("/v1/organizations/{organization_id}/logo")
def get_logo(req: Request, organization_id: str) -> Answer:
    """An organisation's logo, as the picture itself."""
    logo = service.find_logo(req.ctx, organization_id)
    if logo is None:
        raise not_found("logo", organization_id)
    return Answer(
        logo.picture,
        headers={
            "content-type": logo.media_type,
            "etag": f'"{logo.digest}"',
            "cache-control": KEPT,
            # Whatever the bytes are, they are shown as this picture and run nothing.
            "x-content-type-options": "nosniff",
            "content-security-policy": "default-src 'none'; sandbox",
        },
    )


def _existing(req: Request, organization_id: str) -> Organization:
    organization = service.find_organization(req.ctx, organization_id)
    if organization is None:
        raise not_found("organization", organization_id)
    return organization
