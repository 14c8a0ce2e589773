"""Prices, for operators: tariffs and their versions, quotes, what a tariff applies to.

A change makes a new version; charging sessions keep the version that they started with. `If-Match` with the ETag of
a read refuses to overwrite what somebody else changed meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

import msgspec

from chalicelib.identity.model import check_time_zone, shown_name
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see, owning_operator
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Api, Moment, PageView, Request, Shape, check_moment, page_view
from chalicelib.kernel.money import Money, Rounding
from chalicelib.kernel.revisions import check_revision, etag_of, expected_revision
from chalicelib.kernel.texts import CurrencyText, NameText
from chalicelib.tariffs import rating, service
from chalicelib.tariffs.model import (
    AssignmentKind,
    Consumption,
    Dimension,
    PriceComponent,
    TariffAssignment,
    TariffElement,
    TariffVersion,
)

api = Api("tariffs", "operator")

PriceText = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$(?!\n)", description="Major units as a decimal string.")
]
PercentText = Annotated[
    str, msgspec.Meta(pattern=r"^(100|[0-9]{1,2}(\.[0-9]{1,4})?)$(?!\n)", description="Percent as a decimal string.")
]
StepSize = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="Wh for ENERGY, seconds for times.")]
IdText = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class PriceComponentShape(Shape):
    """OCPI PriceComponent: per kWh for ENERGY, per hour for TIME and PARKING_TIME, once for FLAT."""

    type: Dimension
    price: PriceText
    vat: PercentText | None = None
    step_size: StepSize = 1


class TariffElementShape(Shape):
    """OCPI TariffElement. Of several elements the first that prices a dimension counts for it."""

    price_components: Annotated[list[PriceComponentShape], msgspec.Meta(min_length=1, max_length=4)]


Elements = Annotated[list[TariffElementShape], msgspec.Meta(min_length=1, max_length=50)]


class TariffCreate(Shape):
    """`tax_included`: the prices contain their VAT; else it comes on top. `operator_id` is for the platform."""

    name: NameText
    currency: CurrencyText
    elements: Elements
    tax_included: bool = True
    operator_id: str | None = None


class TariffReplace(Shape):
    """A tariff keeps its currency."""

    name: NameText
    elements: Elements
    tax_included: bool = True


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
    tax_included: bool
    elements: list[TariffElementShape]
    rounding: CostRoundingView
    created_at: datetime


class VersionQuery(Shape):
    """An earlier `version`; the current one without it."""

    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


class QuoteCreate(Shape):
    """A what-if. `parking_s` is the part of `duration_s` without charging."""

    energy_wh: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    started_at: Moment
    duration_s: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)]
    parking_s: Annotated[int, msgspec.Meta(ge=0)] = 0
    time_zone: str = "UTC"


class CostLineView(Shape):
    dimension: Dimension
    quantity: str
    unit: str
    price: str
    vat: str | None
    amount: Money


class QuoteView(Shape):
    """`total` contains `tax`; the lines sum to `total`."""

    tariff_id: str
    version: int
    total: Money
    net: Money
    tax: Money
    lines: list[CostLineView]


class AssignmentPut(Shape):
    """At most one of `charger_id` and `location_id`; neither: everything of the operator."""

    tariff_id: IdText
    charger_id: IdText | None = None
    location_id: IdText | None = None


class AssignmentQuery(Shape):
    """What to take the tariff from; neither: everything of the operator."""

    charger_id: IdText | None = None
    location_id: IdText | None = None
    operator_id: str | None = None


class AssignmentView(Shape):
    kind: AssignmentKind
    tariff_id: str
    operator_id: str
    charger_id: str | None
    location_id: str | None
    assigned_at: datetime


def elements_view(tariff: TariffVersion) -> list[TariffElementShape]:
    """The price as OCPI writes it."""
    return [
        TariffElementShape(
            price_components=[
                PriceComponentShape(
                    type=component.type,
                    price=format(component.price, "f"),
                    vat=None if component.vat is None else format(component.vat, "f"),
                    step_size=component.step_size,
                )
                for component in element.price_components
            ]
        )
        for element in tariff.elements
    ]


def tariff_view(tariff: TariffVersion) -> TariffView:
    return TariffView(
        tariff_id=tariff.tariff_id,
        operator_id=tariff.operator_id,
        version=tariff.version,
        name=tariff.name,
        currency=tariff.currency,
        tax_included=tariff.tax_included,
        elements=elements_view(tariff),
        rounding=CostRoundingView(mode=tariff.rounding.mode, step=tariff.rounding.step),
        created_at=tariff.created_at,
    )


@api.post("/v1/tariffs", "tariffs:write")
def create_tariff(req: Request, body: TariffCreate) -> TariffView:
    """Makes a tariff. It applies nowhere until it is assigned."""
    tariff = service.create_tariff(
        req.uow,
        operator_id=owning_operator(req, body.operator_id),
        name=shown_name(body.name),
        currency=body.currency,
        tax_included=body.tax_included,
        elements=_elements(body.elements),
    )
    req.audit("tariff", tariff.tariff_id, owner_id=tariff.operator_id, after=tariff_view(tariff))
    return _with_etag(req, tariff)


@api.get("/v1/tariffs", "tariffs:read")
def list_tariffs(req: Request, query: OperatorPageQuery) -> PageView[TariffView]:
    """The operator's tariffs in their current versions, oldest tariff first."""
    operator_id = listed_operator(req, query.operator_id)
    return page_view(service.list_tariffs(req.ctx, operator_id, limit=query.limit, cursor=query.cursor), tariff_view)


