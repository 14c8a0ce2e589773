"""What tariffs apply to, and which one applies where, and why.

Here and not with the tariffs, because those know no chargers and no drivers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.chargers.scope import is_confined, owned_charger, owned_group, owned_location
from chalicelib.charging.service.pricing import price_place
from chalicelib.drivers import service as drivers
from chalicelib.drivers.api_operator.groups import owned_driver_group
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.identity.scope import OperatorPageQuery, check_works_everywhere, listed_operator
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Api, PageView, Request, Shape, page_view
from chalicelib.tariffs import service
from chalicelib.tariffs.api_operator.common import IdText, owned_tariff
from chalicelib.tariffs.api_operator.tariffs import TariffView, tariff_view
from chalicelib.tariffs.model import AssignmentKind, Purpose, TariffAssignment
from chalicelib.tariffs.service import Candidate, Verdict

api = Api("tariffs", "operator")

PurposeText = Annotated[Purpose, msgspec.Meta(description="What drivers pay, or what the operator pays for energy.")]


class Target(Shape):
    """At most one of them; none: everything of the operator."""

    charger_id: IdText | None = None
    charger_group_id: IdText | None = None
    location_id: IdText | None = None
    driver_group_id: IdText | None = None


class AssignmentPut(Target, kw_only=True):
    """At most one of `charger_id`, `charger_group_id`, `location_id` and `driver_group_id`; none: everything of the
    operator, or, of a tariff of the platform, of all operators that have set nothing else."""

    tariff_id: IdText


class AssignmentQuery(Target):
    """What to take the tariff from; nothing named: everything of the operator."""

    purpose: PurposeText = "selling"
    operator_id: str | None = None


class AssignmentsQuery(OperatorPageQuery):
    """Those of one `purpose`, or of one tariff, or all."""

    purpose: PurposeText | None = None
    tariff_id: IdText | None = None


class EffectiveQuery(Shape):
    """Where, and who charges: nobody in particular, or a driver of the operator's list."""

    charger_id: IdText
    driver_id: IdText | None = None
    purpose: PurposeText = "selling"


class AssignmentView(Shape):
    """`kind`: what it is about. `organization`: what an organisation above offers to the operators below it."""

    kind: AssignmentKind
    purpose: Purpose
    tariff_id: str
    operator_id: str
    charger_id: str | None
    charger_group_id: str | None
    location_id: str | None
    driver_group_id: str | None
    assigned_at: datetime


class CandidateView(Shape):
    """An assignment that reaches the charger. `verdict`: it `applies`; one that is nearer does (`farther`); it is in
    `other_currency` than the operator counts in; its tariff is `unusable`."""

    assignment: AssignmentView
    tariff_name: str | None
    verdict: Verdict


class EffectiveView(Shape):
    """`tariff` null: none applies, and nobody can start. `candidates` are nearest first."""

    charger_id: str
    purpose: Purpose
    tariff: TariffView | None
    candidates: list[CandidateView]


@api.put("/v1/tariff-assignments", "tariffs:write")
def assign_tariff(req: Request, body: AssignmentPut) -> AssignmentView:
    """Makes a tariff apply to a driver group, a charger, a group of chargers, a location, or all of the operator.

    The nearest wins, in this order. Charging sessions that run keep the price that they started with.
    """
    tariff = owned_tariff(req, body.tariff_id)
    kind, named_id = _named(body, tariff.operator_id)
    target_id = _checked_target(req, kind, named_id, tariff.operator_id)
    former = service.get_assignment(
        req.ctx, operator_id=tariff.operator_id, kind=kind, target_id=target_id, purpose=tariff.purpose
    )
    assigned = service.assign_tariff(req.uow, tariff, kind=kind, target_id=target_id)
    _audit(req, former, assigned)
    return assignment_view(assigned)


