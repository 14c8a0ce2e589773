"""An enterprise pays for its drivers: on the operator's credit, within limits, by one invoice a month."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.drivers import service as drivers
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import payable_account, receivable_account
from chalicelib.settlement import jobs
from tests.integration.money.paying import Fleet, advance_to, balances_by_class, charge, euro, found_fleet, prove
from tests.site import CARD, Site
from tests.unit.charging.teller import Teller


@pytest.fixture
def fleet(site: Site) -> Fleet:
    return found_fleet(site)


def authorize(site: Site) -> str:
    return charging.authorize_id_token(site.world.ctx, charger=site.charger, id_token=CARD).status


# -- who pays -------------------------------------------------------------------------------------------------------


def test_a_members_card_takes_of_the_credit_and_not_of_the_wallet(site: Site, fleet: Fleet) -> None:
    before = site.lines()
    session = charge(site, 2000)
    assert (session.enterprise_id, session.cost, session.captured) == (fleet.enterprise_id, 70, 70)
    assert fleet.used() == 70
    assert fleet.used_by_member() == 70
    assert site.lines() == before
    assert site.income() == 70
    cdr = lookup.find_cdr(site.world.ctx, session.session_id)
    assert cdr is not None
    assert cdr.enterprise_id == fleet.enterprise_id
    view = fleet.ask("GET", f"/v1/sessions/{session.session_id}").body
    assert (view["payer"], view["enterprise_id"]) == ("enterprise", fleet.enterprise_id)
    prove(site)


def test_while_a_charge_runs_its_hold_is_used_credit(site: Site, fleet: Fleet) -> None:
    site.start(meter_wh=1000)
    assert fleet.used() == 2000
    assert fleet.used_by_member() == 2000


def test_the_app_asks_the_enterprise_unless_the_driver_chooses_the_wallet(site: Site, fleet: Fleet) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    body = {"charger_id": site.charger.charger_id, "evse_no": 1, "amount": euro(500)}
    first = site.world.rest.post("/v1/driver/sessions", body, token=token, key="k1")
    assert (first.status, first.body["payer"]) == (201, "enterprise")
    assert (fleet.used(), site.available()) == (500, 2000)
    body |= {"evse_no": 2, "pay_by": "wallet"}
    second = site.world.rest.post("/v1/driver/sessions", body, token=token, key="k2")
    assert (second.status, second.body["payer"]) == (201, "wallet")
    assert (fleet.used(), site.available()) == (500, 1500)


def test_a_request_that_nobody_follows_gives_all_back(site: Site, fleet: Fleet) -> None:
    session = site.request(500)
    site.world.commit(lambda uow: charging.expire_request(uow, session.session_id))
    assert (fleet.used(), fleet.used_by_member()) == (0, 0)
    prove(site)


def test_a_request_that_begins_after_its_time_is_still_the_enterprises(site: Site, fleet: Fleet) -> None:
    """The charger was offline: it began while it was wanted, and told so later."""
    session = site.request(500)
    began = site.world.clock.now()
    site.advance_s(200)
    site.world.commit(lambda uow: charging.expire_request(uow, session.session_id))
    outcome = site.start_from_app(at=began)
    site.stop(outcome.transaction_id, 3000)
    last = site.sessions()[-1]
    assert (last.enterprise_id, last.captured) == (fleet.enterprise_id, 70)
    assert site.available() == 2000


def test_a_card_that_was_taken_back_before_its_charge_was_told_is_still_the_enterprises(
    site: Site, fleet: Fleet
) -> None:
    """The charger was offline; the card is in the drawer when it tells what it delivered."""
    began = site.world.clock.now()
    site.advance_s(600)
    card = drivers.require_card(site.world.ctx, CARD)
    site.world.commit(lambda uow: drivers.unbind_card(uow, card))
    outcome = site.start(at=began)
    site.stop(outcome.transaction_id, 3000)
    assert site.sessions()[-1].enterprise_id == fleet.enterprise_id
    assert (fleet.used(), site.available()) == (70, 2000)


def test_at_another_operators_chargers_a_member_pays_alone(site: Site, fleet: Fleet) -> None:
    found = drivers.coverage(
        site.world.ctx,
        drivers.require_driver(site.world.ctx, site.driver.driver_id).enterprises,
        operator_id=site.world.operator().operator_id,
        driver_id=site.driver.driver_id,
        id_token=CARD,
        currency="EUR",
        month="2026-03",
    )
    assert found is None


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_told_in_pieces_in_any_order_it_is_the_enterprises(site: Site, fleet: Fleet, order: tuple[int, ...]) -> None:
    """OCPP 2.x; energy may be told before the card is."""
    teller = Teller(site)
    pieces = (teller.started(), teller.updated(1100), teller.ended())
    teller.tell(*(pieces[number] for number in order))
    assert (teller.session().enterprise_id, teller.session().captured) == (fleet.enterprise_id, 7)
    assert (fleet.used(), fleet.used_by_member(), site.available()) == (7, 7, 2000)


def test_the_receipt_names_who_paid(site: Site, fleet: Fleet) -> None:
    site.wants_receipts()
    charge(site, 2000)
    [mail] = site.world.mails(site.driver.email)
    assert "Paid by: Flotte GmbH" in mail.text
    assert "Refunded" not in mail.text


# -- limits ---------------------------------------------------------------------------------------------------------


def test_a_month_that_is_used_up_refuses_the_card_and_the_app(site: Site, fleet: Fleet) -> None:
    fleet.set_member(monthly_limit=70)
    charge(site, 2000)
    assert authorize(site) == "no_credit"
    with pytest.raises(DomainError) as refused:
        site.request(100)
    assert refused.value.code == "enterprise.limit_reached"
    assert site.available() == 2000
    advance_to(site, "2026-03-31T21:59:00+00:00")
    assert authorize(site) == "no_credit"
    advance_to(site, "2026-03-31T22:01:00+00:00")  # April, in Berlin
    assert authorize(site) == "accepted"


def test_energy_that_flows_all_the_same_is_nobodys_private_money(site: Site, fleet: Fleet) -> None:
    fleet.set_member(monthly_limit=70)
    charge(site, 2000)
    session = charge(site, 1000, number=2)
    assert (session.authorization, session.captured, session.cost) == ("no_credit", 0, 35)
    assert (site.available(), fleet.used()) == (2000, 70)


def test_a_card_falls_back_to_the_wallet_only_where_the_membership_says_so(site: Site, fleet: Fleet) -> None:
    fleet.set_member(monthly_limit=70, wallet_fallback=True)
    charge(site, 2000)
    assert authorize(site) == "accepted"
    session = charge(site, 2000, number=2)
    assert (session.enterprise_id, session.captured) == (None, 70)
    assert (site.available(), fleet.used()) == (1930, 70)


def test_a_cost_beyond_the_hold_stops_at_the_members_limits(site: Site, fleet: Fleet) -> None:
    fleet.set_member(per_session_limit=2100)
    session = charge(site, 100_000)
    assert (session.cost, session.captured) == (3500, 2100)
    fleet.set_member(monthly_limit=2150)
    session = charge(site, 100_000, number=2)
    assert (session.held, session.captured) == (50, 50)
    assert fleet.used_by_member() == 2150
    prove(site)


def test_a_credit_that_is_used_up_refuses(site: Site) -> None:
    fleet = found_fleet(site, limit=70)
    charge(site, 2000)
    assert authorize(site) == "no_credit"
    assert fleet.free() == 0


def test_an_enterprise_that_is_deactivated_pays_for_nothing_new(site: Site, fleet: Fleet) -> None:
    running = site.start(meter_wh=1000)
    assert fleet.ask("DELETE", fleet.path).status == 204
    site.stop(running.transaction_id, 3000)
    assert fleet.used() == 70
    assert authorize(site) == "no_credit"
    with pytest.raises(DomainError) as refused:
        site.request(100)
    assert refused.value.code == "enterprise.inactive"
    assert fleet.ask("POST", f"{fleet.path}/restore").status == 200
    assert authorize(site) == "accepted"


def test_a_driver_who_is_no_member_any_more_pays_alone(site: Site, fleet: Fleet) -> None:
    running = site.start(meter_wh=1000)
    assert fleet.ask("DELETE", f"{fleet.path}/members/{site.driver.driver_id}").status == 204
    site.stop(running.transaction_id, 101_000)  # 35.00: beyond the hold nobody is asked
    assert (fleet.used(), site.available()) == (2000, 2000)
    assert charge(site, 2000, number=2).enterprise_id is None
    assert site.available() == 1930
    prove(site)


def test_only_the_cards_that_are_named_charge_on_the_enterprise(site: Site, fleet: Fleet) -> None:
    driver = drivers.require_driver(site.world.ctx, site.driver.driver_id)
    operator_id = site.operator.operator_id
    site.world.commit(lambda uow: drivers.add_card(uow, id_token="WORK1", operator_id=operator_id, driver=driver))
    fleet.set_member(id_tokens=["work1"])
    assert charge(site, 1000, id_token="WORK1").enterprise_id == fleet.enterprise_id
    assert charge(site, 1000, number=2).enterprise_id is None
    assert site.request(100).enterprise_id is None


# -- two at once ----------------------------------------------------------------------------------------------------


def ask(uow: UnitOfWork, site: Site, evse_no: int, amount: int, session_id: str) -> None:
    charging.request_session(
        uow,
        session_id=session_id,
        driver_id=site.driver.driver_id,
        charger_id=site.charger.charger_id,
        evse_no=evse_no,
        amount=Money(amount, "EUR"),
    )


@pytest.mark.parametrize(
    ("credit", "monthly"), [(500, None), (10_000, 500)], ids=["of the credit", "of the member's month"]
)
def test_the_last_of_it_is_given_out_once(site: Site, credit: int, monthly: int | None) -> None:
    """Two requests are decided on the same reading; the second finds at its commit that it has to look again."""
    fleet = found_fleet(site, limit=credit, monthly_limit=monthly)
    ctx = site.world.ctx
    first, second = UnitOfWork(ctx), UnitOfWork(ctx)
    ask(first, site, 1, 400, ctx.new_id("ses"))
    ask(second, site, 2, 400, again := ctx.new_id("ses"))
    first.commit()
    with pytest.raises(StaleRead):
        second.commit()
    with pytest.raises(DomainError) as refused:
        site.world.commit(lambda uow: ask(uow, site, 2, 400, again))
    assert refused.value.code == "enterprise.limit_reached"
    assert (fleet.used(), site.available()) == (400, 2000)
    prove(site)


def test_a_member_who_is_removed_at_this_moment_is_not_brought_back(site: Site, fleet: Fleet) -> None:
    ctx = site.world.ctx
    driver = drivers.require_driver(ctx, site.driver.driver_id)
    member = drivers.require_member(ctx, fleet.enterprise_id, driver.driver_id)
    changing = UnitOfWork(ctx)
    drivers.put_member(changing, fleet.enterprise, driver, replace(member, monthly_limit=1))
    site.world.commit(lambda uow: drivers.remove_member(uow, fleet.enterprise, driver))
    with pytest.raises(StaleRead):
        changing.commit()
    assert drivers.find_member(ctx, fleet.enterprise_id, driver.driver_id) is None


def test_the_operator_of_a_charge_that_two_would_pay_gets_it_once(site: Site, fleet: Fleet) -> None:
    """The membership ends and begins while a charge runs: who pays was said at its begin."""
    charge(site, 1000)
    running = site.start(meter_wh=1000, message_id="running")
    fleet.ask("DELETE", f"{fleet.path}/members/{site.driver.driver_id}")
    site.stop(running.transaction_id, 3000)
    own = site.start(meter_wh=1000, message_id="own")
    fleet.set_member()
    site.stop(own.transaction_id, 4000)
    assert (fleet.used(), 2000 - site.available(), site.income()) == (35 + 70, 105, 35 + 70 + 105)
    prove(site)


# -- the month's end ------------------------------------------------------------------------------------------------


def test_the_story_of_a_month(site: Site, fleet: Fleet) -> None:
    charge(site, 2000)
    advance_to(site, "2026-03-20T10:00:00+00:00")
    charge(site, 1000, number=2)
    assert fleet.draw_up() == {"issued": 0}
    advance_to(site, "2026-03-31T22:35:00+00:00")
    assert fleet.draw_up() == {"issued": 1}
    assert fleet.draw_up() == {"issued": 0}
    [invoice] = fleet.invoices()
    assert (invoice["number"], invoice["month"], invoice["state"]) == ("INV-2026-000001", "2026-03", "open")
    assert (invoice["gross"], invoice["line_count"], invoice["due_date"]) == (euro(105), 2, "2026-04-15")
    lines = fleet.ask("GET", f"/v1/invoices/{invoice['invoice_id']}/lines").body["data"]
    assert [(line["driver_name"], line["gross"]["amount"], line["energy_wh"]) for line in lines] == [
        ("Dana Driver", 70, 2000),
        ("Dana Driver", 35, 1000),
    ]
    [mail] = site.world.mails("pay@fleet.example")
    assert "INV-2026-000001" in mail.subject
    assert "1.05 EUR" in mail.text
    assert fleet.used() == 105
    assert fleet.pay(invoice["invoice_id"], 100).status == 201
    assert fleet.pay(invoice["invoice_id"], 100).headers["idempotency-replayed"] == "true"
    assert fleet.used() == 5
    assert fleet.pay(invoice["invoice_id"], 6, "payment-2").status == 422
    assert fleet.pay(invoice["invoice_id"], 5, "payment-3").status == 201
    assert fleet.pay(invoice["invoice_id"], 5, "payment-4").status == 409
    [paid] = fleet.invoices(state="paid")
    assert (paid["paid"], paid["open_amount"]) == (euro(105), euro(0))
    assert fleet.used() == 0
    prove(site)


def test_a_settled_day_pays_out_what_wallets_paid_and_not_what_the_operator_collects(site: Site, fleet: Fleet) -> None:
    charge(site, 2000)
    fleet.set_member(id_tokens=[CARD])
    outcome = site.request(500)
    site.start_from_app(message_id="app")
    [running] = [s for s in site.sessions() if s.session_id == outcome.session_id]
    site.stop(running.transaction_id, 2000)
    day = site.world.clock.now().date().isoformat()
    advance_to(site, "2026-03-02T23:20:00+00:00")
    site.world.run_job(jobs.open_settlements)
    workflow_input = {"operator_id": site.operator.operator_id, "business_day": day}
    jobs.settlement_compute(workflow_input, None)
    assert jobs.settlement_post(workflow_input, None)["state"] == "posted"
    [line] = fleet.ask("GET", "/v1/settlements").body["data"][0]["lines"]
    assert (line["gross"], line["invoiced"], line["net"]) == (euro(105), euro(70), euro(35))
    payable = ledger.entries_of_account(site.world.ctx, payable_account(site.operator.operator_id, "EUR"))
    assert sum(entry.home_amount for entry in payable) == 35
    receivable = receivable_account(site.operator.operator_id, "EUR")
    assert sum(e.amount_on(receivable) for e in ledger.entries_of_account(site.world.ctx, receivable)) == 70
    advance_to(site, "2026-03-31T22:35:00+00:00")
    fleet.draw_up()
    fleet.pay(fleet.invoices()[0]["invoice_id"], 70)
    in_books = balances_by_class(site)
    assert (in_books["receivable"], in_books["payable"], in_books["income"]) == (0, 35, 0)
    assert in_books["enterprise"] == -in_books["credit_line"] == 10_000
    assert in_books["wallet"] + in_books["payable"] == -in_books["clearing"]  # what came in is owed to somebody
    prove(site)