@api.get("/v1/tariffs/{tariff_id}", "tariffs:read")
def get_tariff(req: Request, tariff_id: str, query: VersionQuery) -> TariffView:
    """One tariff: its current version, or an earlier one."""
    tariff = _owned_tariff(req, tariff_id)
    if query.version is not None:
        return tariff_view(service.get_version(req.ctx, tariff_id, query.version))
    return _with_etag(req, tariff)


@api.put("/v1/tariffs/{tariff_id}", "tariffs:write")
def replace_tariff(req: Request, tariff_id: str, body: TariffReplace) -> TariffView:
    """Changes a tariff: a new version, for charging sessions that start from now on.

    With If-Match, only if the current version is still the one with that ETag (412).
    """
    tariff = _owned_tariff(req, tariff_id)
    check_revision(expected_revision(req), tariff.version, "tariff")
    changed = service.replace_tariff(
        req.uow, tariff, name=shown_name(body.name), tax_included=body.tax_included, elements=_elements(body.elements)
    )
    before, after = tariff_view(tariff), tariff_view(changed)
    req.audit("tariff", tariff_id, owner_id=tariff.operator_id, before=before, after=after)
    return _with_etag(req, changed)


@api.post("/v1/tariffs/{tariff_id}/quotes", "tariffs:read", status=200, audited=False)
def quote_tariff(req: Request, tariff_id: str, body: QuoteCreate) -> QuoteView:
    """What a charge would cost: the same computation that bills it."""
    tariff = _owned_tariff(req, tariff_id)
    if body.parking_s > body.duration_s:
        raise invalid("quote.parking", "The parking time is a part of the duration.", "/parking_s")
    consumption = Consumption(
        started_at=check_moment(body.started_at, "/started_at"),
        ended_at=body.started_at + timedelta(seconds=body.duration_s),
        energy_wh=body.energy_wh,
        time_zone=check_time_zone(body.time_zone),
        parking_s=body.parking_s,
    )
    cost = rating.rate(tariff, consumption)
    return QuoteView(
        tariff_id=tariff.tariff_id,
        version=tariff.version,
        total=cost.total,
        net=cost.net,
        tax=cost.tax,
        lines=[
            CostLineView(
                dimension=line.dimension,
                quantity=format(line.quantity, "f"),
                unit=line.unit,
                price=format(line.price, "f"),
                vat=None if line.vat is None else format(line.vat, "f"),
                amount=line.amount,
            )
            for line in cost.lines
        ],
    )


