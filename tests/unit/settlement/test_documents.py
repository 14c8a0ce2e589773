"""What people read on statements, and on the documents that bill shares."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pypdfium2
import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.settlement import service
from chalicelib.settlement.documents import statement_as_pdf
from chalicelib.settlement.model import Deduction, Line, Run
from chalicelib.settlement.model.commission_invoices import CommissionInvoice, document_of_commission
from chalicelib.settlement.model.einvoice import Party
from chalicelib.settlement.store.runs import RUNS
from tests.settling import Books, open_books
from tests.world import World

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
PARTIES = (Party("Platform AG", country="CH"), Party("Stadtwerke Süd GmbH", country="DE"))
LINE = Line(
    "EUR",
    sessions=3,
    energy_wh=30_000,
    gross=1000,
    tax=160,
    cards=200,
    invoiced=300,
    commission=100,
    cash=50,
    net=550,
    deductions=[Deduction(PLATFORM_ID, "commission", 3, 30_000, 1000, 160, 1, amount=100)],
)


def lines_of(run: Run) -> list[str]:
    content = statement_as_pdf(run, PARTIES, "UTC", {PLATFORM_ID: "Platform AG"})
    text: str = pypdfium2.PdfDocument(content)[0].get_textpage().get_text_range()
    return text.splitlines()


def test_a_statement_names_who_issues_it_and_for_whom() -> None:
    lines = lines_of(Run("org_1", "2026-03-02", "posted", NOON, [LINE], NOON, NOON))
    assert lines[:4] == ["Platform AG", "Switzerland", "Stadtwerke Süd GmbH", "Germany"]
    assert "Statement 2026-03-02" in lines
    assert not any("org_1" in line for line in lines)


def test_a_supplement_has_a_number_of_its_own() -> None:
    assert "Statement 2026-03-02/2" in lines_of(Run("org_1", "2026-03-02", "posted", NOON, [LINE], NOON, NOON, None, 2))


def test_what_stands_above_the_net_sums_up_to_it() -> None:
    """How it was paid stands apart: it is no deduction."""
    lines = lines_of(Run("org_1", "2026-03-02", "posted", NOON, [LINE], NOON, NOON))
    summed = lines[lines.index("Sold 10.00 EUR") : lines.index("Net 5.50 EUR")]
    amounts = [Decimal(line.removesuffix(" EUR").split()[-1]) for line in summed]
    assert sum(amounts) == Decimal("5.50")
    apart = [line for line in lines if line.startswith(("Paid", "Tax in", "On invoices"))]
    assert len(apart) == 4
    assert not set(apart) & set(summed)


@pytest.fixture
def books(world: World) -> Books:
    return open_books(world)


def billed(books: Books, agency_id: str, number: int = 1) -> CommissionInvoice:
    world = books.world
    given = Deduction(agency_id, "agency_share", number, 1000, 100, 0, 0, amount=10)
    now = world.ctx.now()
    run = Run(books.operator_id, "2026-01-20", "posted", now, [Line("EUR", deductions=[given])], now, now)
    world.commit(lambda uow: uow.create(RUNS, run))
    [due] = service.commissions_due(world.ctx, books.operator_id, "2026-01")
    draft = service.draft_of_commission(world.ctx, due)
    made = world.commit(lambda uow: service.issue_commission_invoice(uow, draft))
    assert isinstance(made, CommissionInvoice)
    world.run_events()
    return made


def test_who_is_billed_for_reads_what_is_missing_on_it(books: Books) -> None:
    """It is issued all the same, since the money was moved; but both hear of it."""
    world = books.world
    agency = books.agency()
    invoice = billed(books, agency.organization_id)
    token = world.access_token("admin@agency.example")
    view = world.rest.get(f"/v1/commission-invoices/{invoice.commission_invoice_id}", token=token).body
    assert {"BR-09", "BR-CO-26"} <= set(view["missing"])
    [mail] = [mail for mail in world.mails(agency.email) if invoice.number in (mail.subject or "")]
    assert "Missing on it: your address, your country, your VAT identifier" in (mail.text or "")


def test_nothing_is_said_of_what_is_there(books: Books) -> None:
    world = books.world
    agency = books.agency()
    said = {"tax_number": "DE1", "address": "Weg 1", "city": "Kiel", "country": "DE"}
    token = world.access_token("admin@agency.example")
    assert world.rest.put("/v1/settings/invoicing", said, token=token).status == 200
    invoice = billed(books, agency.organization_id)
    [mail] = [mail for mail in world.mails(agency.email) if invoice.number in (mail.subject or "")]
    assert "Missing" not in (mail.text or "")


@pytest.mark.parametrize(("sessions", "words"), [(1, "1 session,"), (2, "2 sessions,")])
def test_one_session_is_one(books: Books, sessions: int, words: str) -> None:
    [line] = document_of_commission(billed(books, books.agency().organization_id, sessions)).lines
    assert line.description is not None
    assert line.description.startswith(words)
