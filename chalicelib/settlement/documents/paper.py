"""An EN 16931 document as people read it: parties, positions, taxes, what is to be paid and how."""

from __future__ import annotations

from typing import Final

from chalicelib.kernel import pdf
from chalicelib.kernel.countries import country_name
from chalicelib.kernel.money import Money
from chalicelib.settlement.model.einvoice import NO_TAX_STATED, EInvoice, Party, TaxTotal

TITLES: Final = {
    "380": "Invoice",
    "381": "Credit note",
    "389": "Self-billed invoice",
    "261": "Self-billed credit note",
}


def as_pdf(document: EInvoice) -> bytes:
    title = f"{TITLES[document.type_code]} {document.number}"
    blocks: list[pdf.Block] = [
        pdf.Text(party_in_lines(document.seller), face="bold"),
        pdf.Space(),
        pdf.Text(party_in_lines(document.buyer)),
        pdf.Space(20),
        pdf.Heading(title),
        pdf.Pairs(_facts(document)),
        pdf.Space(),
        _positions(document),
        pdf.Space(),
        _taxes(document),
        pdf.Space(),
        pdf.Pairs(_totals(document)),
        pdf.Space(),
        pdf.Pairs(_payment(document)),
    ]
    if document.note:
        blocks += [pdf.Space(), pdf.Text(document.note)]
    return pdf.render(title, blocks, footer=f"{document.number} · {document.seller.name}")


def party_in_lines(party: Party) -> str:
    place = " ".join(part for part in (party.postal_code, party.city) if part)
    tax = f"VAT {party.tax_number}" if party.tax_number else None
    lines = (party.name, party.address, place, country_name(party.country), tax, party.registration)
    return "\n".join(line for line in lines if line)


def _facts(document: EInvoice) -> list[tuple[str, str]]:
    period = "" if document.period is None else f"{document.period[0]} to {document.period[1]}"
    return [
        ("Date", document.issue_date),
        ("Period", period),
        ("Corrects invoice", document.preceding or ""),
        ("Your reference", document.buyer_reference or ""),
        ("Due", "" if document.is_credit else document.due_date or ""),
    ]


def _positions(document: EInvoice) -> pdf.Table:
    columns = [
        pdf.Column("No.", 1),
        pdf.Column("Position", 4),
        pdf.Column("", 6),
        pdf.Column("VAT", 1.5, "right"),
        pdf.Column("Net", 2.5, "right"),
    ]
    rows = [
        (line.line_id, line.name, line.description, f"{line.vat} %" if line.vat else "–", _money(document, line.net))
        for line in document.lines
    ]
    return pdf.Table(columns, rows, totals=[("", "Sum", "", "", _money(document, document.net))])


def _taxes(document: EInvoice) -> pdf.Table:
    columns = [pdf.Column("Tax", 6), pdf.Column("On", 3, "right"), pdf.Column("Amount", 3, "right")]
    rows = [
        (_tax_name(total), _money(document, total.taxable), _money(document, total.tax)) for total in document.taxes
    ]
    return pdf.Table(columns, rows)


def _tax_name(total: TaxTotal) -> str:
    return NO_TAX_STATED if total.category == "E" else f"VAT {total.vat} %"


def _totals(document: EInvoice) -> list[tuple[str, str]]:
    return [
        ("Net", _money(document, document.net)),
        ("Tax", _money(document, document.tax)),
        ("Total", _money(document, document.total)),
        ("Rounding", _money(document, document.rounding) if document.rounding else ""),
        ("Paid", _money(document, document.paid) if document.paid else ""),
        ("To be credited" if document.is_credit else "To be paid", _money(document, document.payable)),
    ]


def _payment(document: EInvoice) -> list[tuple[str, str]]:
    account = document.account
    if account is None or document.payable <= 0:
        return []
    return [
        ("Pay to", account.holder),
        ("Account", account.number),
        ("BIC", account.bic or ""),
        ("With the reference", document.number),
    ]


def _money(document: EInvoice, amount: int) -> str:
    return str(Money(amount, document.currency))
