"""Invoices that were wrong, and how they look to people and machines: credit notes, PDF, XML."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pypdfium2
import pytest

from chalicelib.settlement.documents.ubl import CAC, CBC
from tests.integration.money.paying import Fleet, advance_to, charge, euro, found_fleet, prove
from tests.site import Site
from tests.world import Reply

APRIL = "2026-03-31T22:35:00+00:00"
SELLER = {
    "legal_name": "Stadtwerke Süd GmbH",
    "tax_number": "DE123456789",
    "registration": "HRB 1",
    "address": "Weg 1",
    "city": "Köln",
    "postal_code": "50667",
    "country": "DE",
    "prefix": "SUED-",
    "note": "Thank you.",
}


@pytest.fixture
def fleet(site: Site) -> Fleet:
    fleet = found_fleet(site)
    assert fleet.ask("PUT", "/v1/settings/invoicing", SELLER).status == 200
    assert fleet.ask("PATCH", fleet.path, {"city": "Wien", "country": "AT", "name": "Flotte Ω AG"}).status == 200
    return fleet


def invoiced(fleet: Fleet, wh: int = 20_000) -> dict[str, Any]:
    charge(fleet.site, wh)
    advance_to(fleet.site, APRIL)
    fleet.draw_up()
    [invoice] = fleet.invoices()
    return invoice


def credit(fleet: Fleet, invoice: dict[str, Any], key: str = "credit-1", **body: Any) -> Reply:
    path = f"/v1/invoices/{invoice['invoice_id']}/credit-notes"
    return fleet.ask("POST", path, {"reason": "Wrong price", **body}, key=key)


def look(fleet: Fleet, invoice: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}").body
    return body


def test_a_part_that_is_taken_back_is_owed_no_more_and_free_again(site: Site, fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    assert (invoice["number"], invoice["gross"], fleet.used()) == ("SUED-INV-2026-000001", euro(700), 700)
    note = credit(fleet, invoice, amount=euro(200))
    assert (note.status, note.body["number"], note.body["gross"]) == (201, "SUED-CN-2026-000001", euro(200))
    after = look(fleet, invoice)
    assert (after["state"], after["open_amount"], after["credited"], fleet.used()) == (
        "open",
        euro(500),
        euro(200),
        500,
    )
    assert fleet.pay(invoice["invoice_id"], 500).status == 201
    assert (look(fleet, invoice)["state"], fleet.used()) == ("paid", 0)
    prove(site)


def test_all_of_an_unpaid_invoice_taken_back_is_void(site: Site, fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    assert credit(fleet, invoice).body["gross"] == euro(700)
    after = look(fleet, invoice)
    assert (after["state"], after["open_amount"], after["void_reason"]) == ("void", euro(0), "Wrong price")
    assert fleet.used() == 0
    assert credit(fleet, invoice, key="again").body["code"] == "credit_note.nothing_left"


def test_void_is_a_credit_note_of_all(site: Site, fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    path = f"/v1/invoices/{invoice['invoice_id']}"
    assert fleet.ask("POST", f"{path}/void", {"reason": "Twice"}, key="v").body["state"] == "void"
    [note] = fleet.ask("GET", f"{path}/credit-notes").body["data"]
    assert (note["gross"], note["invoice_number"], note["rates"]) == (euro(700), invoice["number"], invoice["rates"])


def test_what_was_paid_and_is_taken_back_is_credit_above_the_limit(site: Site, fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    fleet.pay(invoice["invoice_id"], 700)
    assert credit(fleet, invoice, amount=euro(300)).status == 201
    assert (look(fleet, invoice)["state"], fleet.used()) == ("paid", -300)
    prove(site)


def test_the_second_click_credits_once(fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    first, second = (credit(fleet, invoice, amount=euro(100)) for _ in range(2))
    assert first.body == second.body
    assert look(fleet, invoice)["credited"] == euro(100)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (euro(701), "credit_note.amount"),
        (euro(0), "credit_note.amount"),
        (euro(-1), "credit_note.amount"),
        ({"amount": 100, "currency": "CHF"}, "credit_note.currency"),
    ],
)
def test_no_more_is_taken_back_than_was_asked_for(fleet: Fleet, amount: dict[str, Any], code: str) -> None:
    invoice = invoiced(fleet)
    reply = credit(fleet, invoice, amount=amount)
    assert (reply.status, reply.body["code"]) == (422, code)
    assert look(fleet, invoice) == invoice


def test_an_invoice_stays_as_it_was_issued(fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    before = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/pdf").body
    fleet.ask("PUT", "/v1/settings/invoicing", {"legal_name": "Another GmbH"})
    fleet.ask("PATCH", fleet.path, {"name": "Renamed AG"})
    fleet.pay(invoice["invoice_id"], 100)
    credit(fleet, invoice, amount=euro(100))
    assert fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/pdf").body == before


def test_people_read_what_is_to_be_paid(fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    reply = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/pdf")
    assert reply.headers["content-type"] == "application/pdf"
    assert reply.headers["content-disposition"] == 'attachment; filename="SUED-INV-2026-000001.pdf"'
    read = pypdfium2.PdfDocument(reply.body)[0].get_textpage().get_text_range()
    for words in ("Invoice SUED-INV-2026-000001", "Stadtwerke Süd GmbH", "Flotte Ω AG", "20 kWh", "7.00 EUR"):
        assert words in read, words


def test_machines_read_the_same(fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    path = f"/v1/invoices/{invoice['invoice_id']}"
    assert fleet.ask("GET", f"{path}/check").body == {"number": invoice["number"], "missing": []}
    root = ElementTree.fromstring(fleet.ask("GET", f"{path}/xml").body)
    names = {"cac": CAC, "cbc": CBC}
    assert root.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", namespaces=names) == "7.00"
    note = credit(fleet, invoice, amount=euro(200)).body
    root = ElementTree.fromstring(fleet.ask("GET", f"{path}/credit-notes/{note['credit_note_id']}/xml").body)
    assert root.findtext("cac:LegalMonetaryTotal/cbc:PayableAmount", namespaces=names) == "2.00"
    found = root.findtext("cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID", namespaces=names)
    assert found == invoice["number"]
    read = pypdfium2.PdfDocument(fleet.ask("GET", f"{path}/credit-notes/{note['credit_note_id']}/pdf").body)
    assert "Credit note SUED-CN-2026-000001" in read[0].get_textpage().get_text_range()


def test_what_an_e_invoice_still_needs_is_said(site: Site) -> None:
    fleet = found_fleet(site)
    invoice = invoiced(fleet)
    missing = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/check").body["missing"]
    assert {"BR-CO-26", "BR-11"} <= set(missing)


def test_the_enterprise_is_told(site: Site, fleet: Fleet) -> None:
    invoice = invoiced(fleet)
    credit(fleet, invoice, amount=euro(200))
    site.world.run_events()
    [mail] = [each for each in site.world.mails() if "SUED-CN-2026-000001" in each.subject]
    assert (list(mail.to), "2.00 EUR" in mail.text) == (["pay@fleet.example"], True)


def test_a_corrected_session_is_on_the_invoice_with_its_credit(site: Site, fleet: Fleet) -> None:
    session = charge(site, 20_000)
    body = {"amount": euro(333), "reason": "Wrong price"}
    path = f"/v1/sessions/{session.session_id}/corrections"
    assert fleet.ask("POST", path, body, key="correct").status == 201
    advance_to(site, APRIL)
    fleet.draw_up()
    [invoice] = fleet.invoices()
    lines = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/lines").body["data"]
    assert sorted(line["gross"]["amount"] for line in lines) == [-700, 333, 700]
    assert (invoice["gross"], fleet.used()) == (euro(333), 333)
    read = pypdfium2.PdfDocument(fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/pdf").body)
    assert "3.33 EUR" in read[0].get_textpage().get_text_range()


def test_a_month_in_which_more_was_taken_back_than_used_goes_into_the_next(site: Site, fleet: Fleet) -> None:
    session = charge(site, 20_000)
    advance_to(site, APRIL)
    fleet.draw_up()
    body = {"amount": euro(0), "reason": "Broken"}
    assert fleet.ask("POST", f"/v1/sessions/{session.session_id}/corrections", body, key="c").status == 201
    advance_to(site, "2026-04-30T22:35:00+00:00")
    assert fleet.draw_up() == {"issued": 0}
    advance_to(site, "2026-05-31T21:35:00+00:00")
    assert fleet.draw_up() == {"issued": 0}
    charge(site, 40_000, number=2)
    advance_to(site, "2026-06-30T22:35:00+00:00")
    assert fleet.draw_up() == {"issued": 1}
    latest = fleet.invoices()[0]
    assert (latest["month"], latest["gross"]) == ("2026-05", euro(700))
    prove(site)
