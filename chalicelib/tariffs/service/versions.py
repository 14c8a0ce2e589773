"""Writing tariffs and finding their versions.

Changing a tariff makes a new version; a charging session keeps the one that it started with. Versions never change, so
that warm processes remember them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.money import CostRounding
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.tariffs.model import (
    TO_THE_MINOR_UNIT,
    Price,
    Purpose,
    TariffElement,
    TariffHead,
    TariffVersion,
    check_tariff,
)
from chalicelib.tariffs.store import HEADS, VERSIONS, TariffHeadRow, head_key, version_key

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
    purpose: Purpose = "selling",
    min_price: Price | None = None,
    max_price: Price | None = None,
    idle_grace_s: int = 0,
) -> TariffVersion:
    """Makes a tariff with its first version. Raises what `check_tariff` raises."""
    check_tariff(elements, currency, min_price=min_price, max_price=max_price, idle_grace_s=idle_grace_s)
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
        rounding=_rounding_of(uow.ctx, operator_id, currency, purpose),
        purpose=purpose,
        min_price=min_price,
        max_price=max_price,
        idle_grace_s=idle_grace_s,
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
    min_price: Price | None = None,
    max_price: Price | None = None,
    idle_grace_s: int = 0,
) -> TariffVersion:
    """Adds the version after `current` and makes it current. The currency stays: sessions and wallets depend on it.

    The same content again is no new version, unless the operator rounds otherwise by now.
    StaleRead if `current` is not the current one any more.
    """
    check_tariff(elements, current.currency, min_price=min_price, max_price=max_price, idle_grace_s=idle_grace_s)
    changed = replace(
        current,
        name=name,
        tax_included=tax_included,
        elements=elements,
        rounding=_rounding_of(uow.ctx, current.operator_id, current.currency, current.purpose),
        min_price=min_price,
        max_price=max_price,
        idle_grace_s=idle_grace_s,
    )
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
        replace_tariff(
            uow,
            current,
            name=current.name,
            tax_included=current.tax_included,
            elements=current.elements,
            min_price=current.min_price,
            max_price=current.max_price,
            idle_grace_s=current.idle_grace_s,
        )


def _rounding_of(ctx: Context, operator_id: str, currency: str, purpose: Purpose) -> CostRounding:
    """The operator's setting speaks of what it asks drivers for in its own currency; all else is rounded to the minor
    unit."""
    if purpose != "selling":
        return TO_THE_MINOR_UNIT
    operator = identity.find_organization(ctx, operator_id)
    if operator is None or operator.currency != currency:
        return TO_THE_MINOR_UNIT
    return identity.rounding_of(ctx, operator_id)


def get_version(ctx: Context, tariff_id: str, version: int) -> TariffVersion:
    """A version, which never changes: warm processes remember it. Raises tariff_version.not_found."""
    cache = ctx.cache("tariffs.versions", size=_VERSION_CACHE_SIZE)
    tariff: TariffVersion | None = cache.get_or_load(
        (tariff_id, version), lambda: VERSIONS.get(ctx, *version_key(tariff_id, version))
    )
    if tariff is None:
        raise not_found("tariff_version", f"{tariff_id}, version {version}")
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
    """The current version; None of a tariff that was deleted, too."""
    head = find_head(ctx, tariff_id)
    return get_version(ctx, tariff_id, head.version) if head is not None and head.deleted_at is None else None


def find_head(ctx: Context, tariff_id: str) -> TariffHead | None:
    return HEADS.get(ctx, *head_key(tariff_id))


def restore_tariff(uow: UnitOfWork, head: TariffHead) -> TariffHead:
    """It may be assigned again."""
    return mark_head(uow, head, deleted_at=None)


def mark_head(uow: UnitOfWork, head: TariffHead, *, deleted_at: datetime | None) -> TariffHead:
    marked = replace(head, deleted_at=deleted_at)
    uow.put(HEADS, marked, condition=TariffHeadRow.version == head.version, name="tariff head")
    return marked


def list_tariffs(ctx: Context, operator_id: str, *, limit: int, cursor: str | None) -> Page[TariffVersion]:
    """An operator's tariffs in their current versions, oldest tariff first."""
    page = list_heads(ctx, operator_id, limit=limit, cursor=cursor)
    return Page([tariff for _, tariff in page.data], page.next_cursor)


def list_heads(
    ctx: Context,
    operator_id: str,
    *,
    purpose: Purpose | None = None,
    deleted: bool = False,
    limit: int,
    cursor: str | None,
) -> Page[tuple[TariffHead, TariffVersion]]:
    """As `list_tariffs`, of one `purpose` or of all, and with the heads; or those that were `deleted`."""
    heads = HEADS.walk(ctx, operator_id, index=TariffHeadRow.by_operator, cursor=cursor, chunk=limit)
    steps = ((head, place) for head, place in heads if (head.deleted_at is not None) == deleted)
    known = (((head, get_version(ctx, head.tariff_id, head.version)), place) for head, place in steps)
    return page_of(known, limit, lambda one: purpose in (None, one[1].purpose))
