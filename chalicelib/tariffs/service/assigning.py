"""What tariffs apply to, and which one applies: the nearest assignment wins.

Driver group, charger, charger group (sub-group before group), location, operator, organisations above (nearest first):
all candidates are one batch read. An assignment is of the organisation whose tariff it is, so nobody prices what is
another's; those above offer defaults, in the operator's currency only (decision 0044).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, conflict, not_found
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.tariffs.model import (
    AssignmentKind,
    PricePlace,
    Purpose,
    TariffAssignment,
    TariffHead,
    TariffVersion,
)
from chalicelib.tariffs.service.versions import get_tariff, mark_head
from chalicelib.tariffs.store import ASSIGNMENTS, TariffAssignmentRow, assignment_key, assignments_pk

Verdict = Literal["applies", "farther", "other_currency", "unusable"]
"""Of an assignment: it wins; a nearer one does; it is in another currency than the operator's; its tariff is gone."""

_WHOLE: Final = ("operator", "organization")


@dataclass(frozen=True)
class Candidate:
    """An assignment that reaches a place, and what became of it."""

    assignment: TariffAssignment
    tariff: TariffVersion | None
    verdict: Verdict


def resolve_tariff(ctx: Context, *, place: PricePlace, driver_groups: tuple[str, ...] = ()) -> TariffVersion:
    """The current version of the tariff that a driver pays there. Raises tariff.none: no tariff, no start."""
    tariff = find_applying(ctx, place=place, driver_groups=driver_groups)
    if tariff is None:
        raise DomainError("tariff.none", "No tariff applies at this charger; its operator must set one.", Kind.CONFLICT)
    return tariff


def find_applying(
    ctx: Context, *, place: PricePlace, driver_groups: tuple[str, ...] = (), purpose: Purpose = "selling"
) -> TariffVersion | None:
    """As `resolve_tariff`, of either purpose; None where none applies. One batch read, and usually one head."""
    for assignment in _assignments(ctx, place, driver_groups, purpose):
        tariff, verdict = _judged(ctx, assignment, place)
        if verdict == "applies":
            return tariff
    return None


def explain_tariff(
    ctx: Context, *, place: PricePlace, driver_groups: tuple[str, ...] = (), purpose: Purpose = "selling"
) -> list[Candidate]:
    """Every assignment that reaches the place, nearest first: the one that applies, and why the others do not."""
    candidates: list[Candidate] = []
    is_decided = False
    for assignment in _assignments(ctx, place, driver_groups, purpose):
        tariff, verdict = _judged(ctx, assignment, place)
        if verdict == "applies" and is_decided:
            verdict = "farther"
        is_decided = is_decided or verdict == "applies"
        candidates.append(Candidate(assignment, tariff, verdict))
    return candidates


def assign_tariff(uow: UnitOfWork, tariff: TariffVersion, *, kind: AssignmentKind, target_id: str) -> TariffAssignment:
    """Makes the tariff apply to the target, instead of what applied there for its purpose. That the target is its
    organisation's is the caller's to check. Raises tariff.assignment (409)."""
    if kind in _WHOLE and target_id != tariff.operator_id:
        raise conflict("tariff.assignment", "A tariff applies to chargers of its own operator.")
    if kind in ("driver_group", "organization") and tariff.purpose != "selling":
        raise conflict("tariff.purpose", "What energy costs is the operator's own, whoever buys it.")
    assignment = TariffAssignment(tariff.operator_id, kind, target_id, tariff.tariff_id, uow.ctx.now(), tariff.purpose)
    uow.put(ASSIGNMENTS, assignment)
    return assignment


def unassign_tariff(
    uow: UnitOfWork, *, operator_id: str, kind: AssignmentKind, target_id: str, purpose: Purpose = "selling"
) -> None:
    """Raises tariff_assignment.not_found."""
    uow.delete(
        ASSIGNMENTS,
        assignment_key(operator_id, kind, target_id, purpose),
        condition=TariffAssignmentRow.pk.exists(),
        on_conflict=not_found("tariff_assignment", f"{kind} {target_id}"),
    )


def delete_tariff(uow: UnitOfWork, head: TariffHead) -> TariffHead:
    """Takes a tariff out of use. Raises tariff.in_use (409) while it is assigned somewhere: what drivers pay there
    shall be somebody's decision. One that is assigned in the same moment applies nowhere."""
    own = ASSIGNMENTS.query_all(uow.ctx, assignments_pk(head.operator_id), consistent=True)
    used = next((assignment for assignment in own if assignment.tariff_id == head.tariff_id), None)
    if used is not None:
        where = f"{used.kind.replace('_', ' ')} {used.target_id}"
        raise conflict("tariff.in_use", f"It is assigned to {where}; assign another one there first.")
    return mark_head(uow, head, deleted_at=uow.ctx.now())


def get_assignment(
    ctx: Context, *, operator_id: str, kind: AssignmentKind, target_id: str, purpose: Purpose = "selling"
) -> TariffAssignment | None:
    return ASSIGNMENTS.get(ctx, *assignment_key(operator_id, kind, target_id, purpose))


def assigns_any(ctx: Context, operator_id: str, purpose: Literal["energy_cost"]) -> bool:
    """Has the operator a tariff for this purpose anywhere? The first one is seen a moment after it was assigned."""
    beginning = TariffAssignmentRow.sk.startswith(f"{purpose}#")
    return bool(ASSIGNMENTS.query(ctx, assignments_pk(operator_id), beginning, limit=1).data)


def list_assignments(
    ctx: Context,
    operator_id: str,
    *,
    keep: Callable[[TariffAssignment], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[TariffAssignment]:
    return page_of(ASSIGNMENTS.walk(ctx, assignments_pk(operator_id), cursor=cursor), limit, keep)


def _assignments(
    ctx: Context, place: PricePlace, driver_groups: tuple[str, ...], purpose: Purpose
) -> list[TariffAssignment]:
    keys = [
        assignment_key(owner_id, kind, target_id, purpose)
        for owner_id, kind, target_id in _targets(place, driver_groups if purpose == "selling" else ())
    ]
    return ASSIGNMENTS.batch_get(ctx, keys)


def _targets(place: PricePlace, driver_groups: tuple[str, ...]) -> Iterator[tuple[str, AssignmentKind, str]]:
    """Nearest first: who assigns, and what to."""
    operator_id = place.operator_id
    for driver_group_id in driver_groups:
        yield operator_id, "driver_group", driver_group_id
    yield operator_id, "charger", place.charger_id
    for charger_group_id in place.charger_group_ids:
        yield operator_id, "charger_group", charger_group_id
    if place.location_id is not None:
        yield operator_id, "location", place.location_id
    yield operator_id, "operator", operator_id
    for organization_id in place.above:
        yield organization_id, "organization", organization_id


def _judged(ctx: Context, assignment: TariffAssignment, place: PricePlace) -> tuple[TariffVersion | None, Verdict]:
    tariff = get_tariff(ctx, assignment.tariff_id)
    is_usable = (
        tariff is not None and tariff.operator_id == assignment.operator_id and tariff.purpose == assignment.purpose
    )
    if tariff is None or not is_usable:
        return tariff, "unusable"
    if assignment.kind == "organization" and tariff.currency != place.currency:
        return tariff, "other_currency"
    return tariff, "applies"
