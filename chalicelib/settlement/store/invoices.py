"""Rows of invoices of enterprises. Private to settlement."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.table import Row, Table
from chalicelib.settlement.model import (
    Invoice,
    InvoiceEntry,
    InvoiceLine,
    InvoiceNumber,
    InvoicePayment,
    MonthRun,
    TaxPart,
)
from chalicelib.settlement.model.einvoice import Account, Party
from chalicelib.settlement.model.invoices import Series
from chalicelib.settlement.store.common import TABLE, operator_pk


class InvoiceRow(Row):
    class Meta:
        table_name = TABLE

    invoice_id = UnicodeAttribute()
    number = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    enterprise_id = UnicodeAttribute()
    month = UnicodeAttribute()
    state = UnicodeAttribute()
    currency = UnicodeAttribute()
    issued_at = MomentAttribute()
    issue_date = UnicodeAttribute()
    due_date = UnicodeAttribute()
    net = NumberAttribute()
    tax = NumberAttribute()
    gross = NumberAttribute()
    rates = ValueAttribute(list[TaxPart])
    line_count = NumberAttribute()
    lines_id = UnicodeAttribute()
    seller_name = UnicodeAttribute()
    name = UnicodeAttribute()
    email = UnicodeAttribute()
    paid = NumberAttribute()
    revision = NumberAttribute()
    tax_number = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)
    city = UnicodeAttribute(null=True)
    postal_code = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    closed_at = MomentAttribute(null=True)
    void_reason = UnicodeAttribute(null=True)
    credited = NumberAttribute(null=True)
    seller = ValueAttribute(Party, null=True)
    account = ValueAttribute(Account, null=True)
    note = UnicodeAttribute(null=True)


class InvoiceLineRow(Row):
    """Written before their invoice, under a name of their own: lines that no invoice names are nobody's."""

    class Meta:
        table_name = TABLE

    lines_id = UnicodeAttribute()
    cdr_id = UnicodeAttribute()
    session_id = UnicodeAttribute()
    order_no = UnicodeAttribute()
    driver_id = UnicodeAttribute()
    driver_name = UnicodeAttribute()
    id_token = UnicodeAttribute()
    location_id = UnicodeAttribute(null=True)
    location_name = UnicodeAttribute()
    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()
    started_at = MomentAttribute()
    ended_at = MomentAttribute()
    energy_wh = NumberAttribute()
    net = NumberAttribute()
    tax = NumberAttribute()
    gross = NumberAttribute()
    rates = ValueAttribute(list[TaxPart])


class InvoicePaymentRow(Row):
    class Meta:
        table_name = TABLE

    payment_id = UnicodeAttribute()
    invoice_id = UnicodeAttribute()
    amount = MoneyAttribute()
    reference = UnicodeAttribute()
    paid_at = MomentAttribute()
    recorded_at = MomentAttribute()
    recorded_by = UnicodeAttribute()


class InvoiceEntryRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    invoice_id = UnicodeAttribute()


class InvoiceNumberRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    year = UnicodeAttribute()
    last = NumberAttribute()
    series = UnicodeAttribute(null=True)


class MonthRunRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute()
    month = UnicodeAttribute()
    done_at = MomentAttribute()


def invoice_pk(invoice_id: str) -> str:
    return f"invoice#{invoice_id}"


def lines_pk(lines_id: str) -> str:
    return f"invoice_lines#{lines_id}"


def number_sk(year: str, series: Series = "invoice") -> str:
    return f"{series}_number#{year}"


INVOICES: Table[Invoice] = Table(InvoiceRow, Invoice, key=lambda invoice: (invoice_pk(invoice.invoice_id), "invoice"))


INVOICE_LINES: Table[InvoiceLine] = Table(
    InvoiceLineRow,
    InvoiceLine,
    key=lambda line: (lines_pk(line.lines_id), f"line#{to_rfc3339(line.started_at)}#{line.cdr_id}"),
)


INVOICE_PAYMENTS: Table[InvoicePayment] = Table(
    InvoicePaymentRow,
    InvoicePayment,
    key=lambda payment: (invoice_pk(payment.invoice_id), f"payment#{payment.payment_id}"),
)


INVOICE_ENTRIES: Table[InvoiceEntry] = Table(
    InvoiceEntryRow, InvoiceEntry, key=lambda entry: (operator_pk(entry.operator_id), f"invoice#{entry.invoice_id}")
)


INVOICE_NUMBERS: Table[InvoiceNumber] = Table(
    InvoiceNumberRow,
    InvoiceNumber,
    key=lambda number: (operator_pk(number.operator_id), number_sk(number.year, number.series)),
)


MONTH_RUNS: Table[MonthRun] = Table(
    MonthRunRow, MonthRun, key=lambda run: (operator_pk(run.operator_id), f"invoice_run#{run.month}")
)
