"""Rows of contracts: they stand with their operator, beneficiaries have entries. Private to settlement."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table
from chalicelib.settlement.model import (
    Contract,
    ContractBook,
    ContractEntry,
    Terms,
)
from chalicelib.settlement.store.common import TABLE, operator_pk, organization_pk


class ContractRow(Row):
    """Contracts of an operator stand under its key: a statement reads them at once."""

    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    beneficiary_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    currency = UnicodeAttribute()
    created_at = MomentAttribute()
    terms = ValueAttribute(list[Terms])
    revision = NumberAttribute()


class ContractEntryRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    beneficiary_id = UnicodeAttribute()
    currency = UnicodeAttribute()


class ContractBookRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    revision = NumberAttribute()


def contract_sk(beneficiary_id: str, currency: str) -> str:
    return f"contract#{beneficiary_id}#{currency}"


CONTRACTS: Table[Contract] = Table(
    ContractRow,
    Contract,
    key=lambda contract: (operator_pk(contract.operator_id), contract_sk(contract.beneficiary_id, contract.currency)),
)


CONTRACT_ENTRIES: Table[ContractEntry] = Table(
    ContractEntryRow,
    ContractEntry,
    key=lambda entry: (
        organization_pk(entry.beneficiary_id),
        contract_sk(entry.operator_id, entry.currency),
    ),
)


CONTRACT_BOOKS: Table[ContractBook] = Table(
    ContractBookRow, ContractBook, key=lambda book: (operator_pk(book.operator_id), "contracts")
)
