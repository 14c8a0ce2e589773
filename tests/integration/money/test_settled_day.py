"""One day of everything that moves an operator's money, settled: what the platform owes is what it has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import cash_account, payable_account
from chalicelib.settlement import jobs, service
from chalicelib.settlement.model import Booked, disagreement, statement_of
from chalicelib.wallets.model import adjustment_entry
from tests.integration.money.paying import Fleet, advance_to, balances_by_class, charge, euro, found_fleet, prove
from tests.site import CARD, Site

AFTER_MIDNIGHT = "2026-03-02T23:20:00+00:00"
amounts = st.dictionaries(st.sampled_from(["EUR", "NOK", "JPY"]), st.integers(-(10**9), 10**9))


@pytest.fixture
def fleet(site: Site) -> Fleet:
    return found_fleet(site)


def adjust(fleet: Fleet, direction: str, amount: int, key: str) -> None:
    body = {"direction": direction, "amount": euro(amount), "reason": "At the counter"}
    path = f"/v1/wallets/{fleet.site.driver.driver_id}/adjustments"
    assert fleet.ask("POST", path, body, key=key).status == 201


def settle(fleet: Fleet, times: int = 1) -> dict[str, Any]:
    """Settles the second of March; returns its statement."""
    site = fleet.site
    day = site.world.clock.now().date().isoformat()
    advance_to(site, AFTER_MIDNIGHT)
    site.world.run_job(jobs.open_settlements)
    workflow_input = {"operator_id": site.operator.operator_id, "business_day": day}
    for _ in range(times):
        jobs.settlement_compute(workflow_input, None)
        assert jobs.settlement_post(workflow_input, None)["state"] == "posted"
    view: dict[str, Any] = fleet.ask("GET", f"/v1/settlements/{site.operator.operator_id}.{day}").body
    return view


def test_what_is_owed_to_all_is_what_came_in(site: Site, fleet: Fleet) -> None:
    """20.00 by the payment provider; 0.70 on the enterprise, 0.35 of the wallet; 10.00 in cash, 3.00 of it paid back; a
    request that is called off."""
    charge(site, 2000)
    fleet.set_member(id_tokens=[CARD])
    session = site.request(500)
    site.start_from_app(message_id="app")
    site.stop(site.session(session.session_id).transaction_id, 2000)
    refunded = site.request(700)
    site.world.rest.post(f"/v1/driver/sessions/{refunded.session_id}/stop", token=driver_token(site), key="stop")
    adjust(fleet, "top_up", 1000, "in")
    adjust(fleet, "deduct", 300, "out")
    [line] = settle(fleet, times=2)["lines"]
    assert (line["gross"], line["invoiced"], line["cash"], line["net"]) == (euro(105), euro(70), euro(700), euro(-665))
    books = balances_by_class(site)
    assert site.available() == books["wallet"] == 2000 - 35 + 700
    assert (books["income"], books["cash"], books["payable"], books.get("hold", 0)) == (0, 0, -665, 0)
    assert books["wallet"] + books["payable"] == -books["clearing"] == 2000
    prove(site)
    site.world.run_events()
    [mail] = [mail for mail in site.world.mails(site.operator.organization.email) if "2026-03-02" in mail.text]
    assert "net -6.65 EUR, on invoices 0.70 EUR, cash 7.00 EUR" in mail.text


def driver_token(site: Site) -> str:
    return site.world.driver_token(site.driver.driver_id)


def test_a_day_of_cash_alone_is_settled_too(site: Site, fleet: Fleet) -> None:
    adjust(fleet, "top_up", 1000, "in")
    view = settle(fleet)
    assert [(line["sessions"], line["net"]) for line in view["lines"]] == [(0, euro(-1000))]
    payable = payable_account(site.operator.operator_id, "EUR")
    assert [e.home_amount for e in ledger.entries_of_account(site.world.ctx, payable)] == [-1000]
    cash = cash_account(site.operator.operator_id, "EUR")
    assert ledger.total_of_period(site.world.ctx, cash, "2026-03-02").amount == -1000  # the day's, as it was taken


@pytest.mark.parametrize(
    ("zone", "supplements"), [("Europe/Berlin", 0), ("America/Los_Angeles", 1)], ids=["stays", "moves to the west"]
)
def test_a_settled_day_that_is_lived_again_is_settled_again(
    site: Site, fleet: Fleet, zone: str, supplements: int
) -> None:
    """What was sold on it the second time gets a run of its own, once."""
    charge(site, 1000)
    settle(fleet)
    path = f"/v1/organizations/{site.operator.operator_id}"
    assert fleet.ask("PATCH", path, {"time_zone": zone}).status == 200
    site.advance_s(400)
    charge(site, 3000, number=1)
    adjust(fleet, "top_up", 1000, "in")
    advance_to(site, "2026-03-05T12:00:00+00:00")
    site.world.run_job(jobs.open_settlements)
    operator_id = site.operator.operator_id
    for day in ("2026-03-03", "2026-03-03", "2026-03-04"):
        workflow_input = {"operator_id": operator_id, "business_day": day}
        jobs.settlement_compute(workflow_input, None)
        assert jobs.settlement_post(workflow_input, None)["state"] == "posted"
    found = [run for run in service.pending_runs(site.world.ctx) if run.business_day == "2026-03-02"]
    assert [run.number for run in found] == [2] * supplements
    supplement: dict[str, Any] = {"operator_id": operator_id, "business_day": "2026-03-02", "number": 2}
    for _ in range(2 * supplements):
        jobs.settlement_compute(supplement, None)
        assert jobs.settlement_post(supplement, None)["state"] == "posted"
    if supplements:
        view = fleet.ask("GET", f"/v1/settlements/{operator_id}.2026-03-02.2").body
        [line] = view["lines"]
        assert (view["number"], line["sessions"], line["gross"], line["cash"]) == (2, 1, euro(105), euro(1000))
    books = balances_by_class(site)
    assert (books["receivable"], books["payable"]) == (35 + 105, -1000)
    assert (books["income"], books["cash"]) == (0, 0)
    prove(site)


def test_cash_in_a_currency_in_which_nobody_charges_is_settled(site: Site, fleet: Fleet) -> None:
    """The operator counts in euro and sold nothing; it took krone for a wallet, while that was not refused yet."""
    entry = adjustment_entry(
        entry_id=site.world.ctx.new_id("ent"),
        driver_id=site.driver.driver_id,
        operator_id=site.operator.operator_id,
        direction="top_up",
        amount=Money(5000, "NOK"),
        reason="At the counter",
        business_day=site.world.clock.now().date().isoformat(),
        now=site.world.clock.now(),
    )
    site.world.commit(lambda uow: ledger.post(uow, entry))
    [line] = settle(fleet)["lines"]
    assert (line["cash"], line["net"]) == ({"amount": 5000, "currency": "NOK"}, {"amount": -5000, "currency": "NOK"})
    payable = payable_account(site.operator.operator_id, "NOK")
    assert ledger.balance(site.world.ctx, payable).amount == -5000


@settings(max_examples=50)
@given(amounts, amounts)
def test_cash_is_in_the_net_and_must_agree(cash: dict[str, int], other: dict[str, int]) -> None:
    lines = statement_of({}, "2026-03-02", cash=cash)
    taken = {currency: amount for currency, amount in cash.items() if amount}
    assert {line.currency: -line.net for line in lines} == taken
    same = taken == {currency: amount for currency, amount in other.items() if amount}
    assert (disagreement(lines, Booked(cash=other)) is None) == same
