"""Use cases of credit notes: take back an invoice, whole or in part; find those of an invoice."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.settlement.model.credit_notes import CreditNote, credit_note_entry, credited, draft_credit_note
from chalicelib.settlement.model.invoices import INVOICE_LIFECYCLE, Invoice
from chalicelib.settlement.service.documents import parties_of
from chalicelib.settlement.service.mailing import mail_credit_note
from chalicelib.settlement.service.numbering import next_number
from chalicelib.settlement.store.credit_notes import CREDIT_NOTES, CreditNoteRow, credit_note_sk
from chalicelib.settlement.store.invoices import INVOICES, InvoiceRow, invoice_pk


def issue_credit_note(
    uow: UnitOfWork,
    invoice: Invoice,
    *,
    credit_note_id: str,
    amount: Money | None,
    reason: str,
    issued_by: str,
) -> tuple[Invoice, CreditNote]:
    """Takes back `amount` of an invoice, or all that is left: note, number, invoice, ledger and mail in one commit.

    Raises invoice.illegal_transition (409), credit_note.currency, credit_note.amount, credit_note.nothing_left,
    credit_note.too_many.
    """
    ctx = uow.ctx
    operator = identity.get_organization(ctx, invoice.operator_id)
    of_invoice = CreditNoteRow.sk.startswith("credit_note#")
    notes = list(CREDIT_NOTES.query_all(ctx, invoice_pk(invoice.invoice_id), of_invoice, consistent=True))
    draft = draft_credit_note(
        invoice,
        notes,
        credit_note_id=credit_note_id,
        amount=amount,
        reason=reason,
        issued_by=issued_by,
        parties=parties_of(ctx, operator, invoice),
        now=ctx.now(),
        zone=operator.time_zone,
    )
    after = replace(credited(invoice, draft, ctx.now()), revision=invoice.revision + 1)
    note = replace(draft, number=next_number(uow, operator, "credit_note", draft.issue_date))
    uow.create(CREDIT_NOTES, note)
    uow.put(INVOICES, after, condition=InvoiceRow.revision == invoice.revision, on_conflict=StaleRead("The invoice"))
    ledger.post(uow, credit_note_entry(note))
    mail_credit_note(uow, invoice, note, to=invoice.email, dedupe_key=f"credit_note:{note.credit_note_id}")
    return after, note


def void_invoice(
    uow: UnitOfWork, invoice: Invoice, *, credit_note_id: str, reason: str, issued_by: str
) -> tuple[Invoice, CreditNote]:
    """Takes back an invoice for which nothing was paid, all that is left of it: nobody owes it any more.

    Raises invoice.illegal_transition (409) unless it is open, invoice.partly_paid (409).
    """
    INVOICE_LIFECYCLE.next(invoice.state, "voided")
    if invoice.paid:
        raise conflict("invoice.partly_paid", "Something was paid for this invoice already.")
    return issue_credit_note(
        uow, invoice, credit_note_id=credit_note_id, amount=None, reason=reason, issued_by=issued_by
    )


def find_credit_note(ctx: Context, invoice: Invoice, credit_note_id: str) -> CreditNote:
    """Raises credit_note.not_found."""
    note = CREDIT_NOTES.get(ctx, invoice_pk(invoice.invoice_id), credit_note_sk(credit_note_id))
    if note is None:
        raise not_found("credit_note", credit_note_id)
    return note


def list_credit_notes(ctx: Context, invoice: Invoice, *, limit: int, cursor: str | None) -> Page[CreditNote]:
    """Those of an invoice, the first one first."""
    return CREDIT_NOTES.query(
        ctx,
        invoice_pk(invoice.invoice_id),
        CreditNoteRow.sk.startswith("credit_note#"),
        limit=limit,
        cursor=cursor,
    )
