"""Receipts: what people get in hand for their money."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pypdfium2

from chalicelib.charging import lookup
from chalicelib.charging.service.correcting import reduce_cost
from chalicelib.kernel.money import Money
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import Price, PriceComponent, TariffElement
from tests.site import Site


def read(document: Any) -> str:
    return str(pypdfium2.PdfDocument(document)[0].get_textpage().get_text_range())


def charged(site: Site) -> str:
    session = site.request(500)
    site.stop(site.start_from_app().transaction_id, 11_000)
    return session.session_id


def reprice(site: Site, component: PriceComponent, max_price: Price | None = None) -> None:
    elements = (TariffElement((component,)),)
    site.world.commit(
        lambda uow: tariffs.replace_tariff(
            uow, site.tariff, name="Day", tax_included=True, elements=elements, max_price=max_price
        )
    )


def correct(site: Site, session_id: str, cost: int) -> None:
    site.advance_s(1)
    site.world.commit(
        lambda uow: reduce_cost(uow, site.session(session_id), cost=Money(cost, "EUR"), reason="Goodwill", by="usr_1")
    )


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


def test_a_corrected_receipt_adds_up_and_names_the_one_that_it_replaces(site: Site) -> None:
    reprice(site, PriceComponent("ENERGY", Decimal("0.35"), vat=Decimal(19)))
    session_id = charged(site)
    order_no, token = site.session(session_id).order_no, site.world.driver_token(site.driver.driver_id)

    def shown() -> tuple[str, str]:
        reply = site.world.rest.get(f"/v1/driver/sessions/{session_id}/receipt", token=token)
        return reply.headers["content-disposition"], read(reply.body)

    name, text = shown()
    assert f'"receipt-{order_no}.pdf"' in name
    assert "Replaces" not in text
    for number, cost in ((2, 100), (3, 0)):
        correct(site, session_id, cost)
        name, text = shown()
        assert f'"receipt-{order_no}-{number}.pdf"' in name
        lower = Money(350 - cost, "EUR")
        for words in ("10 kWh", "3.50 EUR", f"-{lower}", "Reduction", "19 %", f"{lower}\n", "Given back"):
            assert words in text.replace("\r", ""), words
    assert f"Receipt {order_no}-2" in text
    assert "2026-03-02" in text


def test_a_receipt_says_where_a_bound_of_the_tariff_counted(site: Site) -> None:
    reprice(site, PriceComponent("ENERGY", Decimal("0.35")), max_price=Price(incl_vat=Decimal("2.00")))
    token = site.world.driver_token(site.driver.driver_id)
    session_id = charged(site)
    text = read(site.world.rest.get(f"/v1/driver/sessions/{session_id}/receipt", token=token).body)
    assert all(words in text for words in ("3.50 EUR", "Capped at 2.00 EUR", "-1.50 EUR", "2.00 EUR (from the wallet)"))
    cdr = site.world.rest.get(f"/v1/driver/sessions/{session_id}/cdr", token=token).body
    assert [(line["dimension"], line["amount"]["amount"]) for line in cdr["lines"]] == [
        ("ENERGY", 350),
        ("MAX_PRICE", -150),
    ]


def test_what_is_not_billed_has_no_receipt(site: Site) -> None:
    session = site.request(500)
    token = site.world.driver_token(site.driver.driver_id)
    reply = site.world.rest.get(f"/v1/driver/sessions/{session.session_id}/receipt", token=token)
    assert (reply.status, reply.body["code"]) == (404, "receipt.not_found")
