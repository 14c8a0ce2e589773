"""Receipts: what people get in hand for their money."""

from __future__ import annotations

from typing import Any

import pypdfium2

from chalicelib.charging import lookup
from tests.site import Site


def read(document: Any) -> str:
    return str(pypdfium2.PdfDocument(document)[0].get_textpage().get_text_range())


def charged(site: Site) -> str:
    session = site.request(500)
    site.stop(site.start_from_app().transaction_id, 11_000)
    return session.session_id


def test_the_driver_gets_a_receipt_of_what_was_paid(site: Site) -> None:
    session_id = charged(site)
    token = site.world.driver_token(site.driver.driver_id)
    reply = site.world.rest.get(f"/v1/driver/sessions/{session_id}/receipt", token=token)
    assert reply.headers["content-type"] == "application/pdf"
    text = read(reply.body)
    order_no = site.session(session_id).order_no
    for words in (
        order_no,
        "Market square, Marktplatz 1, Berlin",
        "10 kWh",
        "3.50 EUR (from the wallet)",
        "0.35 / kWh",
    ):
        assert words in text, words
    assert "1.000 kWh to 11.000 kWh" in text


def test_the_operator_gets_it_by_the_billing_record(site: Site) -> None:
    session_id = charged(site)
    cdr = lookup.find_cdr(site.world.ctx, session_id)
    assert cdr is not None
    seller = {"legal_name": "Stadtwerke Süd GmbH", "tax_number": "DE123456789", "note": "Danke"}
    site.world.rest.put("/v1/settings/invoicing", seller, token=site.operator.access_token)
    reply = site.world.rest.get(f"/v1/cdrs/{cdr.cdr_id}/receipt", token=site.operator.access_token)
    assert all(words in read(reply.body) for words in ("Stadtwerke Süd GmbH", "VAT DE123456789", "Danke"))
    other = site.world.operator()
    assert site.world.rest.get(f"/v1/cdrs/{cdr.cdr_id}/receipt", token=other.access_token).status == 404


def test_what_is_not_billed_has_no_receipt(site: Site) -> None:
    session = site.request(500)
    token = site.world.driver_token(site.driver.driver_id)
    reply = site.world.rest.get(f"/v1/driver/sessions/{session.session_id}/receipt", token=token)
    assert (reply.status, reply.body["code"]) == (404, "receipt.not_found")