@api.put("/v1/tariff-assignments", "tariffs:write")
def assign_tariff(req: Request, body: AssignmentPut) -> AssignmentView:
    """Makes a tariff apply to a charger, a location, or all of the operator; the nearest wins."""
    tariff = _owned_tariff(req, body.tariff_id)
    kind, target_id = _target(body.charger_id, body.location_id, tariff.operator_id)
    former = service.get_assignment(req.ctx, operator_id=tariff.operator_id, kind=kind, target_id=target_id)
    assigned = service.assign_tariff(req.uow, tariff, kind=kind, target_id=target_id)
    _audit_assignment(req, former, assigned)
    return _assignment_view(assigned)


@api.get("/v1/tariff-assignments", "tariffs:read")
def list_tariff_assignments(req: Request, query: OperatorPageQuery) -> PageView[AssignmentView]:
    """What the operator's tariffs apply to."""
    operator_id = listed_operator(req, query.operator_id)
    page = service.list_assignments(req.ctx, operator_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, _assignment_view)


@api.delete("/v1/tariff-assignments", "tariffs:write")
def unassign_tariff(req: Request, query: AssignmentQuery) -> None:
    """Takes the tariff from a charger, a location, or all of the operator: the next nearest applies there."""
    operator_id = listed_operator(req, query.operator_id)
    kind, target_id = _target(query.charger_id, query.location_id, operator_id)
    former = service.get_assignment(req.ctx, operator_id=operator_id, kind=kind, target_id=target_id)
    service.unassign_tariff(req.uow, operator_id=operator_id, kind=kind, target_id=target_id)
    _audit_assignment(req, former, None)


def _audit_assignment(req: Request, former: TariffAssignment | None, current: TariffAssignment | None) -> None:
    """The object is the place, whichever tariff applies there."""
    known = current or former
    if known is not None:
        req.audit(
            "tariff_assignment",
            f"{known.kind}:{known.target_id}",
            owner_id=known.operator_id,
            before=None if former is None else _assignment_view(former),
            after=None if current is None else _assignment_view(current),
        )


def _target(charger_id: str | None, location_id: str | None, operator_id: str) -> tuple[AssignmentKind, str]:
    if charger_id is not None and location_id is not None:
        raise invalid("assignment.target", "Name a charger or a location, not both.", "/location_id")
    if charger_id is not None:
        return "charger", charger_id
    if location_id is not None:
        return "location", location_id
    return "operator", operator_id


def _assignment_view(assignment: TariffAssignment) -> AssignmentView:
    return AssignmentView(
        kind=assignment.kind,
        tariff_id=assignment.tariff_id,
        operator_id=assignment.operator_id,
        charger_id=assignment.target_id if assignment.kind == "charger" else None,
        location_id=assignment.target_id if assignment.kind == "location" else None,
        assigned_at=assignment.assigned_at,
    )


def _elements(shapes: list[TariffElementShape]) -> tuple[TariffElement, ...]:
    return tuple(
        TariffElement(
            tuple(
                PriceComponent(
                    type=component.type,
                    price=Decimal(component.price),
                    vat=None if component.vat is None else Decimal(component.vat),
                    step_size=component.step_size,
                )
                for component in shape.price_components
            )
        )
        for shape in shapes
    )


def _with_etag(req: Request, tariff: TariffVersion) -> TariffView:
    req.answer_headers["etag"] = etag_of(tariff.version)
    return tariff_view(tariff)


def _owned_tariff(req: Request, tariff_id: str) -> TariffVersion:
    tariff = service.get_tariff(req.ctx, tariff_id)
    if tariff is None or not may_see(req, tariff.operator_id):
        raise not_found("tariff", tariff_id)
    return tariff
