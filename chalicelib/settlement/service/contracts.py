"""Use cases of contracts between an operator and those who get a part of its income.

All changes of an operator's contracts go through one counter (`ContractBook`), so that two that are agreed at once
cannot give away more than there is together; and on the condition that the first day of the change has no run yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.settlement.model import (
    MAX_CONTRACTS,
    Contract,
    ContractBook,
    ContractEntry,
    ContractKind,
    Terms,
    check_percents,
    ended,
    with_terms,
)
from chalicelib.settlement.service.days import first_day_without_run
from chalicelib.settlement.store.common import operator_pk, organization_pk
from chalicelib.settlement.store.contracts import (
    CONTRACT_BOOKS,
    CONTRACT_ENTRIES,
    CONTRACTS,
    ContractBookRow,
    ContractEntryRow,
    ContractRow,
    contract_sk,
)
from chalicelib.settlement.store.runs import RUNS, RunRow, run_sk

_IS_CONTRACT = ContractRow.sk.startswith("contract#")


def find_contract(ctx: Context, contract_id: str) -> Contract | None:
    """By `<operator>.<beneficiary>.<currency>`."""
    parts = contract_id.split(".")
    return CONTRACTS.get(ctx, operator_pk(parts[0]), contract_sk(parts[1], parts[2])) if len(parts) == 3 else None


def contracts_of(ctx: Context, operator_id: str) -> Iterator[Contract]:
    """All of an operator's contracts. Strongly consistent."""
    return CONTRACTS.query_all(ctx, operator_pk(operator_id), _IS_CONTRACT, consistent=True)


def list_contracts(ctx: Context, operator_id: str, *, limit: int, cursor: str | None) -> Page[Contract]:
    return CONTRACTS.query(ctx, operator_pk(operator_id), _IS_CONTRACT, limit=limit, cursor=cursor)


def list_contracts_for(ctx: Context, beneficiary_id: str, *, limit: int, cursor: str | None) -> Page[Contract]:
    """Those by which an organisation gets something."""
    entries = CONTRACT_ENTRIES.walk(
        ctx, organization_pk(beneficiary_id), ContractEntryRow.sk.startswith("contract#"), cursor=cursor
    )
    found = follow(
        ctx,
        entries,
        CONTRACTS,
        lambda entry: (operator_pk(entry.operator_id), contract_sk(entry.beneficiary_id, entry.currency)),
    )
    return page_of(found, limit)


def make_contract(
    uow: UnitOfWork, operator: Organization, *, beneficiary_id: str, kind: ContractKind, currency: str, terms: Terms
) -> Contract:
    """A new contract. Raises contract.exists, contract.too_many, contract.settled (409), contract.percent_sum,
    contract.valid_to (422)."""
    contract = Contract(operator.organization_id, beneficiary_id, kind, currency, uow.ctx.now())
    if find_contract(uow.ctx, contract.contract_id) is not None:
        raise conflict("contract.exists", "There is such a contract: give it further terms.")
    others, first_day = _open_book(uow, operator)
    if len(others) >= MAX_CONTRACTS:
        raise conflict("contract.too_many", f"An operator has at most {MAX_CONTRACTS} contracts.")
    contract = with_terms(contract, terms, first_day)
    check_percents([*others, contract], first_day)
    _expect_unsettled(uow, operator, terms.valid_from)
    uow.create(CONTRACTS, contract)
    uow.create(CONTRACT_ENTRIES, ContractEntry(contract.operator_id, beneficiary_id, currency))
    return contract


def change_terms(uow: UnitOfWork, operator: Organization, contract: Contract, terms: Terms) -> Contract:
    """Further terms, from a day on that is not settled. Raises like `make_contract`, contract.terms_full (409)."""
    others, first_day = _open_book(uow, operator)
    changed = with_terms(contract, terms, first_day)
    check_percents([changed, *_without(others, contract)], first_day)
    _expect_unsettled(uow, operator, terms.valid_from)
    return _save(uow, contract, changed)


def end_contract(uow: UnitOfWork, operator: Organization, contract: Contract, last_day: str) -> Contract:
    """Raises contract.settled (409) for a day before the last settled one."""
    _, first_day = _open_book(uow, operator)
    changed = ended(contract, last_day, first_day)
    _expect_unsettled(uow, operator, max(last_day, first_day))
    return _save(uow, contract, changed)


def _open_book(uow: UnitOfWork, operator: Organization) -> tuple[list[Contract], str]:
    """The operator's contracts as they are together, and the first day that can be agreed upon. The counter is read
    before them: whoever changes one in between makes the commit fail."""
    operator_id = operator.organization_id
    book = CONTRACT_BOOKS.get(uow.ctx, operator_pk(operator_id), "contracts")
    if book is None:
        uow.create(CONTRACT_BOOKS, ContractBook(operator_id, 1))
    else:
        uow.put(
            CONTRACT_BOOKS,
            replace(book, revision=book.revision + 1),
            condition=ContractBookRow.revision == book.revision,
            on_conflict=StaleRead("The contracts"),
        )
    return list(contracts_of(uow.ctx, operator_id)), first_day_without_run(uow.ctx, operator)


def _expect_unsettled(uow: UnitOfWork, operator: Organization, from_day: str) -> None:
    """Nobody opens the run of the first day that changes, until the commit: runs read contracts after they are open."""
    key = (operator_pk(operator.organization_id), run_sk(from_day))
    uow.check(RUNS, key, RunRow.pk.does_not_exist(), StaleRead("The settlement run"))


def _without(contracts: list[Contract], contract: Contract) -> list[Contract]:
    return [other for other in contracts if other.contract_id != contract.contract_id]


def _save(uow: UnitOfWork, before: Contract, after: Contract) -> Contract:
    saved = replace(after, revision=before.revision + 1)
    unmoved = ContractRow.revision == before.revision
    uow.put(CONTRACTS, saved, condition=unmoved, on_conflict=StaleRead("The contract"))
    return saved
