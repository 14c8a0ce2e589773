"""What credit notes take back of an invoice, rate by rate: however many there are, together they are the invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.settlement.model import Invoice, TaxPart
from chalicelib.settlement.model.credit_notes import MAX_NOTES, CreditNote, credited, draft_credit_note
from chalicelib.settlement.model.einvoice import Party

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
PARTIES = (Party("Seller"), Party("Buyer"))


def invoice_of(rates: list[TaxPart]) -> Invoice:
    return Invoice(
        invoice_id="inv_1",
        number="INV-2026-000001",
        operator_id="org_1",
        enterprise_id="epr_1",
        month="2026-03",
        state="open",
        currency="EUR",
        issued_at=NOON,
        issue_date="2026-04-01",
        due_date="2026-04-15",
        net=sum(rate.net for rate in rates),
        tax=sum(rate.tax for rate in rates),
        gross=sum(rate.gross for rate in rates),
        line_count=1,
        lines_id="lin_1",
        seller_name="Seller",
        name="Buyer",
        email="pay@buyer.example",
        rates=rates,
    )


def note_of(invoice: Invoice, notes: list[CreditNote], amount: int | None) -> CreditNote:
    return draft_credit_note(
        invoice,
        notes,
        credit_note_id=f"crn_{len(notes)}",
        amount=None if amount is None else Money(amount, invoice.currency),
        reason="Goodwill",
        issued_by="usr_1",
        parties=PARTIES,
        now=NOON,
        zone="UTC",
    )


def series_of(invoice: Invoice, amounts: list[int | None]) -> list[CreditNote]:
    """Notes of these amounts, as far as there is anything left; the last one takes the rest."""
    notes: list[CreditNote] = []
    for amount in amounts:
        left = invoice.gross - invoice.credited
        if not left:
            break
        note = note_of(invoice, notes, None if amount is None else min(amount, left))
        invoice = credited(invoice, note, NOON)
        notes.append(note)
    return notes


def sums_of(notes: list[CreditNote]) -> dict[str, tuple[int, int, int]]:
    sums: dict[str, tuple[int, int, int]] = {}
    for rate in (rate for note in notes for rate in note.rates):
        net, tax, gross = sums.get(rate.vat, (0, 0, 0))
        sums[rate.vat] = net + rate.net, tax + rate.tax, gross + rate.gross
    return sums


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    """Rates as sums of lines: of each, the tax is some cents beside that of the sum; one may be below nothing, by a
    session that was corrected."""
    rates = []
    for vat, percent in draw(st.permutations([("", 0), ("7", 7), ("19", 19)]))[: draw(st.integers(1, 3))]:
        gross, aside = draw(st.integers(-3000, 9000)), draw(st.integers(-3, 3)) if percent else 0
        tax = gross * percent // (100 + percent) + aside
        if gross and not 0 <= tax * gross <= gross * gross:
            tax = 0
        rates.append(TaxPart(vat, gross - tax, tax, gross))
    if sum(rate.gross for rate in rates) <= 0:
        rates = [TaxPart("19", 84, 16, 100)]
    return invoice_of(rates)


@given(invoices(), st.lists(st.integers(1, 5000), max_size=12))
def test_notes_that_take_back_all_take_back_what_was_invoiced_of_each_rate(
    invoice: Invoice, amounts: list[int]
) -> None:
    notes = series_of(invoice, [*amounts, None])
    asked = {rate.vat: (rate.net, rate.tax, rate.gross) for rate in invoice.rates if rate.net or rate.tax}
    assert {vat: sums for vat, sums in sums_of(notes).items() if any(sums)} == asked
    assert sum(note.gross for note in notes) == invoice.gross
    for note in notes:
        assert note.net + note.tax == note.gross == sum(rate.gross for rate in note.rates)
        assert all(rate.net + rate.tax == rate.gross for rate in note.rates)


@example(invoice_of([TaxPart("19", 6, 4, 10)]), [9])  # sessions rounded one by one: more tax than the rate has
@given(invoices(), st.lists(st.integers(1, 5000), max_size=12))
def test_no_series_of_notes_takes_more_of_a_rate_than_was_invoiced(invoice: Invoice, amounts: list[int]) -> None:
    sums = sums_of(series_of(invoice, list(amounts)))
    for rate in invoice.rates:
        for asked, taken in zip((rate.net, rate.tax, rate.gross), sums.get(rate.vat, (0, 0, 0)), strict=True):
            assert min(0, asked) <= taken <= max(0, asked)


def test_cent_by_cent_the_tax_comes_back_too() -> None:
    """Rounded one by one, no cent has any tax in it."""
    invoice = invoice_of([TaxPart("7", 94, 7, 101), TaxPart("19", 84, 16, 100)])
    notes = series_of(invoice, [2] * (MAX_NOTES - 1) + [None])
    assert sums_of(notes) == {"7": (94, 7, 101), "19": (84, 16, 100)}


def test_three_notes_take_back_the_rates_of_the_invoice() -> None:
    invoice = invoice_of([TaxPart("7", 94, 7, 101), TaxPart("19", 84, 16, 100)])
    assert sums_of(series_of(invoice, [67, 67, None])) == {"7": (94, 7, 101), "19": (84, 16, 100)}


def test_the_last_note_that_there_may_be_takes_all_that_is_left() -> None:
    invoice = invoice_of([TaxPart("19", 840, 160, 1000)])
    notes = series_of(invoice, [1] * (MAX_NOTES - 1))
    invoice = replace(invoice, credited=sum(note.gross for note in notes))
    with pytest.raises(DomainError) as refused:
        note_of(invoice, notes, 1)
    assert refused.value.code == "credit_note.too_many"
    assert note_of(invoice, notes, None).gross == 1000 - (MAX_NOTES - 1)