@api.get("/v1/tariff-assignments", "tariffs:read")
def list_tariff_assignments(req: Request, query: AssignmentsQuery) -> PageView[AssignmentView]:
    """What the operator's tariffs apply to."""
    page = service.list_assignments(
        req.ctx,
        listed_operator(req, query.operator_id),
        keep=lambda found: query.purpose in (None, found.purpose) and query.tariff_id in (None, found.tariff_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, assignment_view)


@api.delete("/v1/tariff-assignments", "tariffs:write")
def unassign_tariff(req: Request, query: AssignmentQuery) -> None:
    """Takes the tariff from where it was assigned: the next nearest applies there."""
    operator_id = listed_operator(req, query.operator_id)
    kind, target_id = _named(query, operator_id)
    if is_confined(req) or req.actor.is_narrowed:
        _checked_target(req, kind, target_id, operator_id)
    former = service.get_assignment(
        req.ctx, operator_id=operator_id, kind=kind, target_id=target_id, purpose=query.purpose
    )
    service.unassign_tariff(req.uow, operator_id=operator_id, kind=kind, target_id=target_id, purpose=query.purpose)
    _audit(req, former, None)


@api.get("/v1/tariff-assignments/effective", "tariffs:read")
def get_effective_tariff(req: Request, query: EffectiveQuery) -> EffectiveView:
    """Which tariff applies at a charger now, for everybody or for one driver, and why: what it won against."""
    charger = owned_charger(req, query.charger_id)
    groups: tuple[str, ...] = ()
    if query.driver_id is not None:
        driver = drivers.get_driver(req.ctx, query.driver_id)
        if driver is None or not drivers.is_linked(req.ctx, charger.operator_id, query.driver_id):
            raise not_found("driver", query.driver_id)
        groups = drivers.groups_at(driver.groups, charger.operator_id)
    candidates = service.explain_tariff(
        req.ctx, place=price_place(req.ctx, charger), driver_groups=groups, purpose=query.purpose
    )
    winner = next((found.tariff for found in candidates if found.verdict == "applies"), None)
    return EffectiveView(
        charger_id=charger.charger_id,
        purpose=query.purpose,
        tariff=None if winner is None else tariff_view(winner),
        candidates=[_candidate_view(found) for found in candidates],
    )


def assignment_view(assignment: TariffAssignment) -> AssignmentView:
    def named(kind: AssignmentKind) -> str | None:
        return assignment.target_id if assignment.kind == kind else None

    return AssignmentView(
        kind=assignment.kind,
        purpose=assignment.purpose,
        tariff_id=assignment.tariff_id,
        operator_id=assignment.operator_id,
        charger_id=named("charger"),
        charger_group_id=named("charger_group"),
        location_id=named("location"),
        driver_group_id=named("driver_group"),
        assigned_at=assignment.assigned_at,
    )


def _candidate_view(found: Candidate) -> CandidateView:
    return CandidateView(
        assignment=assignment_view(found.assignment),
        tariff_name=None if found.tariff is None else found.tariff.name,
        verdict=found.verdict,
    )


def _named(target: Target, owner_id: str) -> tuple[AssignmentKind, str]:
    """Raises assignment.target (422) for several."""
    named: list[tuple[AssignmentKind, str]] = []
    if target.charger_id is not None:
        named.append(("charger", target.charger_id))
    if target.charger_group_id is not None:
        named.append(("charger_group", target.charger_group_id))
    if target.location_id is not None:
        named.append(("location", target.location_id))
    if target.driver_group_id is not None:
        named.append(("driver_group", target.driver_group_id))
    if len(named) > 1:
        raise invalid("assignment.target", "Name one thing that the tariff applies to.", f"/{named[1][0]}_id")
    whole: AssignmentKind = "organization" if owner_id == PLATFORM_ID else "operator"
    return named[0] if named else (whole, owner_id)


def _checked_target(req: Request, kind: AssignmentKind, target_id: str, owner_id: str) -> str:
    """The id of a thing of this operator's that the asker sees, as it is written. What counts at more places than
    those where somebody works is not for them. Raises not_found (404), forbidden (403)."""
    if kind == "charger":
        charger = owned_charger(req, target_id)
        target_id, found_owner = charger.charger_id, charger.operator_id
    elif kind == "location":
        found_owner = owned_location(req, target_id).operator_id
    else:
        check_works_everywhere(req)
        found_owner = owner_id
        if kind == "charger_group":
            found_owner = owned_group(req, target_id).operator_id
        elif kind == "driver_group":
            found_owner = owned_driver_group(req, target_id).operator_id
    if found_owner != owner_id:
        raise not_found(kind, target_id)
    return target_id


def _audit(req: Request, former: TariffAssignment | None, current: TariffAssignment | None) -> None:
    """The object is the place, whichever tariff applies there."""
    known = current or former
    if known is not None:
        prefix = "" if known.purpose == "selling" else f"{known.purpose}#"
        req.audit(
            "tariff_assignment",
            f"{prefix}{known.kind}:{known.target_id}",
            owner_id=known.operator_id,
            before=None if former is None else assignment_view(former),
            after=None if current is None else assignment_view(current),
        )
