"""The documents of EN 16931 that stand behind invoices and credit notes: made of what is stored at their issue."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from zoneinfo import ZoneInfo

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.spans import month_days
from chalicelib.settlement.model.credit_notes import CreditNote
from chalicelib.settlement.model.einvoice import Account, EInvoice, Line, Party, rounding_of, tax_totals
from chalicelib.settlement.model.invoices import Invoice, InvoiceLine, TaxPart
from chalicelib.settlement.store.invoices import INVOICE_LINES, InvoiceLineRow, lines_pk


def seller_of(ctx: Context, operator: Organization) -> Party:
    """Who issues: as the setting `invoicing` says it."""
    said = identity.invoicing_of(ctx, operator)
    return Party(
        name=said.legal_name or operator.name,
        tax_number=said.tax_number,
        registration=said.registration,
        address=said.address,
        city=said.city,
        postal_code=said.postal_code,
        country=said.country,
        email=operator.email,
    )


def account_of(operator: Organization) -> Account | None:
    bank = operator.bank_account
    return None if bank is None else Account(bank.number, bank.holder, bank.bic)


def buyer_of(invoice: Invoice) -> Party:
    return Party(
        name=invoice.name,
        tax_number=invoice.tax_number,
        address=invoice.address,
        city=invoice.city,
        postal_code=invoice.postal_code,
        country=invoice.country,
        email=invoice.email,
    )


def parties_of(ctx: Context, operator: Organization, invoice: Invoice) -> tuple[Party, Party]:
    return invoice.seller or seller_of(ctx, operator), buyer_of(invoice)


def document_of(ctx: Context, operator: Organization, invoice: Invoice) -> EInvoice:
    """The invoice as it was issued: what was paid or credited since is not in it."""
    stored = INVOICE_LINES.query_all(ctx, lines_pk(invoice.lines_id), InvoiceLineRow.sk.startswith("line#"))
    lines = list(_positions(stored, operator.time_zone))
    taxes = tax_totals(lines)
    seller, buyer = parties_of(ctx, operator, invoice)
    return EInvoice(
        number=invoice.number,
        type_code="380",
        issue_date=invoice.issue_date,
        currency=invoice.currency,
        seller=seller,
        buyer=buyer,
        lines=lines,
        taxes=taxes,
        rounding=rounding_of(lines, taxes, invoice.gross),
        period=month_days(invoice.month),
        due_date=invoice.due_date,
        account=invoice.account,
        note=invoice.note,
    )


def document_of_credit(note: CreditNote) -> EInvoice:
    """One line per rate: what is given back of the invoice."""
    lines = [_credit_line(number, note, rate) for number, rate in enumerate(note.rates, start=1)]
    taxes = tax_totals(lines)
    return EInvoice(
        number=note.number,
        type_code="381",
        issue_date=note.issue_date,
        currency=note.currency,
        seller=note.seller,
        buyer=note.buyer,
        lines=lines,
        taxes=taxes,
        rounding=rounding_of(lines, taxes, note.gross),
        due_date=note.issue_date,
        preceding=note.invoice_number,
        note=note.reason,
    )


def _credit_line(number: int, note: CreditNote, rate: TaxPart) -> Line:
    return Line(str(number), f"Credit for invoice {note.invoice_number}", rate.net, rate.vat or None, note.reason)


def _positions(stored: Iterable[InvoiceLine], zone: str) -> Iterable[Line]:
    """A session is one position per rate of tax."""
    number = 0
    for line in stored:
        began = line.started_at.astimezone(ZoneInfo(zone))
        energy = format((Decimal(line.energy_wh) / 1000).normalize(), "f")
        facts = (f"{began:%Y-%m-%d %H:%M}", f"{energy} kWh", line.location_name, line.driver_name)
        for rate in line.rates:
            number += 1
            yield Line(
                line_id=str(number),
                name=f"Charging {line.order_no}",
                net=rate.net,
                vat=rate.vat or None,
                description=", ".join(fact for fact in facts if fact),
            )
