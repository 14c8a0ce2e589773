"""What an operator gave to others is billed when the month is settled: once, to the cent, under one number each."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from xml.etree import ElementTree

import pypdfium2
import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel import context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.settlement import jobs, service
from chalicelib.settlement.documents import as_pdf, as_xml
from chalicelib.settlement.documents.ubl import CAC, CBC
from chalicelib.settlement.model import ContractKind, Deduction, Line, Run, Terms
from chalicelib.settlement.model.commission_invoices import CommissionInvoice, document_of_commission
from chalicelib.settlement.model.einvoice import violations
from chalicelib.settlement.store.runs import RUNS
from tests import world as worlds
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.settling import Books, open_books
from tests.world import World

APRIL = "2026-04-01T12:00:00+00:00"
MAY = "2026-05-01T12:00:00+00:00"
SELLER = {"legal_name": "Platform AG", "tax_number": "DE1", "address": "Weg 1", "country": "DE", "prefix": "WF-"}


@pytest.fixture
def books(world: World) -> Books:
    world.platform_admin()
    return open_books(world)


def advance_to(world: World, moment: str) -> None:
    world.advance((datetime.fromisoformat(moment) - world.clock.now()).total_seconds())


def settle_until(books: Books, moment: str) -> None:
    """All days that are over then."""
    advance_to(books.world, moment)
    books.world.run_job(jobs.open_settlements)
    for pending in list(service.pending_runs(books.world.ctx)):
        if pending.operator_id == books.operator_id:
            assert books.settle(pending.business_day, pending.number)["state"] == "posted"


def posted(books: Books, day: str, *deductions: Deduction, number: int = 1) -> Run:
    """A run as settlement leaves it, without the sales behind it."""
    now = books.world.ctx.now()
    run = Run(
        books.operator_id, day, "posted", now, [Line("EUR", deductions=list(deductions))], now, now, number=number
    )
    books.world.commit(lambda uow: uow.put(RUNS, run))
    return run


def part(
    amount: int,
    vat: int = 0,
    *,
    of: str = PLATFORM_ID,
    fee: int = 0,
    percent: int = 19,
    kind: ContractKind = "commission",
) -> Deduction:
    terms = Terms("2026-03-01", vat_percent=Decimal(percent))
    return Deduction(of, kind, 1, 1000, amount * 10, 0, int(bool(fee)), amount, fee, vat, terms)


def bill(books: Books) -> int:
    answer: dict[str, int] = books.world.run_job(jobs.draw_up_invoices)
    books.world.run_events()
    return answer["issued"]


def issued(books: Books, beneficiary_id: str = PLATFORM_ID) -> list[CommissionInvoice]:
    """Oldest first."""
    page = service.list_issued_commission_invoices(books.world.ctx, beneficiary_id, limit=100, cursor=None)
    return page.data[::-1]


def mailed(world: World, number: str, to: str | None = None) -> list[str]:
    """The texts of mails with that in their subject."""
    return [mail.text or "" for mail in world.mails(to) if number in (mail.subject or "")]


def numbers(books: Books) -> list[str]:
    page = service.list_received_commission_invoices(books.world.ctx, books.operator_id, limit=100, cursor=None)
    return sorted(invoice.number for invoice in page.data)


def test_a_month_is_billed_at_its_rates_as_it_was_settled(books: Books) -> None:
    """A contract that changes in the middle of the month, and its tax with it; a card payment's fee beside it."""
    world = books.world
    path = "/v1/settings/invoicing"
    admin = world.platform_admin()
    assert world.rest.put(path, SELLER, token=admin).status == 200
    contract = books.agree(PLATFORM_ID, percent=Decimal(10), per_card_payment=30, vat_percent=Decimal(19))
    later = Terms("2026-03-16", percent=Decimal(5), vat_percent=Decimal(7))
    operator = books.operator.organization
    world.commit(lambda uow: service.change_terms(uow, operator, contract, later))
    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        books.sell(173, day=day)
    books.sell(1000, "card", day="2026-03-15")
    books.sell(2000, "enterprise", day="2026-03-16")
    books.sell(1000, day="2026-03-31")
    settle_until(books, APRIL)
    assert bill(books) == 1
    [invoice] = issued(books)
    assert (invoice.number, invoice.month, invoice.issue_date) == ("WF-COM-2026-000001", "2026-03", "2026-04-01")
    assert [(p.vat, p.amount, p.fee, p.tax, p.sessions, p.sold) for p in invoice.parts] == [
        ("19", 3 * 17 + 100, 30, 3 * 3 + 25, 4, 3 * 173 + 1000),
        ("7", 150, 0, 11, 2, 3000),
    ]
    assert invoice.gross == books.owed(PLATFORM_ID) == invoice.net + invoice.tax
    document = document_of_commission(invoice)
    assert [(line.net, line.vat) for line in document.lines] == [(151, "19"), (30, "19"), (150, "7")]
    assert (document.paid, document.payable) == (invoice.gross, 0)
    assert violations(document) == []
    read = pypdfium2.PdfDocument(as_pdf(document))[0].get_textpage().get_text_range()
    for words in ("Invoice WF-COM-2026-000001", "Platform AG", "Commission 2026-03", "VAT 7 %", "nothing is left"):
        assert words in read, words
    root = ElementTree.fromstring(as_xml(document))
    said = {
        name: root.findtext(f".//{{{CBC}}}{name}") for name in ("InvoiceTypeCode", "PrepaidAmount", "PayableAmount")
    }
    assert said == {"InvoiceTypeCode": "380", "PrepaidAmount": "3.76", "PayableAmount": "0.00"}
    assert len(root.findall(f"{{{CAC}}}InvoiceLine")) == 3
    [mail] = mailed(world, "WF-COM-2026-000001", operator.email)
    assert "3.76 EUR" in mail


