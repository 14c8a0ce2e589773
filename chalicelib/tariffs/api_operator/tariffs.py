"""Tariffs and their versions.

A change makes a new version; charging sessions keep the version that they started with. `If-Match` with the ETag of
a read refuses to overwrite what somebody else changed meanwhile.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.identity.model import shown_name
from chalicelib.identity.scope import OperatorPageQuery, listed_operator
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.http import PageView, Request, Shape, page_view
from chalicelib.kernel.money import Rounding
from chalicelib.kernel.revisions import check_revision, etag_of, expected_revision
from chalicelib.kernel.texts import CurrencyText, NameText
from chalicelib.tariffs import service
from chalicelib.tariffs.api_operator.common import api, owned_head, owned_tariff, price_owner, readable_head
from chalicelib.tariffs.api_operator.shapes import (
    Elements,
    IdleGraceS,
    PriceShape,
    TariffElementShape,
    elements_of,
    elements_view,
    price_of,
    price_view,
)
from chalicelib.tariffs.model import Purpose, TariffHead, TariffVersion


class TariffCreate(Shape):
    """`tax_included`: the prices contain their VAT; else it comes on top. `purpose`: what drivers pay, or what the
    operator pays for the energy that it sells. `operator_id` is for the platform, whose own tariffs are what operators
    sell at that have set nothing else."""

    name: NameText
    currency: CurrencyText
    elements: Elements
    tax_included: bool = True
    min_price: PriceShape | None = None
    max_price: PriceShape | None = None
    idle_grace_s: IdleGraceS = 0
    purpose: Purpose = "selling"
    operator_id: str | None = None


class TariffReplace(Shape):
    """A tariff keeps its currency and its purpose: they may be named, as they are."""

    name: NameText
    elements: Elements
    tax_included: bool = True
    min_price: PriceShape | None = None
    max_price: PriceShape | None = None
    idle_grace_s: IdleGraceS = 0
    currency: CurrencyText | None = None
    purpose: Purpose | None = None


class CostRoundingView(Shape):
    """The operator's setting (`/v1/settings/rounding`) at the time of this version."""

    mode: Rounding
    step: int


class TariffView(Shape):
    tariff_id: str
    operator_id: str
    version: int
    name: str
    currency: str
    purpose: Purpose
    tax_included: bool
    elements: list[TariffElementShape]
    min_price: PriceShape | None
    max_price: PriceShape | None
    idle_grace_s: int
    rounding: CostRoundingView
    created_at: datetime
    deleted_at: datetime | None


class TariffsQuery(OperatorPageQuery):
    """Those of one `purpose`, or all. `state`: those in use, or those that were deleted."""

    purpose: Purpose | None = None
    state: Literal["active", "deleted"] = "active"


class VersionQuery(Shape):
    """An earlier `version`; the current one without it."""

    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


def tariff_view(tariff: TariffVersion, deleted_at: datetime | None = None) -> TariffView:
    return TariffView(
        tariff_id=tariff.tariff_id,
        operator_id=tariff.operator_id,
        version=tariff.version,
        name=tariff.name,
        currency=tariff.currency,
        purpose=tariff.purpose,
        tax_included=tariff.tax_included,
        elements=elements_view(tariff),
        min_price=price_view(tariff.min_price),
        max_price=price_view(tariff.max_price),
        idle_grace_s=tariff.idle_grace_s,
        rounding=CostRoundingView(mode=tariff.rounding.mode, step=tariff.rounding.step),
        created_at=tariff.created_at,
        deleted_at=deleted_at,
    )


@api.post("/v1/tariffs", "tariffs:write")
def create_tariff(req: Request, body: TariffCreate) -> TariffView:
    """Makes a tariff. It applies nowhere until it is assigned."""
    tariff = service.create_tariff(
        req.uow,
        operator_id=price_owner(req, body.operator_id),
        purpose=body.purpose,
        name=shown_name(body.name),
        currency=body.currency,
        tax_included=body.tax_included,
        elements=elements_of(body.elements),
        min_price=price_of(body.min_price),
        max_price=price_of(body.max_price),
        idle_grace_s=body.idle_grace_s,
    )
    req.audit("tariff", tariff.tariff_id, owner_id=tariff.operator_id, after=tariff_view(tariff))
    return _with_etag(req, tariff)


