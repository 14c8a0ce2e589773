"""Rows of withdrawals, and of the list of those that wait. Private to settlement."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table
from chalicelib.settlement.model import (
    OpenWithdrawal,
    Withdrawal,
    WithdrawalEntry,
)
from chalicelib.settlement.store.common import TABLE, of_organization, organization_pk


class WithdrawalRow(Row):
    class Meta:
        table_name = TABLE

    withdrawal_id = UnicodeAttribute()
    organization_id = UnicodeAttribute()
    number = UnicodeAttribute()
    state = UnicodeAttribute()
    amount = MoneyAttribute()
    method = UnicodeAttribute()
    requested_at = MomentAttribute()
    requested_by = UnicodeAttribute()
    requested_login = UnicodeAttribute()
    revision = NumberAttribute()
    bank_account = ValueAttribute(BankAccount, null=True)
    decided_at = MomentAttribute(null=True)
    decided_by = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    paid_at = MomentAttribute(null=True)
    reference = UnicodeAttribute(null=True)


class WithdrawalEntryRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    withdrawal_id = UnicodeAttribute()


class OpenWithdrawalRow(Row):
    """All withdrawals that somebody has to see to."""

    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    withdrawal_id = UnicodeAttribute()


OPEN_WITHDRAWALS_PK = "open_withdrawals"


def withdrawal_pk(withdrawal_id: str) -> str:
    return f"withdrawal#{withdrawal_id}"


WITHDRAWALS: Table[Withdrawal] = Table(
    WithdrawalRow, Withdrawal, key=lambda withdrawal: (withdrawal_pk(withdrawal.withdrawal_id), "withdrawal")
)


WITHDRAWAL_ENTRIES: Table[WithdrawalEntry] = Table(
    WithdrawalEntryRow,
    WithdrawalEntry,
    key=lambda entry: (organization_pk(entry.organization_id), f"withdrawal#{entry.withdrawal_id}"),
)


OPEN_WITHDRAWALS: Table[OpenWithdrawal] = Table(
    OpenWithdrawalRow,
    OpenWithdrawal,
    key=lambda entry: (OPEN_WITHDRAWALS_PK, of_organization(entry.organization_id, entry.withdrawal_id)),
)
