"""Which run is on which document, whatever is given, taken back and told late; and who may read a document."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.spans import month_after
from chalicelib.settlement import service
from chalicelib.settlement.documents import as_pdf, as_xml
from chalicelib.settlement.model import Deduction, Line, Run, Terms
from chalicelib.settlement.model.commission_invoices import (
    CommissionInvoice,
    commissions_due_of,
    document_of_commission,
    draft_commission_invoice,
    parse_commission_invoice_id,
    portions_of,
)
from chalicelib.settlement.model.einvoice import Party, violations
from chalicelib.settlement.store.runs import RUNS
from tests.settling import Books, open_below, open_books
from tests.world import Operator, Reply, World

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MONTHS = ("2026-03", "2026-04", "2026-05")
PARTY = Party("Somebody", "DE1", address="Weg 1", country="DE")

given_parts = st.builds(
    lambda who, currency, amount, fee, vat, percent: (
        currency,
        Deduction(who, "commission", 1, 10, 0, 0, 0, amount, fee, vat, Terms("2026-01-01", vat_percent=percent)),
    ),
    st.sampled_from(["org_a", "org_b"]),
    st.sampled_from(["EUR", "NOK"]),
    st.integers(-(10**6), 10**6),
    st.integers(-100, 100),
    st.integers(-(10**5), 10**5),
    st.sampled_from([Decimal(0), Decimal("7.50"), Decimal(19)]),
)
runs = st.builds(
    lambda day, number, told_in, parts: (
        told_in,
        Run("org_op", day, "posted", NOW, [Line(cur, deductions=[part]) for cur, part in parts], number=number),
    ),
    st.sampled_from([f"{month}-{day}" for month in MONTHS for day in ("01", "02", "30")]),
    st.integers(1, 3),
    st.integers(0, 1),
    st.lists(given_parts, max_size=3),
)


@given(st.lists(runs, max_size=12, unique_by=lambda told: told[1].settlement_id))
def test_all_that_was_given_is_on_one_document_once(told: list[tuple[int, Run]]) -> None:
    """`told`: a run is posted in its month, or one month late."""
    invoices: list[CommissionInvoice] = []
    for month in (*MONTHS, "2026-06"):
        known = [
            run
            for late, run in told
            if (run.business_day[:7] if not late else month_after(run.business_day[:7])) <= month
        ]
        for due in commissions_due_of("org_op", month, portions_of(known), list(invoices)):
            drafted = draft_commission_invoice(due, seller=PARTY, buyer=PARTY, note=None, now=NOW, zone="UTC")
            invoices.append(replace(drafted, number=f"COM-{len(invoices)}"))
    assert len({invoice.commission_invoice_id for invoice in invoices}) == len(invoices)
    given_to: dict[tuple[str, str], int] = {}
    for _, run in told:
        for line in run.lines:
            for one in line.deductions:
                key = one.beneficiary_id, line.currency
                given_to[key] = given_to.get(key, 0) + one.total
    for (who, currency), total in given_to.items():
        own = [invoice for invoice in invoices if (invoice.beneficiary_id, invoice.currency) == (who, currency)]
        assert sum(-invoice.gross if invoice.is_credit else invoice.gross for invoice in own) == total
    for invoice in invoices:
        document = document_of_commission(invoice)
        assert (document.payable, invoice.net + invoice.tax) == (0, invoice.gross)
        assert [rule for rule in violations(document) if rule != "BR-55"] == []
        assert as_xml(document)


@pytest.mark.parametrize("text", ["", "a.b.c", "a.b.c.d.e", "a..c.d", "...", "org_x"])
def test_what_is_no_id_of_a_document(text: str) -> None:
    assert parse_commission_invoice_id(text) is None


# -- who reads it -------------------------------------------------------------------------------------------------


@pytest.fixture
def books(world: World) -> Books:
    """An operator with an agency, below a dealer of a manufacturer's; a month that gave all of them something."""
    world.platform_admin()
    maker = open_below(world, None, "manufacturer", "Maker")
    dealer = open_below(world, maker, "dealer", "Dealer")
    operator = open_below(world, dealer, "operator", "Below")
    books = open_books(world)
    books = Books(world, Operator(operator, books.operator.user, ""))
    terms = Terms("2026-01-01", vat_percent=Decimal(19))
    deductions = [
        Deduction(organization_id, "commission", 2, 3000, 1000, 0, 0, 100, 0, 19, terms)
        for organization_id in (PLATFORM_ID, maker.organization_id, dealer.organization_id)
    ]
    agency_id = books.agency().organization_id
    deductions.append(Deduction(agency_id, "agency_share", 1, 2000, 600, 0, 0, 60, 0, 0, Terms("2026-01-01")))
    line = Line("EUR", 2, 3000, 1000, 300, 583, tax=160, commission_tax=57, shares=60, deductions=deductions)
    now = world.ctx.now()
    world.commit(
        lambda uow: uow.put(RUNS, Run(books.operator_id, "2026-02-10", "posted", now, [line], now, posted_at=now))
    )
    for due in service.commissions_due(world.ctx, books.operator_id, "2026-02"):
        draft = service.draft_of_commission(world.ctx, due)
        world.commit(partial(service.issue_commission_invoice, draft=draft))
    return books