@api.get("/v1/tariffs", "tariffs:read")
def list_tariffs(req: Request, query: TariffsQuery) -> PageView[TariffView]:
    """The operator's tariffs in their current versions, oldest tariff first."""
    operator_id = listed_operator(req, query.operator_id)
    page = service.list_heads(
        req.ctx,
        operator_id,
        purpose=query.purpose,
        deleted=query.state == "deleted",
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, lambda known: tariff_view(known[1], known[0].deleted_at))


@api.get("/v1/tariffs/{tariff_id}", "tariffs:read")
def get_tariff(req: Request, tariff_id: str, query: VersionQuery) -> TariffView:
    """One tariff: its current version, or an earlier one. Operators also see those of the platform."""
    head = readable_head(req, tariff_id)
    if query.version is not None:
        return tariff_view(service.get_version(req.ctx, tariff_id, query.version), head.deleted_at)
    return _with_etag(req, service.get_version(req.ctx, tariff_id, head.version), head.deleted_at)


@api.put("/v1/tariffs/{tariff_id}", "tariffs:write")
def replace_tariff(req: Request, tariff_id: str, body: TariffReplace) -> TariffView:
    """Changes a tariff: a new version, for charging sessions that start from now on.

    With If-Match, only if the current version is still the one with that ETag (412).
    """
    tariff = owned_tariff(req, tariff_id)
    check_revision(expected_revision(req), tariff.version, "tariff")
    if body.currency not in (None, tariff.currency) or body.purpose not in (None, tariff.purpose):
        member = "currency" if body.currency not in (None, tariff.currency) else "purpose"
        raise conflict("tariff.fixed", f"A tariff keeps its {member}; make another tariff.", f"/{member}")
    changed = service.replace_tariff(
        req.uow,
        tariff,
        name=shown_name(body.name),
        tax_included=body.tax_included,
        elements=elements_of(body.elements),
        min_price=price_of(body.min_price),
        max_price=price_of(body.max_price),
        idle_grace_s=body.idle_grace_s,
    )
    before, after = tariff_view(tariff), tariff_view(changed)
    req.audit("tariff", tariff_id, owner_id=tariff.operator_id, before=before, after=after)
    return _with_etag(req, changed)


@api.delete("/v1/tariffs/{tariff_id}", "tariffs:write")
def delete_tariff(req: Request, tariff_id: str) -> None:
    """Takes a tariff out of use. It must be assigned nowhere (409). Running charges keep its price; `restore` brings it
    back."""
    head = owned_head(req, tariff_id)
    if head.deleted_at is None:
        _audit_mark(req, head, service.delete_tariff(req.uow, head))


@api.post("/v1/tariffs/{tariff_id}/restore", "tariffs:write", status=200)
def restore_tariff(req: Request, tariff_id: str) -> TariffView:
    """Brings a deleted tariff back. It applies nowhere until it is assigned."""
    head = owned_head(req, tariff_id)
    if head.deleted_at is not None:
        _audit_mark(req, head, service.restore_tariff(req.uow, head))
    return _with_etag(req, service.get_version(req.ctx, tariff_id, head.version))


def _audit_mark(req: Request, before: TariffHead, after: TariffHead) -> None:
    tariff = service.get_version(req.ctx, before.tariff_id, before.version)
    views = [tariff_view(tariff, head.deleted_at) for head in (before, after)]
    req.audit("tariff", before.tariff_id, owner_id=before.operator_id, before=views[0], after=views[1])


def _with_etag(req: Request, tariff: TariffVersion, deleted_at: datetime | None = None) -> TariffView:
    req.answer_headers["etag"] = etag_of(tariff.version)
    return tariff_view(tariff, deleted_at)
