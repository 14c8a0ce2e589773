"""What the endpoints of identity share: the Api, the words of their shapes, and who is below whom."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from chalicelib.identity import service
from chalicelib.identity.model import Organization
from chalicelib.identity.scope import visible_organization
from chalicelib.kernel.http import Api, Request, Shape

api = Api("organizations", "operator")

NameText = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
PhoneText = Annotated[str, msgspec.Meta(min_length=3, max_length=32)]
CountryText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2.")]
CurrencyText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217.")]
ZoneText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="IANA time zone.")]
State = Literal["active", "inactive"]
Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


def changes_of(body: Shape) -> dict[str, Any]:
    """What a merge patch names; null clears (RFC 7396)."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}


def visible(req: Request, organization_id: str) -> Organization:
    """An organisation of the asker's subtree. Raises organization.not_found (404)."""
    return service.get_organization(req.ctx, visible_organization(req, organization_id))


def named_or_own(req: Request, organization_id: str | None) -> Organization:
    """The organisation that a list or a new object is about: the asker's own unless one of the subtree is named."""
    return visible(req, req.organization_id if organization_id is None else organization_id)
