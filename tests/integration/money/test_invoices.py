"""The turn of the month: one invoice each, whatever breaks, repeats, or comes too late."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, income_account
from chalicelib.settlement import jobs, service
from tests.integration.money.paying import Fleet, advance_to, balances_by_class, charge, euro, found_fleet, prove
from tests.site import Site
from tests.unit.drivers.conftest import add_driver

APRIL = "2026-03-31T22:35:00+00:00"
MAY = "2026-04-30T22:35:00+00:00"


@pytest.fixture
def fleet(site: Site) -> Fleet:
    return found_fleet(site)


def second_fleet(fleet: Fleet) -> Fleet:
    """Another enterprise of the operator, with a member of its own who has the card SECOND."""
    site = fleet.site
    driver = add_driver(site.world, "Sam Second", site.operator.operator_id)
    operator_id = site.operator.operator_id
    site.world.commit(lambda uow: drivers.add_card(uow, id_token="SECOND", operator_id=operator_id, driver=driver))
    body = {"name": "Zweite", "email": "pay@second.example", "credit_limit": euro(5000)}
    second = Fleet(site, fleet.ask("POST", "/v1/enterprises", body).body["enterprise_id"])
    second.set_member(driver)
    return second


def stray_income(fleet: Fleet, amount: int) -> None:
    """Money in the ledger of which no CDR tells."""
    site, account_id = fleet.site, fleet.enterprise.account_id
    entry = Entry(
        entry_id=site.world.ctx.new_id("ent"),
        home_account_id=account_id,
        kind="consumption",
        currency="EUR",
        postings=[Posting(account_id, -amount), Posting(income_account(site.operator.operator_id, "EUR"), amount)],
        occurred_at=site.world.ctx.now(),
        source_id="a mistake",
        business_day="2026-03-10",
    )
    site.world.commit(lambda uow: ledger.post(uow, entry))


def numbers(fleet: Fleet) -> list[str]:
    return [invoice["number"] for invoice in fleet.invoices()][::-1]


def test_each_enterprise_has_its_own_invoice_and_the_series_has_no_gap(site: Site, fleet: Fleet) -> None:
    second = second_fleet(fleet)
    charge(site, 2000)
    charge(site, 1000, id_token="SECOND", number=2)
    advance_to(site, APRIL)
    assert fleet.draw_up() == {"issued": 2}
    charge(site, 1000, number=3)
    advance_to(site, MAY)
    assert fleet.draw_up() == {"issued": 1}
    assert sorted(numbers(fleet)) == ["INV-2026-000001", "INV-2026-000002", "INV-2026-000003"]
    assert [each["gross"] for each in fleet.invoices(enterprise_id=second.enterprise_id)] == [euro(35)]
    assert [each["gross"] for each in fleet.invoices(month="2026-04")] == [euro(35)]


def test_a_series_begins_anew_with_the_year_of_issue(site: Site, fleet: Fleet) -> None:
    charge(site, 2000)
    advance_to(site, APRIL)
    fleet.draw_up()
    advance_to(site, "2026-12-20T10:00:00+00:00")
    charge(site, 1000, number=2)
    advance_to(site, "2027-01-02T10:00:00+00:00")
    fleet.draw_up()
    assert numbers(fleet) == ["INV-2026-000001", "INV-2027-000001"]


def test_books_that_do_not_agree_make_no_invoice_and_keep_nobody_else_from_theirs(site: Site, fleet: Fleet) -> None:
    second = second_fleet(fleet)
    charge(site, 2000)
    charge(site, 1000, id_token="SECOND", number=2)
    stray_income(fleet, 7)
    for moment in (APRIL, MAY):
        advance_to(site, moment)
        with pytest.raises(RuntimeError, match="1 operators"):
            fleet.draw_up()
    site.world.run_events()
    assert [invoice["enterprise_id"] for invoice in fleet.invoices()] == [second.enterprise_id]
    stray_income(fleet, -7)
    assert fleet.draw_up() == {"issued": 1}
    assert [invoice["gross"] for invoice in fleet.invoices(enterprise_id=fleet.enterprise_id)] == [euro(70)]


def test_a_run_that_died_after_the_lines_were_written_is_made_up_for(site: Site, fleet: Fleet) -> None:
    charge(site, 2000)
    advance_to(site, APRIL)
    draft = service.draft_invoice(site.world.ctx, site.operator.organization, fleet.enterprise, "2026-03")
    assert draft is not None
    service.keep_lines(site.world.ctx, draft)
    assert fleet.draw_up() == {"issued": 1}
    [invoice] = fleet.invoices()
    lines = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/lines").body["data"]
    assert (invoice["line_count"], len(lines)) == (1, 1)


def test_drawn_up_twice_at_once_it_is_one_invoice(site: Site, fleet: Fleet) -> None:
    charge(site, 2000)
    advance_to(site, APRIL)
    context, operator = site.world.ctx, site.operator.organization
    drafts = [service.draft_invoice(context, operator, fleet.enterprise, "2026-03") for _ in range(2)]
    for draft in drafts:
        assert draft is not None
        service.keep_lines(context, draft)
        issued = site.world.commit(lambda uow, draft=draft: service.issue_invoice(uow, draft))
        assert issued.number == "INV-2026-000001"
    site.world.run_events()
    assert len(site.world.mails("pay@fleet.example")) == 1
    [invoice] = fleet.invoices()
    lines = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/lines").body["data"]
    assert sum(line["gross"]["amount"] for line in lines) == invoice["gross"]["amount"] == 70


def test_what_was_told_too_late_for_an_invoice_is_on_the_next_one(site: Site, fleet: Fleet) -> None:
    """The invoice of March is made before the last charge of a business day of March, as where the operator moved."""
    charge(site, 2000)
    operator = site.operator.organization
    assert jobs.draw_up_invoice(site.world.ctx, operator, fleet.enterprise, "2026-03")
    late = charge(site, 1000, number=2)
    advance_to(site, "2026-04-10T10:00:00+00:00")
    charge(site, 3000, number=3)
    advance_to(site, MAY)
    fleet.draw_up()
    april, march = fleet.invoices()
    assert (march["gross"], april["gross"], april["line_count"]) == (euro(70), euro(140), 2)
    lines = fleet.ask("GET", f"/v1/invoices/{april['invoice_id']}/lines").body["data"]
    assert lines[0]["session_id"] == late.session_id
    assert fleet.used() == 210


def test_a_charge_over_midnight_belongs_to_the_month_in_which_it_ends(site: Site, fleet: Fleet) -> None:
    advance_to(site, "2026-03-31T21:30:00+00:00")
    outcome = site.start(meter_wh=1000)
    advance_to(site, "2026-03-31T22:10:00+00:00")
    site.stop(outcome.transaction_id, 3000)
    advance_to(site, APRIL)
    assert fleet.draw_up() == {"issued": 0}
    advance_to(site, MAY)
    assert fleet.draw_up() == {"issued": 1}


def test_a_month_without_a_cost_has_no_invoice(site: Site, fleet: Fleet) -> None:
    charge(site, 0)
    advance_to(site, APRIL)
    assert fleet.draw_up() == {"issued": 0}
    assert fleet.invoices() == []


def test_a_name_that_changes_does_not_change_what_was_printed(site: Site, fleet: Fleet) -> None:
    charge(site, 2000)
    advance_to(site, APRIL)
    fleet.draw_up()
    fleet.ask("PATCH", fleet.path, {"name": "Renamed"})
    driver = drivers.require_driver(site.world.ctx, site.driver.driver_id)
    site.world.commit(lambda uow: drivers.change_driver(uow, driver, {"full_name": "Somebody Else"}))
    [invoice] = fleet.invoices()
    [line] = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/lines").body["data"]
    assert (invoice["name"], line["driver_name"]) == ("Flotte GmbH", "Dana Driver")


def test_a_void_invoice_is_owed_by_nobody(site: Site, fleet: Fleet) -> None:
    charge(site, 2000)
    advance_to(site, APRIL)
    fleet.draw_up()
    [invoice] = fleet.invoices()
    path = f"/v1/invoices/{invoice['invoice_id']}/void"
    reply = fleet.ask("POST", path, {"reason": "Goodwill"}, key="void-1")
    assert (reply.status, reply.body["state"], reply.body["open_amount"]) == (200, "void", euro(0))
    assert fleet.ask("POST", path, {"reason": "Goodwill"}, key="void-2").status == 409
    assert fleet.pay(invoice["invoice_id"], 70).status == 409
    assert fleet.used() == 0
    advance_to(site, MAY)
    assert fleet.draw_up() == {"issued": 0}
    prove(site)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"amount": euro(0)}, "/amount/amount"),
        ({"amount": euro(-1)}, "/amount/amount"),
        ({"amount": euro(71)}, "/amount/amount"),
        ({"amount": {"amount": 70, "currency": "NOK"}}, "/amount/currency"),
        ({"paid_at": "2026-06-01T00:00:00Z"}, "/paid_at"),
    ],
)
def test_a_wrong_payment_changes_nothing(site: Site, fleet: Fleet, fields: dict[str, Any], pointer: str) -> None:
    charge(site, 2000)
    advance_to(site, APRIL)
    fleet.draw_up()
    [invoice] = fleet.invoices()
    before = balances_by_class(site)
    body = {"amount": euro(70), "reference": "IBAN 1", "paid_at": site.world.ctx.now().isoformat(), **fields}
    reply = fleet.ask("POST", f"/v1/invoices/{invoice['invoice_id']}/payments", body, key="payment-1")
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, pointer)
    assert balances_by_class(site) == before
    assert fleet.invoices() == [invoice]


def test_two_payments_at_once_are_not_more_than_is_owed(site: Site, fleet: Fleet) -> None:
    """Both have read the invoice when it was open; the second is decided again, and refused."""
    charge(site, 2000)
    advance_to(site, APRIL)
    fleet.draw_up()
    invoice_id = fleet.invoices()[0]["invoice_id"]
    stale = service.find_invoice(site.world.ctx, invoice_id)
    assert stale is not None
    assert fleet.pay(invoice_id, 70).status == 201
    with pytest.raises(Exception, match="concurrent_change"):
        site.world.commit(
            lambda uow: service.record_payment(
                uow,
                replace(stale),
                payment_id=site.world.ctx.new_id("ipy"),
                amount=stale.open_amount,
                reference="again",
                paid_at=site.world.ctx.now(),
                recorded_by="test",
            )
        )
    assert fleet.used() == 0


def test_one_enterprises_trouble_does_not_keep_the_others_from_later_months(site: Site, fleet: Fleet) -> None:
    second = second_fleet(fleet)
    charge(site, 2000)
    stray_income(fleet, 7)
    advance_to(site, APRIL)
    with pytest.raises(RuntimeError, match="1 operators"):
        fleet.draw_up()
    charge(site, 1000, number=2)
    charge(site, 1000, id_token="SECOND", number=3)
    advance_to(site, MAY)
    with pytest.raises(RuntimeError, match="1 operators"):
        fleet.draw_up()
    assert [(each["enterprise_id"], each["month"]) for each in fleet.invoices()] == [(second.enterprise_id, "2026-04")]
    stray_income(fleet, -7)
    assert fleet.draw_up() == {"issued": 2}
    mine = fleet.invoices(enterprise_id=fleet.enterprise_id)
    assert [(each["month"], each["gross"]) for each in mine] == [("2026-04", euro(35)), ("2026-03", euro(70))]