def ask(books: Books, who: str, path: str, **query: str) -> Reply:
    token = books.world.platform_admin() if who == "platform" else books.world.access_token(f"admin@{who}.example")
    return books.world.rest.get(path, token=token, query=query)


def listed(books: Books, who: str, **query: str) -> list[dict[str, Any]]:
    reply = ask(books, who, "/v1/commission-invoices", **query)
    assert reply.status == 200, reply.body
    data: list[dict[str, Any]] = reply.body["data"]
    return data


def test_the_two_sides_read_a_document_and_nobody_else(books: Books) -> None:
    received = listed(books, "below")
    assert {each["seller_name"] for each in received} == {"Platform", "Maker", "Dealer", "Agency"}
    assert {each["buyer_name"] for each in received} == {"Below"}
    for who, kind in (("platform", "commission"), ("maker", "commission"), ("dealer", "commission")):
        [own] = listed(books, who)
        assert (own["kind"], own["gross"]) == (kind, {"amount": 119, "currency": "EUR"})
    [share] = listed(books, "agency")
    assert (share["kind"], share["number"], share["rates"][0]["vat"]) == ("agency_share", "SB-2026-000001", None)
    readers = {"Platform": "platform", "Maker": "maker", "Dealer": "dealer", "Agency": "agency"}
    for each in received:
        for who in ("platform", "maker", "dealer", "agency", "below"):
            may = who in ("platform", "below", readers[each["seller_name"]])
            for ending in ("", "/pdf", "/xml"):
                path = f"/v1/commission-invoices/{each['commission_invoice_id']}{ending}"
                assert ask(books, who, path).status == (200 if may else 404), (who, path)


def test_whose_list_is_asked_for(books: Books) -> None:
    assert listed(books, "below", side="issued") == []
    assert listed(books, "dealer", side="received") == []
    assert len(listed(books, "below", month="2026-02")) == 4
    assert listed(books, "below", month="2026-03") == []
    assert listed(books, "dealer", month="2026-03") == []
    assert len(listed(books, "platform", side="received", organization_id=books.operator_id)) == 4
    for who in ("maker", "dealer", "agency"):
        reply = ask(books, who, "/v1/commission-invoices", side="received", organization_id=books.operator_id)
        assert reply.status == 404


def test_a_page_goes_on_where_the_last_one_ended(books: Books) -> None:
    first = ask(books, "below", "/v1/commission-invoices", limit="3").body
    rest = ask(books, "below", "/v1/commission-invoices", limit="3", cursor=first["next_cursor"]).body
    assert len({each["number"] + each["seller_name"] for each in first["data"] + rest["data"]}) == 4


def test_the_same_document_is_the_same_bytes(books: Books) -> None:
    [own] = listed(books, "dealer")
    invoice = service.find_commission_invoice(books.world.ctx, own["commission_invoice_id"])
    assert invoice is not None
    first = as_pdf(document_of_commission(invoice))
    books.world.advance(3600)
    again = service.find_commission_invoice(books.world.ctx, own["commission_invoice_id"])
    assert again is not None
    assert as_pdf(document_of_commission(again)) == first


def statement(books: Books, who: str) -> bytes:
    reply = ask(books, who, f"/v1/settlements/{books.operator_id}.2026-02-10/pdf")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/pdf")
    content: bytes = reply.body
    return content


def text_of(content: bytes) -> str:
    read: str = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range()
    return read


def test_a_statement_as_people_read_it(books: Books) -> None:
    read = text_of(statement(books, "below"))
    for words in (
        "Statement 2026-02-10",
        "Below",
        "10.00 EUR",
        "-3.00 EUR",
        "-0.57 EUR",
        "5.83 EUR",
        "Dealer",
        "Agency",
    ):
        assert words in read, words
    assert statement(books, "below") == statement(books, "platform")


def test_who_is_above_sees_of_a_statement_its_own_part(books: Books) -> None:
    read = text_of(statement(books, "dealer"))
    assert "Dealer" in read
    assert "Maker" not in read
    assert "Agency" not in read
    assert ask(books, "agency", f"/v1/settlements/{books.operator_id}.2026-02-10/pdf").status == 404


def test_who_works_at_some_places_reads_no_sums_of_all(books: Books) -> None:
    world = books.world
    token = world.access_token("admin@below.example")
    region = world.rest.post("/v1/regions", {"name": "Norge"}, token=token).body
    user = {"email": "nora@below.example", "full_name": "Nora", "region_ids": [region["region_id"]]}
    made = world.rest.post("/v1/users", {**user, "groups": ["operator_admin"]}, token=token)
    assert made.status == 201, made.body
    narrowed = world.access_token("nora@below.example")
    assert world.rest.get("/v1/commission-invoices", token=narrowed).status == 403