def test_cents_that_were_rounded_day_by_day_are_the_rounding_amount(books: Books) -> None:
    for day in range(1, 11):
        posted(books, f"2026-03-{day:02d}", part(17, 3))
    posted(books, "2026-03-31")
    advance_to(books.world, APRIL)
    bill(books)
    document = document_of_commission(issued(books)[0])
    assert (document.net, document.tax, document.rounding, document.paid, document.payable) == (170, 32, -2, 200, 0)


def test_a_document_has_the_date_of_the_operator_whose_month_it_bills(world: World) -> None:
    """In Auckland March is over while it is the 31st in UTC, where the platform is: no document is of the month that it
    bills, and that of the agency has the same date."""
    world.platform_admin()
    books = open_books(world, time_zone="Pacific/Auckland")
    books.agree(PLATFORM_ID, valid_from="2026-03-03", percent=Decimal(10))
    books.sell(1000, day="2026-03-31")
    books.sell(500, day="2026-04-01")
    settle_until(books, "2026-03-31T10:50:00+00:00")
    assert bill(books) == 0
    settle_until(books, "2026-03-31T11:20:00+00:00")
    assert bill(books) == 1
    [invoice] = issued(books)
    assert (invoice.month, invoice.gross, invoice.issue_date) == ("2026-03", 100, "2026-04-01")


def test_a_month_waits_until_all_its_days_are_posted(books: Books) -> None:
    books.agree(PLATFORM_ID, percent=Decimal(10))
    books.sell(1000)
    advance_to(books.world, APRIL)
    books.world.run_job(jobs.open_settlements)
    runs = list(service.pending_runs(books.world.ctx))
    for pending in runs[1:]:
        books.settle(pending.business_day)
    assert (bill(books), issued(books)) == (0, [])
    books.settle(runs[0].business_day)
    assert bill(books) == 1


def test_done_again_it_is_the_same(books: Books) -> None:
    agency = books.agency()
    share = part(50, of=agency.organization_id, kind="agency_share")
    posted(books, "2026-03-10", part(100, 19), share)
    posted(books, "2026-03-31")
    advance_to(books.world, APRIL)
    assert bill(books) == 2
    assert bill(books) == 0
    posted(books, "2026-04-05", part(100, 19), share)
    posted(books, "2026-04-30")
    advance_to(books.world, MAY)
    assert bill(books) == 2
    assert numbers(books) == ["COM-2026-000001", "COM-2026-000002", "SB-2026-000001", "SB-2026-000002"]
    assert len(mailed(books.world, "COM-", books.operator.organization.email)) == 2
    assert len(mailed(books.world, "SB-", agency.email)) == 2


def test_two_who_bill_at_once_take_one_number(books: Books) -> None:
    posted(books, "2026-03-31", part(100, 19))
    advance_to(books.world, APRIL)
    ctx = books.world.ctx
    [due] = service.commissions_due(ctx, books.operator_id, "2026-03")
    works = [UnitOfWork(ctx), UnitOfWork(ctx)]
    drafts = [service.draft_of_commission(ctx, due) for _ in works]
    for uow, draft in zip(works, drafts, strict=True):
        assert service.issue_commission_invoice(uow, draft) is not None
    works[1].commit()
    with pytest.raises(StaleRead):
        works[0].commit()
    assert books.world.commit(lambda uow: service.issue_commission_invoice(uow, drafts[0])) is None
    assert numbers(books) == ["COM-2026-000001"]


