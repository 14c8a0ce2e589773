"""What the endpoints of prices share: the declared API, and whose tariff it is."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.identity import service as identity
from chalicelib.identity.scope import may_see, owning_operator
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Api, Request
from chalicelib.tariffs import service
from chalicelib.tariffs.model import TariffVersion

api = Api("tariffs", "operator")

IdText = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


def price_owner(req: Request, operator_id: str | None) -> str:
    """Whose a new tariff is: an operator's, or the platform's own, which it offers to all (decision 0044). Raises
    those of `owning_operator`."""
    if req.actor.is_platform and operator_id == req.organization_id:
        return req.organization_id
    return owning_operator(req, operator_id)


def readable_tariff(req: Request, tariff_id: str) -> TariffVersion:
    """Also one of an organisation above an operator: its drivers may pay it. Raises tariff.not_found."""
    tariff = service.get_tariff(req.ctx, tariff_id)
    is_operator = req.actor.organization_kind == "operator"
    if tariff is not None and is_operator and tariff.operator_id in identity.lineage_of(req.ctx, req.organization_id):
        return tariff
    return owned_tariff(req, tariff_id)


def owned_tariff(req: Request, tariff_id: str) -> TariffVersion:
    tariff = service.get_tariff(req.ctx, tariff_id)
    if tariff is None or not may_see(req, tariff.operator_id):
        raise not_found("tariff", tariff_id)
    return tariff
