"""Credit notes: what an operator takes back of an invoice, whole or in part. Pure.

An invoice that was sent is never changed: what is wrong with it is credited, under a number of a series of its own. All
notes of an invoice together never take back more than it asked for, of each rate of tax; those that take back all of
it take back its very tax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from chalicelib.kernel.errors import conflict, invalid
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import Entry, Posting, enterprise_account, receivable_account
from chalicelib.settlement.model.einvoice import Party
from chalicelib.settlement.model.invoices import INVOICE_LIFECYCLE, Invoice, TaxPart
from chalicelib.tariffs.rating import round_half_up, split_exactly

MAX_NOTES = 100
"""Of an invoice: each reads those before it."""


@dataclass(frozen=True)
class CreditNote:
    """Amounts in minor units, positive: what is given back. `rates` sum to them."""

    credit_note_id: str
    number: str
    invoice_id: str
    invoice_number: str
    operator_id: str
    enterprise_id: str
    currency: str
    issued_at: datetime
    issue_date: str
    net: int
    tax: int
    gross: int
    reason: str
    issued_by: str
    seller: Party
    buyer: Party
    rates: list[TaxPart] = field(default_factory=list)


def draft_credit_note(
    invoice: Invoice,
    notes: Sequence[CreditNote],
    *,
    credit_note_id: str,
    amount: Money | None,
    reason: str,
    issued_by: str,
    parties: tuple[Party, Party],
    now: datetime,
    zone: str,
) -> CreditNote:
    """The note without its number; `amount` None credits all that is left after `notes`, those of the invoice so far;
    `parties` are seller and buyer.

    Raises credit_note.currency, credit_note.amount (422), credit_note.nothing_left, credit_note.too_many (409).
    """
    left = invoice.gross - invoice.credited
    if left <= 0:
        raise conflict("credit_note.nothing_left", "All of this invoice is credited already.")
    if amount is not None and amount.currency != invoice.currency:
        raise invalid("credit_note.currency", f"This invoice is in {invoice.currency}.", "/amount/currency")
    gross = left if amount is None else amount.amount
    if not 0 < gross <= left:
        detail = f"A credit is more than nothing and no more than what is left: {Money(left, invoice.currency)}."
        raise invalid("credit_note.amount", detail, "/amount/amount")
    if gross < left and len(notes) >= MAX_NOTES - 1:
        raise conflict("credit_note.too_many", f"The credit note number {MAX_NOTES} takes back all that is left.")
    rates = _left(invoice.rates, notes) if gross == left else _share(_left(invoice.rates, notes), gross)
    return CreditNote(
        credit_note_id=credit_note_id,
        number="",
        invoice_id=invoice.invoice_id,
        invoice_number=invoice.number,
        operator_id=invoice.operator_id,
        enterprise_id=invoice.enterprise_id,
        currency=invoice.currency,
        issued_at=now,
        issue_date=now.astimezone(ZoneInfo(zone)).date().isoformat(),
        net=sum(rate.net for rate in rates),
        tax=sum(rate.tax for rate in rates),
        gross=gross,
        reason=reason,
        issued_by=issued_by,
        seller=parties[0],
        buyer=parties[1],
        rates=rates,
    )


def _left(rates: Sequence[TaxPart], notes: Sequence[CreditNote]) -> list[TaxPart]:
    """What of each rate is not taken back."""
    left = {rate.vat: rate for rate in rates}
    for back in (rate for note in notes for rate in note.rates):
        rate = left[back.vat]
        left[back.vat] = TaxPart(rate.vat, rate.net - back.net, rate.tax - back.tax, rate.gross - back.gross)
    return [rate for rate in left.values() if rate.net or rate.tax]


def _share(left: Sequence[TaxPart], gross: int) -> list[TaxPart]:
    """Each rate has its share of what is credited, with its share of the tax that is left: no more of either than is
    left."""
    total = sum(rate.gross for rate in left)
    parts = split_exactly(gross, [Fraction(rate.gross * gross, total) for rate in left])
    return [_part_of(rate, part) for rate, part in zip(left, parts, strict=True) if part]


def _part_of(rate: TaxPart, gross: int) -> TaxPart:
    tax = round_half_up(Fraction(rate.tax * gross, rate.gross))
    return TaxPart(rate.vat, gross - tax, tax, gross)


def credited(invoice: Invoice, note: CreditNote, now: datetime) -> Invoice:
    """The invoice after a note: void when nobody ever paid and all is taken back, paid when nothing is left to pay."""
    taken_back = invoice.credited + note.gross
    if invoice.state == "paid":
        event = "credited"
    elif taken_back == invoice.gross and not invoice.paid:
        event = "voided"
    else:
        event = "credited_in_full" if invoice.paid + taken_back >= invoice.gross else "credited_in_part"
    state = INVOICE_LIFECYCLE.next(invoice.state, event)
    return replace(
        invoice,
        state=state,
        credited=taken_back,
        closed_at=invoice.closed_at or (None if state == "open" else now),
        void_reason=note.reason if state == "void" else invoice.void_reason,
    )


def credit_note_entry(note: CreditNote) -> Entry:
    """What is taken back is owed no more: the credit is free again. What was paid for it stays with the enterprise, as
    credit above its limit."""
    account_id = enterprise_account(note.enterprise_id, note.currency)
    receivable = receivable_account(note.operator_id, note.currency)
    return Entry(
        entry_id=derived_id("ent", note.issued_at, note.credit_note_id, "write_off"),
        home_account_id=account_id,
        kind="write_off",
        currency=note.currency,
        postings=[Posting(account_id, note.gross), Posting(receivable, -note.gross)],
        occurred_at=note.issued_at,
        source_id=note.credit_note_id,
        note=note.reason,
    )
