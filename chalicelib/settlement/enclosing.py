"""Documents of settlement as files that go with mails: invoices and credit notes for people (PDF) and for machines (EN
16931), statements for people.

Called by the relay with the ids that a queued mail names (`notifications`, which does not know settlement). Reads what
is stored, changes nothing. Raises not_found for a document that is gone.
"""

from __future__ import annotations

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.rest import PDF_TYPE
from chalicelib.notifications.model import File
from chalicelib.settlement import documents, service
from chalicelib.settlement.model import Invoice, Run, parse_settlement_id
from chalicelib.settlement.model.commission_invoices import document_of_commission
from chalicelib.settlement.model.einvoice import EInvoice


def enclose_invoice(ctx: Context, ids: tuple[str, ...]) -> list[File]:
    invoice = _invoice(ctx, ids[0])
    operator = identity.get_organization(ctx, invoice.operator_id)
    return _files(service.document_of(ctx, operator, invoice))


def enclose_credit_note(ctx: Context, ids: tuple[str, ...]) -> list[File]:
    invoice_id, credit_note_id = ids
    note = service.find_credit_note(ctx, _invoice(ctx, invoice_id), credit_note_id)
    return _files(service.document_of_credit(note))


def enclose_commission_invoice(ctx: Context, ids: tuple[str, ...]) -> list[File]:
    invoice = service.find_commission_invoice(ctx, ids[0])
    if invoice is None:
        raise not_found("commission_invoice", ids[0])
    return _files(document_of_commission(invoice))


def enclose_statement(ctx: Context, ids: tuple[str, ...]) -> list[File]:
    parsed = parse_settlement_id(ids[0])
    run = None if parsed is None else service.find_run(ctx, *parsed)
    if run is None:
        raise not_found("settlement", ids[0])
    return [statement_file(ctx, run)]


def statement_file(ctx: Context, run: Run) -> File:
    """The statement of a business day, with those deductions that the run has."""
    operator = identity.get_organization(ctx, run.operator_id)
    named = {deduction.beneficiary_id for line in run.lines for deduction in line.deductions}
    found = (identity.find_organization(ctx, organization_id) for organization_id in sorted(named))
    names = {each.organization_id: service.seller_of(ctx, each).name for each in found if each}
    platform = identity.find_organization(ctx, PLATFORM_ID)
    parties = None if platform is None else service.seller_of(ctx, platform), service.seller_of(ctx, operator)
    content = documents.statement_as_pdf(run, parties, operator.time_zone, names)
    return File(f"statement-{documents.statement_number(run).replace('/', '-')}.pdf", PDF_TYPE, content)


def _invoice(ctx: Context, invoice_id: str) -> Invoice:
    invoice = service.find_invoice(ctx, invoice_id)
    if invoice is None:
        raise not_found("invoice", invoice_id)
    return invoice


def _files(document: EInvoice) -> list[File]:
    return [
        File(f"{document.number}.pdf", PDF_TYPE, documents.as_pdf(document)),
        File(f"{document.number}.xml", documents.XML_TYPE, documents.as_xml(document)),
    ]
