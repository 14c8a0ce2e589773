"""What the endpoints of identity share: the Api, states, and who is below whom."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chalicelib.identity import service
from chalicelib.identity.model import Organization
from chalicelib.identity.scope import visible_organization
from chalicelib.kernel.http import Api, Request, Shape

api = Api("organizations", "operator")

AddressText = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
State = Literal["active", "inactive"]


def visible(req: Request, organization_id: str) -> Organization:
    """An organisation of the asker's subtree. Raises organization.not_found (404)."""
    return service.get_organization(req.ctx, visible_organization(req, organization_id))


def named_or_own(req: Request, organization_id: str | None) -> Organization:
    """The organisation that a list or a new object is about: the asker's own unless one of the subtree is named."""
    return visible(req, req.organization_id if organization_id is None else organization_id)


class OfOrganization(Shape):
    """`organization_id`: one below; one's own by default."""

    organization_id: str | None = None
