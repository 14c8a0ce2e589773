"""Rows of credit notes: beside the invoice that they correct. Private to settlement."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table
from chalicelib.settlement.model.credit_notes import CreditNote
from chalicelib.settlement.model.einvoice import Party
from chalicelib.settlement.model.invoices import TaxPart
from chalicelib.settlement.store.common import TABLE
from chalicelib.settlement.store.invoices import invoice_pk


class CreditNoteRow(Row):
    class Meta:
        table_name = TABLE

    credit_note_id = UnicodeAttribute()
    number = UnicodeAttribute()
    invoice_id = UnicodeAttribute()
    invoice_number = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    enterprise_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    issued_at = MomentAttribute()
    issue_date = UnicodeAttribute()
    net = NumberAttribute()
    tax = NumberAttribute()
    gross = NumberAttribute()
    reason = UnicodeAttribute()
    issued_by = UnicodeAttribute()
    seller = ValueAttribute(Party)
    buyer = ValueAttribute(Party)
    rates = ValueAttribute(list[TaxPart])


def credit_note_sk(credit_note_id: str) -> str:
    return f"credit_note#{credit_note_id}"


CREDIT_NOTES: Table[CreditNote] = Table(
    CreditNoteRow, CreditNote, key=lambda note: (invoice_pk(note.invoice_id), credit_note_sk(note.credit_note_id))
)
