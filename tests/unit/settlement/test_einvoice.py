"""The rules of EN 16931 on documents of ours."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.settlement.documents import as_pdf, as_xml
from chalicelib.settlement.documents.ubl import CAC, CBC
from chalicelib.settlement.model.einvoice import (
    Account,
    EInvoice,
    Line,
    Party,
    rounding_of,
    tax_totals,
    violations,
)

SELLER = Party("Stadtwerke Süd GmbH", "DE123456789", "HRB 1", "Weg 1", "Köln", "50667", "DE", "pay@sued.example")
BUYER = Party("Flotte Ω AG", None, None, "Gasse 2", "Wien", "1010", "AT", "in@flotte.example")
LINES = (
    Line("1", "Charging 260301-AAAAAA", 1681, "19", "12.345 kWh at Gare du Nord"),
    Line("2", "Charging 260302-BBBBBB", 841, "19.0", "6.1 kWh"),
    Line("3", "Charging 260303-CCCCCC", 500, "0"),
    Line("4", "Charging 260304-DDDDDD", 250, None),
)


def document(lines: tuple[Line, ...] = LINES, gross: int = 3751, **changes: object) -> EInvoice:
    taxes = tax_totals(lines)
    made = EInvoice(
        number="INV-2026-000001",
        type_code="380",
        issue_date="2026-04-01",
        currency="EUR",
        seller=SELLER,
        buyer=BUYER,
        lines=lines,
        taxes=taxes,
        rounding=rounding_of(lines, taxes, gross),
        due_date="2026-04-15",
        period=("2026-03-01", "2026-03-31"),
        account=Account("DE02120300000000202051", "Stadtwerke Süd GmbH", "BYLADEM1001"),
    )
    return replace(made, **changes)


def text(root: ElementTree.Element, path: str) -> str | None:
    return root.findtext(path, namespaces={"cac": CAC, "cbc": CBC})


def test_what_was_taken_is_what_is_to_be_paid_to_the_cent() -> None:
    made = document()
    assert [(t.category, t.vat, t.taxable, t.tax) for t in made.taxes] == [
        ("E", "0", 250, 0),
        ("S", "19", 2522, 479),
        ("Z", "0", 500, 0),
    ]
    assert (made.net, made.tax, made.total, made.rounding, made.payable) == (3272, 479, 3751, 0, 3751)
    assert violations(made) == []


def test_cents_of_rounding_each_session_are_the_rounding_amount() -> None:
    lines = tuple(Line(str(number), "Charging", 17, "19") for number in range(1, 11))
    made = document(lines, gross=200)  # ten times 0.20, of which 0.17 is net
    assert (made.net, made.tax, made.rounding, made.payable) == (170, 32, -2, 200)
    assert violations(made) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"number": ""}, "BR-02"),
        ({"seller": replace(SELLER, country=None)}, "BR-09"),
        ({"seller": replace(SELLER, tax_number=None)}, "BR-S-02"),
        ({"seller": replace(SELLER, tax_number=None, registration=None)}, "BR-CO-26"),
        ({"buyer": replace(BUYER, country=None)}, "BR-11"),
        ({"buyer": Party("Flotte")}, "BR-10"),
        ({"due_date": None}, "BR-CO-25"),
        ({"type_code": "381"}, "BR-55"),
        ({"lines": ()}, "BR-16"),
        ({"taxes": ()}, "BR-CO-18"),
        ({"taxes": tax_totals(LINES[:2])}, "BR-S-08"),
    ],
)
def test_what_is_missing_is_named_by_its_rule(change: dict[str, object], rule: str) -> None:
    assert rule in violations(document(**change))


@given(
    st.lists(
        st.tuples(st.integers(-(10**6), 10**6), st.sampled_from(["19", "7", "7.5", "0", None, "20.0"])),
        min_size=1,
        max_size=30,
    ),
    st.integers(-5, 5),
)
def test_amounts_agree_whatever_the_lines_are(parts: list[tuple[int, str | None]], off: int) -> None:
    lines = tuple(Line(str(number), "Charging", net, vat) for number, (net, vat) in enumerate(parts, start=1))
    gross = sum(net for net, _ in parts) + sum(total.tax for total in tax_totals(lines)) + off
    made = document(lines, gross)
    assert made.payable == gross
    assert made.rounding == off
    assert violations(made) == []


def test_the_xml_says_what_the_document_says() -> None:
    root = ElementTree.fromstring(as_xml(document()))
    assert root.tag == "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
    assert text(root, "cbc:ID") == "INV-2026-000001"
    assert text(root, "cbc:InvoiceTypeCode") == "380"
    assert text(root, "cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID") == "DE123456789"
    assert (
        text(root, "cac:AccountingCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName") == "Flotte Ω AG"
    )
    assert text(root, "cac:LegalMonetaryTotal/cbc:PayableAmount") == "37.51"
    assert text(root, "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID") == "DE02120300000000202051"
    assert len(root.findall(f"{{{CAC}}}InvoiceLine")) == 4
    [amount] = root.findall(f"{{{CAC}}}TaxTotal/{{{CBC}}}TaxAmount")
    assert (amount.text, amount.get("currencyID")) == ("4.79", "EUR")


def test_a_credit_note_names_the_invoice_that_it_corrects() -> None:
    root = ElementTree.fromstring(as_xml(document(type_code="381", number="CN-2026-000001", preceding="INV-7")))
    assert root.tag == "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
    assert text(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID") == "INV-7"
    assert text(root, "cbc:DueDate") is None
    assert len(root.findall(f"{{{CAC}}}CreditNoteLine")) == 4


def test_what_people_wrote_stays_text() -> None:
    evil = replace(BUYER, name='<script>&"')
    root = ElementTree.fromstring(as_xml(document(buyer=evil)))
    assert text(root, "cac:AccountingCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName") == evil.name


def read(made: EInvoice) -> str:
    text_of_page: str = pypdfium2.PdfDocument(as_pdf(made))[0].get_textpage().get_text_range()
    return text_of_page


def test_people_read_the_name_of_a_country_and_machines_its_code() -> None:
    made = document(buyer=replace(BUYER, country="AT"))
    assert "Austria" in read(made)
    country = "cac:AccountingCustomerParty/cac:Party/cac:PostalAddress/cac:Country/cbc:IdentificationCode"
    assert text(ElementTree.fromstring(as_xml(made)), country) == "AT"


def test_nothing_is_due_on_a_credit_note() -> None:
    assert "Due" in read(document())
    assert "Due" not in read(document(type_code="381", number="CN-2026-000001", preceding="INV-7"))


def test_people_read_the_same() -> None:
    opened = pypdfium2.PdfDocument(as_pdf(document(paid=751)))
    read = opened[0].get_textpage().get_text_range()
    for words in ("Invoice INV-2026-000001", "Flotte Ω AG", "VAT 19 %", "EUR", "DE02120300000000202051", "30.00"):
        assert words in read, words
