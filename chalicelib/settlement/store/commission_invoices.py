"""Rows of commission invoices: they stand with the operator that is billed, by month; those in whose name they are
issued have entries. Private to settlement."""

from __future__ import annotations

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table
from chalicelib.settlement.model import MonthRun
from chalicelib.settlement.model.commission_invoices import CommissionInvoice, CommissionInvoiceEntry, RatePart
from chalicelib.settlement.model.einvoice import Party
from chalicelib.settlement.store.common import TABLE, operator_pk, organization_pk
from chalicelib.settlement.store.invoices import MonthRunRow


class CommissionInvoiceRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    beneficiary_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    month = UnicodeAttribute()
    kind = UnicodeAttribute()
    is_credit = BooleanAttribute()
    number = UnicodeAttribute()
    issued_at = MomentAttribute()
    issue_date = UnicodeAttribute()
    net = NumberAttribute()
    tax = NumberAttribute()
    gross = NumberAttribute()
    seller = ValueAttribute(Party)
    buyer = ValueAttribute(Party)
    parts = ValueAttribute(list[RatePart])
    settlement_ids = ValueAttribute(list[str])
    preceding = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)


class CommissionInvoiceEntryRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    beneficiary_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    month = UnicodeAttribute()


def commission_invoice_sk(month: str = "", party_id: str = "", currency: str = "") -> str:
    """Without a party, what all keys of a month begin with; without a month, what all do. `party_id`: the other one."""
    rest = "".join(f"{part}#" for part in (month, party_id) if part)
    return f"commission_invoice#{rest}{currency}"


def commission_month_sk(month: str) -> str:
    return f"commission_run#{month}"


COMMISSION_INVOICES: Table[CommissionInvoice] = Table(
    CommissionInvoiceRow,
    CommissionInvoice,
    key=lambda invoice: (
        operator_pk(invoice.operator_id),
        commission_invoice_sk(invoice.month, invoice.beneficiary_id, invoice.currency),
    ),
)


COMMISSION_INVOICE_ENTRIES: Table[CommissionInvoiceEntry] = Table(
    CommissionInvoiceEntryRow,
    CommissionInvoiceEntry,
    key=lambda entry: (
        organization_pk(entry.beneficiary_id),
        commission_invoice_sk(entry.month, entry.operator_id, entry.currency),
    ),
)


COMMISSION_MONTHS: Table[MonthRun] = Table(
    MonthRunRow, MonthRun, key=lambda run: (operator_pk(run.operator_id), commission_month_sk(run.month))
)
