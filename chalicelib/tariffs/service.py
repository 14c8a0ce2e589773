"""Use cases of tariffs: write versions, assign them, find the one that applies.

Changing a tariff makes a new version; a charging session keeps the one that it started with. The nearest assignment
wins: charger, then location, then operator.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, conflict, not_found
from chalicelib.kernel.money import CostRounding, check_currency
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.tariffs.model import (
    NEAREST_FIRST,
    TO_THE_MINOR_UNIT,
    AssignmentKind,
    TariffAssignment,
    TariffElement,
    TariffHead,
    TariffVersion,
    check_elements,
)
from chalicelib.tariffs.store import (
    ASSIGNMENTS,
    HEADS,
    VERSIONS,
    TariffAssignmentRow,
    TariffHeadRow,
    assignment_key,
    assignments_pk,
    head_key,
    version_key,
)

MAX_VERSIONS_BACK: Final = 50
_VERSION_CACHE_SIZE = 2048


def create_tariff(
    uow: UnitOfWork,
    *,
    operator_id: str,
    name: str,
    currency: str,
    tax_included: bool,
    elements: tuple[TariffElement, ...],
) -> TariffVersion:
    """Makes a tariff with its first version. Raises currency.invalid and what `check_elements` raises."""
    check_elements(elements)
    check_currency(currency)
    now = uow.ctx.now()
    tariff = TariffVersion(
        tariff_id=uow.ctx.new_id("trf"),
        version=1,
        operator_id=operator_id,
        name=name,
        currency=currency,
        tax_included=tax_included,
        elements=elements,
        created_at=now,
        rounding=_rounding_of(uow.ctx, operator_id, currency),
    )
    uow.create(VERSIONS, tariff)
    uow.create(HEADS, TariffHead(tariff.tariff_id, operator_id, 1, now))
    return tariff


def replace_tariff(
    uow: UnitOfWork,
    current: TariffVersion,
    *,
    name: str,
    tax_included: bool,
    elements: tuple[TariffElement, ...],
) -> TariffVersion:
    """Adds the version after `current` and makes it current. The currency stays: sessions and wallets depend on it.

    The same content again is no new version, unless the operator rounds otherwise by now.
    StaleRead if `current` is not the current one any more.
    """
    check_elements(elements)
    rounding = _rounding_of(uow.ctx, current.operator_id, current.currency)
    changed = replace(current, name=name, tax_included=tax_included, elements=elements, rounding=rounding)
    if changed == current:
        return current
    now = uow.ctx.now()
    tariff = replace(changed, version=current.version + 1, created_at=now)
    uow.create(VERSIONS, tariff)
    uow.put(
        HEADS,
        TariffHead(tariff.tariff_id, tariff.operator_id, tariff.version, now),
        condition=TariffHeadRow.version == current.version,
        name="tariff head",
    )
    return tariff


def renew_tariff(uow: UnitOfWork, tariff_id: str) -> None:
    """A version that rounds as its operator does by now, if the current one does not."""
    current = get_tariff(uow.ctx, tariff_id)
    if current is not None:
        elements = current.elements
        replace_tariff(uow, current, name=current.name, tax_included=current.tax_included, elements=elements)


def _rounding_of(ctx: Context, operator_id: str, currency: str) -> CostRounding:
    """The operator's setting speaks of its own currency; all others are rounded to the minor unit."""
    operator = identity.find_organization(ctx, operator_id)
    if operator is None or operator.currency != currency:
        return TO_THE_MINOR_UNIT
    return identity.rounding_of(ctx, operator_id)


def get_version(ctx: Context, tariff_id: str, version: int) -> TariffVersion:
    """A version, which never changes: warm processes remember it. Raises tariff.not_found."""
    cache = ctx.cache("tariffs.versions", size=_VERSION_CACHE_SIZE)
    tariff: TariffVersion | None = cache.get_or_load(
        (tariff_id, version), lambda: VERSIONS.get(ctx, *version_key(tariff_id, version))
    )
    if tariff is None:
        raise not_found("tariff", tariff_id)
    return tariff


def version_at(ctx: Context, current: TariffVersion, moment: datetime) -> TariffVersion:
    """The version that was the current one at that moment: for what a charger tells long after it happened. For a
    moment before the first version, or further back than MAX_VERSIONS_BACK, the oldest that was looked at."""
    tariff = current
    for _ in range(MAX_VERSIONS_BACK):
        if moment >= tariff.created_at or tariff.version == 1:
            break
        tariff = get_version(ctx, tariff.tariff_id, tariff.version - 1)
    return tariff


def get_tariff(ctx: Context, tariff_id: str) -> TariffVersion | None:
    """The current version."""
    head = HEADS.get(ctx, *head_key(tariff_id))
    return get_version(ctx, tariff_id, head.version) if head else None


def list_tariffs(ctx: Context, operator_id: str, *, limit: int, cursor: str | None) -> Page[TariffVersion]:
    """The current versions of an operator's tariffs, oldest tariff first."""
    steps = HEADS.walk(ctx, operator_id, index=TariffHeadRow.by_operator, cursor=cursor, chunk=limit)
    page = page_of(steps, limit)
    return Page([get_version(ctx, head.tariff_id, head.version) for head in page.data], page.next_cursor)


def resolve_tariff(ctx: Context, *, charger_id: str, location_id: str | None, operator_id: str) -> TariffVersion:
    """The current version of the tariff that applies at a charger. Raises tariff.none: no tariff, no start."""
    targets: dict[AssignmentKind, str | None] = {
        "charger": charger_id,
        "location": location_id,
        "operator": operator_id,
    }
    keys = [assignment_key(operator_id, kind, target) for kind in NEAREST_FIRST if (target := targets[kind])]
    for assignment in ASSIGNMENTS.batch_get(ctx, keys):
        tariff = get_tariff(ctx, assignment.tariff_id)
        if tariff is not None and tariff.operator_id == operator_id:
            return tariff
    raise DomainError("tariff.none", "No tariff applies at this charger; its operator must set one.", Kind.CONFLICT)


def assign_tariff(uow: UnitOfWork, tariff: TariffVersion, *, kind: AssignmentKind, target_id: str) -> TariffAssignment:
    """Makes the tariff apply to a charger, a location or the whole operator, instead of what applied there."""
    if kind == "operator" and target_id != tariff.operator_id:
        raise conflict("tariff.assignment", "A tariff applies to chargers of its own operator.")
    assignment = TariffAssignment(tariff.operator_id, kind, target_id, tariff.tariff_id, uow.ctx.now())
    uow.put(ASSIGNMENTS, assignment)
    return assignment


def unassign_tariff(uow: UnitOfWork, *, operator_id: str, kind: AssignmentKind, target_id: str) -> None:
    """Raises tariff_assignment.not_found."""
    uow.delete(
        ASSIGNMENTS,
        assignment_key(operator_id, kind, target_id),
        condition=TariffAssignmentRow.pk.exists(),
        on_conflict=not_found("tariff_assignment", f"{kind} {target_id}"),
    )


def get_assignment(ctx: Context, *, operator_id: str, kind: AssignmentKind, target_id: str) -> TariffAssignment | None:
    return ASSIGNMENTS.get(ctx, *assignment_key(operator_id, kind, target_id))


def list_assignments(ctx: Context, operator_id: str, *, limit: int, cursor: str | None) -> Page[TariffAssignment]:
    return page_of(ASSIGNMENTS.walk(ctx, assignments_pk(operator_id), cursor=cursor), limit)