def test_who_comes_late_adds_nothing_to_a_month_that_is_closed(books: Books) -> None:
    """One job has read a supplement that the other, which closes the month, has not: the next month bills it, alone."""
    posted(books, "2026-03-31")
    advance_to(books.world, APRIL)
    ctx = books.world.ctx
    posted(books, "2026-03-30", part(100, 19), number=2)
    [due] = service.commissions_due(ctx, books.operator_id, "2026-03")
    slow = UnitOfWork(ctx)
    draft = service.draft_of_commission(ctx, due)
    assert service.issue_commission_invoice(slow, draft) is not None
    books.world.commit(lambda uow: service.close_commission_month(uow, books.operator_id, "2026-03"))
    with pytest.raises(StaleRead):
        slow.commit()
    assert books.world.commit(lambda uow: service.issue_commission_invoice(uow, draft)) is None
    posted(books, "2026-04-30")
    advance_to(books.world, MAY)
    bill(books)
    assert [(invoice.month, invoice.gross) for invoice in issued(books)] == [("2026-04", 119)]


def test_what_a_supplement_gave_late_is_on_the_next_months(books: Books) -> None:
    posted(books, "2026-03-31", part(100, 19))
    advance_to(books.world, APRIL)
    bill(books)
    late = posted(books, "2026-03-31", part(7, 1), number=2)
    april = posted(books, "2026-04-30", part(200, 38))
    advance_to(books.world, MAY)
    bill(books)
    assert [(invoice.month, invoice.gross) for invoice in issued(books)] == [("2026-03", 119), ("2026-04", 246)]
    assert issued(books)[1].settlement_ids == [late.settlement_id, april.settlement_id]


def test_a_month_that_took_back_more_is_a_credit_note(books: Books) -> None:
    posted(books, "2026-03-31", part(100, 19))
    advance_to(books.world, APRIL)
    bill(books)
    agency_id = books.agency().organization_id
    taken_back = part(-40, percent=0, of=agency_id, kind="agency_share")
    posted(books, "2026-04-10", part(-100, -19), taken_back)
    posted(books, "2026-04-30", part(10, 2))
    advance_to(books.world, MAY)
    assert bill(books) == 2
    credit = issued(books)[1]
    assert (credit.is_credit, credit.type_code, credit.gross, credit.number) == (True, "381", 107, "COM-2026-000002")
    document = document_of_commission(credit)
    assert (document.preceding, document.net, document.tax, document.payable) == ("COM-2026-000001", 90, 17, 0)
    root = ElementTree.fromstring(as_xml(document))
    assert root.tag == "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
    [share] = issued(books, agency_id)
    assert (share.type_code, share.gross, share.preceding) == ("261", 40, None)


def test_one_beneficiarys_trouble_does_not_keep_the_others_from_theirs(books: Books) -> None:
    agency_id = books.agency().organization_id
    posted(books, "2026-03-10", part(10, of="org_gone"), part(50, of=agency_id, kind="agency_share"), part(100, 19))
    posted(books, "2026-03-31")
    advance_to(books.world, APRIL)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="1 operators"):
            bill(books)
    assert numbers(books) == ["COM-2026-000001", "SB-2026-000001"]


@pytest.mark.parametrize("carried_out", [False, True], ids=["before the call", "after the call"])
def test_a_crash_at_any_call_to_the_store_leaves_no_gap(carried_out: bool) -> None:
    crashes = 0
    while dies_and_goes_on((crashes + 1, carried_out)):
        crashes += 1
    assert crashes > 20


def dies_and_goes_on(crash_at: tuple[int, bool]) -> bool:
    """False when the job came to its end before that call."""
    world = worlds.build()
    mortal = MortalContext(world.ctx)
    try:
        world.platform_admin()
        books = open_books(world)
        agency_id = books.agency().organization_id
        posted(books, "2026-03-10", part(100, 19), part(50, of=agency_id, kind="agency_share"))
        posted(books, "2026-03-31", part(10, 1))
        advance_to(world, APRIL)
        mortal.crash_at = crash_at
        context.install(mortal)
        with suppress(Crash, RuntimeError):
            world.run_job(jobs.draw_up_invoices)
        died = mortal.calls >= crash_at[0]
        context.install(world.ctx)
        bill(books)
        assert numbers(books) == ["COM-2026-000001", "SB-2026-000001"]
        assert [invoice.gross for invoice in (*issued(books), *issued(books, agency_id))] == [130, 50]
        assert service.newest_commission_month(world.ctx, books.operator_id) == "2026-03"
        assert len(mailed(world, "COM-") + mailed(world, "SB-")) == 2
        return died
    finally:
        world.close()
