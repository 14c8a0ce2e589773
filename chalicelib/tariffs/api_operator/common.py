"""What the endpoints of prices share: the declared API, and whose tariff it is."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.identity import service as identity
from chalicelib.identity.scope import may_see, owning_operator
from chalicelib.kernel.errors import conflict, not_found
from chalicelib.kernel.http import Api, Request
from chalicelib.tariffs import service
from chalicelib.tariffs.model import TariffHead, TariffVersion

api = Api("tariffs", "operator")

IdText = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


def price_owner(req: Request, operator_id: str | None) -> str:
    """Whose a new tariff is: an operator's, or the platform's own, which it offers to all (decision 0044). Raises
    those of `owning_operator`."""
    if req.actor.is_platform and operator_id == req.organization_id:
        return req.organization_id
    return owning_operator(req, operator_id)


def readable_tariff(req: Request, tariff_id: str) -> TariffVersion:
    """Raises those of `readable_head`, tariff.deleted (409)."""
    return _current(req, readable_head(req, tariff_id))


def readable_head(req: Request, tariff_id: str) -> TariffHead:
    """Also one of an organisation above an operator: its drivers may pay it. Raises tariff.not_found."""
    head = service.find_head(req.ctx, tariff_id)
    is_operator = req.actor.organization_kind == "operator"
    if head is not None and is_operator and head.operator_id in identity.lineage_of(req.ctx, req.organization_id):
        return head
    return owned_head(req, tariff_id)


def owned_tariff(req: Request, tariff_id: str) -> TariffVersion:
    """Raises tariff.not_found, tariff.deleted (409)."""
    return _current(req, owned_head(req, tariff_id))


def owned_head(req: Request, tariff_id: str) -> TariffHead:
    """Also of a deleted one. Raises tariff.not_found."""
    head = service.find_head(req.ctx, tariff_id)
    if head is None or not may_see(req, head.operator_id):
        raise not_found("tariff", tariff_id)
    return head


def _current(req: Request, head: TariffHead) -> TariffVersion:
    if head.deleted_at is not None:
        raise conflict("tariff.deleted", "This tariff was deleted; restore it first.")
    return service.get_version(req.ctx, head.tariff_id, head.version)
