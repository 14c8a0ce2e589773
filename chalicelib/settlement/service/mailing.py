"""Mails that bring an enterprise its invoices and credit notes: the documents go with them, since enterprises have no
sign-in.

Called with the issue, and by operators who send one again. Nothing is committed here. Invariant: one mail per
`dedupe_key`.
"""

from __future__ import annotations

from decimal import Decimal

from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.notifications import service as notifications
from chalicelib.notifications.model import Enclosure
from chalicelib.settlement.model.credit_notes import CreditNote
from chalicelib.settlement.model.invoices import Invoice
from chalicelib.settlement.store.invoices import INVOICE_LINES, InvoiceLineRow, lines_pk


def send_invoice_again(uow: UnitOfWork, invoice: Invoice, *, send_id: str) -> str:
    """To the address that the enterprise has now, which is returned: the one of the issue may have been wrong."""
    stored = INVOICE_LINES.query_all(uow.ctx, lines_pk(invoice.lines_id), InvoiceLineRow.sk.startswith("line#"))
    energy_wh = sum(line.energy_wh for line in stored)
    to = _address(uow.ctx, invoice)
    mail_invoice(uow, invoice, energy_wh, to=to, dedupe_key=f"invoice:{invoice.invoice_id}:{send_id}")
    return to


def send_credit_note_again(uow: UnitOfWork, invoice: Invoice, note: CreditNote, *, send_id: str) -> str:
    """As `send_invoice_again`."""
    to = _address(uow.ctx, invoice)
    mail_credit_note(uow, invoice, note, to=to, dedupe_key=f"credit_note:{note.credit_note_id}:{send_id}")
    return to


def mail_invoice(uow: UnitOfWork, invoice: Invoice, energy_wh: int, *, to: str, dedupe_key: str) -> None:
    notifications.queue_mail(
        uow,
        dedupe_key=dedupe_key,
        to=to,
        template="invoice",
        language=_language(uow.ctx, invoice),
        sender=_sender(uow.ctx, invoice),
        data={
            "number": invoice.number,
            "name": invoice.name,
            "seller": invoice.seller_name,
            "month": invoice.month,
            "sessions": str(invoice.line_count),
            "energy_kwh": str(Decimal(energy_wh) / 1000),
            "net": str(Money(invoice.net, invoice.currency)),
            "tax": str(Money(invoice.tax, invoice.currency)),
            "gross": str(Money(invoice.gross, invoice.currency)),
            "due_date": invoice.due_date,
        },
        enclosures=[Enclosure("invoice", (invoice.invoice_id,))],
    )


def mail_credit_note(uow: UnitOfWork, invoice: Invoice, note: CreditNote, *, to: str, dedupe_key: str) -> None:
    notifications.queue_mail(
        uow,
        dedupe_key=dedupe_key,
        to=to,
        template="credit_note",
        language=_language(uow.ctx, invoice),
        sender=_sender(uow.ctx, invoice),
        data={
            "number": note.number,
            "invoice": note.invoice_number,
            "name": invoice.name,
            "seller": note.seller.name,
            "gross": str(Money(note.gross, note.currency)),
            "tax": str(Money(note.tax, note.currency)),
            "reason": note.reason,
        },
        enclosures=[Enclosure("credit_note", (invoice.invoice_id, note.credit_note_id))],
    )


def _address(ctx: Context, invoice: Invoice) -> str:
    enterprise = drivers.find_enterprise(ctx, invoice.enterprise_id)
    return invoice.email if enterprise is None else enterprise.email


def _language(ctx: Context, invoice: Invoice) -> str:
    enterprise = drivers.find_enterprise(ctx, invoice.enterprise_id)
    return "en" if enterprise is None else enterprise.language


def _sender(ctx: Context, invoice: Invoice) -> dict[str, str]:
    return identity.mail_sender(ctx, identity.get_organization(ctx, invoice.operator_id))
