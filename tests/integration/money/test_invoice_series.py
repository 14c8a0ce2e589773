"""Invoices of one operator's series: numbers without gaps whoever runs at once and dies, however long they are."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chalicelib.charging import lookup
from chalicelib.drivers import service as drivers
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import income_account
from chalicelib.settlement import jobs, service
from chalicelib.settlement.model import Draft
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PriceComponent, TariffElement
from tests.integration.money.paying import Fleet, advance_to, charge, euro, found_fleet, prove
from tests.site import Site
from tests.unit.drivers.conftest import add_driver

APRIL = "2026-03-31T22:35:00+00:00"


@pytest.fixture
def fleet(site: Site) -> Fleet:
    return found_fleet(site)


def another(fleet: Fleet, number: int) -> Fleet:
    """One more enterprise of the operator, with a member who has the card `MORE<number>`."""
    site = fleet.site
    driver = add_driver(site.world, f"Driver {number}", site.operator.operator_id)
    operator_id = site.operator.operator_id
    site.world.commit(
        lambda uow: drivers.add_card(uow, id_token=f"MORE{number}", operator_id=operator_id, driver=driver)
    )
    body = {"name": f"Fleet {number}", "email": "pay@more.example", "credit_limit": euro(5000)}
    more = Fleet(site, fleet.ask("POST", "/v1/enterprises", body).body["enterprise_id"])
    more.set_member(driver)
    return more


def draft(fleet: Fleet, month: str = "2026-03") -> Draft:
    found = service.draft_invoice(fleet.site.world.ctx, fleet.site.operator.organization, fleet.enterprise, month)
    assert found is not None
    service.keep_lines(fleet.site.world.ctx, found)
    return found


def numbers(fleet: Fleet) -> list[str]:
    return sorted(invoice["number"] for invoice in fleet.invoices())


def test_two_who_issue_at_once_take_two_numbers(site: Site, fleet: Fleet) -> None:
    """Both have read the same last number; the second finds at its commit that it is taken, and takes the next."""
    second = another(fleet, 1)
    charge(site, 2000)
    charge(site, 1000, id_token="MORE1", number=1)
    advance_to(site, APRIL)
    drafts = [draft(each) for each in (fleet, second)]
    works = [UnitOfWork(site.world.ctx) for _ in drafts]
    for uow, each in zip(works, drafts, strict=True):
        service.issue_invoice(uow, each)
    works[1].commit()
    with pytest.raises(StaleRead):
        works[0].commit()
    site.world.commit(lambda uow: service.issue_invoice(uow, drafts[0]))
    assert numbers(fleet) == ["INV-2026-000001", "INV-2026-000002"]
    site.world.run_events()
    assert len(site.world.mails("pay@fleet.example")) == len(site.world.mails("pay@more.example")) == 1


def test_the_same_invoice_issued_twice_at_once_takes_one_number(site: Site, fleet: Fleet) -> None:
    charge(site, 2000)
    advance_to(site, APRIL)
    drafts = [draft(fleet), draft(fleet)]
    works = [UnitOfWork(site.world.ctx) for _ in drafts]
    for uow, each in zip(works, drafts, strict=True):
        service.issue_invoice(uow, each)
    works[0].commit()
    with pytest.raises(StaleRead):
        works[1].commit()
    again = site.world.commit(lambda uow: service.issue_invoice(uow, drafts[1]))
    assert again.lines_id == drafts[0].invoice.lines_id
    assert numbers(fleet) == ["INV-2026-000001"]


def test_the_year_of_a_number_is_the_operators(site: Site, fleet: Fleet) -> None:
    """23:35 in UTC on the last of December is 00:35 of the new year in Berlin; the month that is invoiced is of the
    old one."""
    advance_to(site, "2026-12-31T22:50:00+00:00")
    charge(site, 2000)
    advance_to(site, "2026-12-31T23:10:00+00:00")
    assert fleet.draw_up() == {"issued": 0}, "the grace is not over"
    advance_to(site, "2026-12-31T23:35:00+00:00")
    assert fleet.draw_up() == {"issued": 1}
    [invoice] = fleet.invoices()
    assert (invoice["number"], invoice["month"], invoice["issue_date"]) == ("INV-2027-000001", "2026-12", "2027-01-01")


def test_a_long_month_is_whole(site: Site, fleet: Fleet) -> None:
    """More lines than one round trip or one page takes; lines, billing records, ledger and credit say the same."""
    flat = PriceComponent("FLAT", Decimal("0.333"), Decimal(7))
    energy = PriceComponent("ENERGY", Decimal("0.37"), Decimal(19))
    elements = (TariffElement((flat, energy)),)
    site.world.commit(
        lambda uow: tariffs.replace_tariff(uow, site.tariff, name="Odd", tax_included=False, elements=elements)
    )
    limit = {"credit_limit": euro(1_000_000)}
    assert fleet.ask("PATCH", fleet.path, limit).status == 200
    sessions = [charge(site, 137 + 31 * number, number=number) for number in range(120)]
    advance_to(site, APRIL)
    assert fleet.draw_up() == {"issued": 1}
    [invoice] = fleet.invoices()
    lines, cursor = [], None
    while True:
        query = {"limit": "50"} | ({} if cursor is None else {"cursor": cursor})
        page = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/lines", query=query).body
        lines += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [line["session_id"] for line in lines] == [session.session_id for session in sessions]
    assert invoice["line_count"] == len(lines) == 120
    for name in ("net", "tax", "gross"):
        of_rates = sum(rate[name]["amount"] for rate in invoice["rates"])
        assert sum(line[name]["amount"] for line in lines) == invoice[name]["amount"] == of_rates
    cdrs = [lookup.find_cdr(site.world.ctx, session.session_id) for session in sessions]
    captured = sum((cdr.captured for cdr in cdrs if cdr is not None), Money(0, "EUR"))
    income = income_account(site.operator.operator_id, "EUR")
    entries = ledger.entries_of_account(site.world.ctx, fleet.enterprise.account_id)
    assert captured.amount == invoice["gross"]["amount"] == fleet.used() == sum(e.amount_on(income) for e in entries)
    assert fleet.pay(invoice["invoice_id"], captured.amount).status == 201
    assert fleet.used() == 0
    prove(site)


def test_a_run_that_dies_between_two_invoices_goes_on_with_the_next_number(site: Site, fleet: Fleet) -> None:
    second = another(fleet, 1)
    charge(site, 2000)
    charge(site, 1000, id_token="MORE1", number=1)
    advance_to(site, APRIL)
    assert jobs.draw_up_invoice(site.world.ctx, site.operator.organization, second.enterprise, "2026-03")
    draft(fleet)
    assert fleet.draw_up() == {"issued": 1}
    assert numbers(fleet) == ["INV-2026-000001", "INV-2026-000002"]
    assert fleet.draw_up() == {"issued": 0}
