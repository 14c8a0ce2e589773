"""Enterprises and their credit: the limit is an entry of the ledger in the same commit as the enterprise's row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.drivers.model.enterprises import (
    Enterprise,
    EnterpriseEntry,
    EnterpriseState,
    credit_line_entry,
)
from chalicelib.drivers.store import (
    ENTERPRISE_ENTRIES,
    ENTERPRISES,
    EnterpriseEntryRow,
    EnterpriseRow,
    enterprise_key,
    enterprises_pk,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, conflict, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, Step, follow, page_of
from chalicelib.kernel.searching import has_words
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger

_CHUNK = 100


def create_enterprise(uow: UnitOfWork, enterprise: Enterprise) -> Enterprise:
    """Adds an enterprise and gives it its credit."""
    uow.create(ENTERPRISES, enterprise)
    uow.create(ENTERPRISE_ENTRIES, EnterpriseEntry(enterprise.operator_id, enterprise.enterprise_id))
    _grant(uow, enterprise, enterprise.credit_limit)
    return enterprise


def find_enterprise(ctx: Context, enterprise_id: str, *, consistent: bool = True) -> Enterprise | None:
    return ENTERPRISES.get(ctx, *enterprise_key(enterprise_id), consistent=consistent)


def require_enterprise(ctx: Context, enterprise_id: str) -> Enterprise:
    """Raises enterprise.not_found."""
    enterprise = find_enterprise(ctx, enterprise_id)
    if enterprise is None:
        raise not_found("enterprise", enterprise_id)
    return enterprise


def list_enterprises(
    ctx: Context, operator_id: str, *, state: EnterpriseState | None, words: str, limit: int, cursor: str | None
) -> Page[Enterprise]:
    """An operator's enterprises, oldest first. Every one of `words` occurs in name, e-mail or tax number."""

    def keep(enterprise: Enterprise) -> bool:
        is_such = state in (None, enterprise.state)
        return is_such and has_words(words, enterprise.name, enterprise.email, enterprise.tax_number)

    entries = ENTERPRISE_ENTRIES.walk(ctx, enterprises_pk(operator_id), _IS_ENTRY, cursor=cursor, chunk=_CHUNK)
    return page_of(_enterprises_of(ctx, entries), limit, keep)


def enterprises_of(ctx: Context, operator_id: str) -> Iterator[Enterprise]:
    """All of an operator's enterprises, inactive ones too: they still owe what they used."""
    entries = ENTERPRISE_ENTRIES.walk(ctx, enterprises_pk(operator_id), _IS_ENTRY, chunk=_CHUNK)
    return (enterprise for enterprise, _ in _enterprises_of(ctx, entries))


def change_enterprise(uow: UnitOfWork, enterprise: Enterprise, changes: Mapping[str, Any]) -> Enterprise:
    """Applies changes by field name (None removes) and returns the enterprise as it will be.

    Raises enterprise.limit_in_use (409) for a `credit_limit` below what is open.
    """
    changed = replace(enterprise, **changes)
    if changed == enterprise:
        return enterprise
    changed = replace(changed, revision=enterprise.revision + 1)
    uow.put(
        ENTERPRISES,
        changed,
        condition=EnterpriseRow.revision == enterprise.revision,
        on_conflict=StaleRead("The enterprise"),
    )
    _grant(uow, changed, changed.credit_limit - enterprise.credit_limit)
    return changed


def free_credit(ctx: Context, enterprise: Enterprise, *, consistent: bool = True) -> Money:
    """What of the limit is neither held, nor used, nor invoiced and unpaid."""
    return ledger.balance(ctx, enterprise.account_id, consistent=consistent)


def _grant(uow: UnitOfWork, enterprise: Enterprise, by: int) -> None:
    if not by:
        return
    try:
        ledger.post(uow, credit_line_entry(enterprise, by=by, now=uow.ctx.now()))
    except DomainError as error:
        if error.code != "ledger.insufficient_funds":
            raise
        used = Money(enterprise.credit_limit - by, enterprise.currency) - free_credit(uow.ctx, enterprise)
        raise conflict("enterprise.limit_in_use", f"{used} of the credit are in use: no lower limit.") from None


def _enterprises_of(ctx: Context, entries: Iterator[Step[EnterpriseEntry]]) -> Iterator[Step[Enterprise]]:
    return follow(ctx, entries, ENTERPRISES, lambda entry: enterprise_key(entry.enterprise_id))


_IS_ENTRY = EnterpriseEntryRow.sk.startswith("enterprise#")
