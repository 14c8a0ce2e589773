"""Invoices as documents: PDF for people, XML (EN 16931, UBL 2.1) for machines; the credit notes that correct them."""

from __future__ import annotations

from datetime import datetime

from chalicelib.identity import service as identity
from chalicelib.kernel.http import Answer, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api, new_id, pdf_answer, xml_answer
from chalicelib.settlement.api_operator.invoices import (
    CreditNoteView,
    ReferenceText,
    audit_credit_note,
    audit_invoice,
    credit_note_view,
    owned_invoice,
)
from chalicelib.settlement.model.einvoice import EInvoice, violations


class CreditNoteCreate(Shape):
    """Without `amount` (gross) all that is left of the invoice."""

    reason: ReferenceText
    amount: Money | None = None


class DocumentCheck(Shape):
    """`missing`: the rules of EN 16931 that the document breaks, by name; none: it may be sent as an e-invoice."""

    number: str
    missing: list[str]


class SentView(Shape):
    """`number` of the document, `to`: the enterprise's address. The mail goes out in a moment."""

    number: str
    to: str
    sent_at: datetime


@api.get("/v1/invoices/{invoice_id}/pdf", permission="enterprises:read")
def get_invoice_pdf(req: Request, invoice_id: str) -> Answer:
    """The invoice as PDF, as it was issued."""
    return pdf_answer(_document(req, invoice_id))


@api.get("/v1/invoices/{invoice_id}/xml", permission="enterprises:read")
def get_invoice_xml(req: Request, invoice_id: str) -> Answer:
    """The invoice as EN 16931 document in UBL 2.1."""
    return xml_answer(_document(req, invoice_id))


@api.get("/v1/invoices/{invoice_id}/check", permission="enterprises:read")
def check_invoice(req: Request, invoice_id: str) -> DocumentCheck:
    """What an e-invoice of EN 16931 would still need: mostly the seller's VAT identifier (`/v1/settings/invoicing`) and
    the buyer's country."""
    document = _document(req, invoice_id)
    return DocumentCheck(number=document.number, missing=violations(document))


@api.post("/v1/invoices/{invoice_id}/send", permission="enterprises:write", status=202, idempotency_key=True)
def send_invoice(req: Request, invoice_id: str) -> SentView:
    """Mail the invoice again, as PDF and as XML, to the address that the enterprise has now."""
    invoice = owned_invoice(req, invoice_id)
    send_id = new_id(req, "snd", invoice_id)
    to = service.send_invoice_again(req.uow, invoice, send_id=send_id)
    return _sent(req, send_id, invoice.operator_id, invoice.number, to)


@api.post(
    "/v1/invoices/{invoice_id}/credit-notes/{credit_note_id}/send",
    permission="enterprises:write",
    status=202,
    idempotency_key=True,
)
def send_credit_note(req: Request, invoice_id: str, credit_note_id: str) -> SentView:
    """Mail the credit note again, as PDF and as XML, to the address that the enterprise has now."""
    invoice = owned_invoice(req, invoice_id)
    note = service.find_credit_note(req.ctx, invoice, credit_note_id)
    send_id = new_id(req, "snd", credit_note_id)
    to = service.send_credit_note_again(req.uow, invoice, note, send_id=send_id)
    return _sent(req, send_id, note.operator_id, note.number, to)


@api.post("/v1/invoices/{invoice_id}/credit-notes", permission="enterprises:write", idempotency_key=True)
def create_credit_note(req: Request, invoice_id: str, body: CreditNoteCreate) -> CreditNoteView:
    """Takes back an invoice, or a part of it. What was not paid yet is owed no more; what was, is credit again."""
    invoice = owned_invoice(req, invoice_id)
    after, note = service.issue_credit_note(
        req.uow,
        invoice,
        credit_note_id=new_id(req, "crn", invoice_id),
        amount=body.amount,
        reason=body.reason,
        issued_by=req.actor.person_id,
    )
    audit_invoice(req, invoice, after)
    audit_credit_note(req, note)
    return credit_note_view(note)


@api.get("/v1/invoices/{invoice_id}/credit-notes", permission="enterprises:read")
def list_credit_notes(req: Request, invoice_id: str, query: PageQuery) -> PageView[CreditNoteView]:
    """What was taken back of an invoice, the first note first."""
    invoice = owned_invoice(req, invoice_id)
    page = service.list_credit_notes(req.ctx, invoice, limit=query.limit, cursor=query.cursor)
    return page_view(page, credit_note_view)


@api.get("/v1/invoices/{invoice_id}/credit-notes/{credit_note_id}/pdf", permission="enterprises:read")
def get_credit_note_pdf(req: Request, invoice_id: str, credit_note_id: str) -> Answer:
    """The credit note as PDF."""
    return pdf_answer(_credit(req, invoice_id, credit_note_id))


@api.get("/v1/invoices/{invoice_id}/credit-notes/{credit_note_id}/xml", permission="enterprises:read")
def get_credit_note_xml(req: Request, invoice_id: str, credit_note_id: str) -> Answer:
    """The credit note as EN 16931 document in UBL 2.1."""
    return xml_answer(_credit(req, invoice_id, credit_note_id))


def _sent(req: Request, send_id: str, operator_id: str, number: str, to: str) -> SentView:
    view = SentView(number=number, to=to, sent_at=req.ctx.now())
    req.audit("document_mail", send_id, owner_id=operator_id, after=view)
    return view


def _document(req: Request, invoice_id: str) -> EInvoice:
    invoice = owned_invoice(req, invoice_id)
    operator = identity.get_organization(req.ctx, invoice.operator_id)
    return service.document_of(req.ctx, operator, invoice)


def _credit(req: Request, invoice_id: str, credit_note_id: str) -> EInvoice:
    invoice = owned_invoice(req, invoice_id)
    return service.document_of_credit(service.find_credit_note(req.ctx, invoice, credit_note_id))
