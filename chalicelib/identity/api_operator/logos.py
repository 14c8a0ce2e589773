"""The logos of organisations: put by those who keep the organisation, shown to everybody (`api_public`)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import api, visible
from chalicelib.identity.api_operator.organizations import OrganizationView, organization_view
from chalicelib.identity.model import Organization
from chalicelib.identity.model.logos import MAX_LOGO_TEXT, LogoType, check_logo
from chalicelib.kernel.http import Request, Shape


class LogoPut(Shape):
    """`content`: the picture in base64, at most 100 KiB of it."""

    media_type: LogoType
    content: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LOGO_TEXT)]


class LogoRecord(Shape):
    """What the audit log keeps of a logo."""

    logo_digest: str | None


@api.put("/v1/organizations/{organization_id}/logo", permission="organizations:write")
def put_logo(req: Request, organization_id: str, body: LogoPut) -> OrganizationView:
    """Sets an organisation's logo."""
    organization = visible(req, organization_id)
    logo = check_logo(organization.organization_id, body.media_type, body.content)
    changed = service.put_logo(req.uow, organization, logo)
    _audit(req, organization, changed)
    return organization_view(req, changed)


@api.delete("/v1/organizations/{organization_id}/logo", permission="organizations:write")
def remove_logo(req: Request, organization_id: str) -> None:
    """Removes an organisation's logo."""
    organization = visible(req, organization_id)
    _audit(req, organization, service.remove_logo(req.uow, organization))


def _audit(req: Request, before: Organization, after: Organization) -> None:
    organization_id = before.organization_id
    req.audit(
        "organization",
        organization_id,
        owner_id=organization_id,
        before=LogoRecord(logo_digest=before.logo_digest),
        after=LogoRecord(logo_digest=after.logo_digest),
    )
