"""What energy cost beside what it was sold for: computed once, after the bill; summed up; for the operator alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.charging.model.margins import EnergyCost
from chalicelib.charging.service import costing
from chalicelib.charging.service.correcting import reduce_cost
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from tests.site import CHARGER_ID, Site
from tests.world import Reply

SOLD = [{"price_components": [{"type": "ENERGY", "price": "0.357", "vat": "19"}]}]
"""0.30 without tax."""


def energy(price: str = "0.119") -> list[dict[str, Any]]:
    return [{"price_components": [{"type": "ENERGY", "price": price, "vat": "19"}]}]


def set_price(site: Site, purpose: str, elements: list[dict[str, Any]], currency: str = "EUR", **target: str) -> str:
    rest, by = site.world.rest, site.operator.access_token
    body = {"name": purpose, "currency": currency, "elements": elements, "purpose": purpose}
    tariff_id = str(rest.post("/v1/tariffs", body, token=by).body["tariff_id"])
    assert rest.put("/v1/tariff-assignments", {"tariff_id": tariff_id, **target}, token=by).status == 200
    return tariff_id


@pytest.fixture
def shop(site: Site) -> Site:
    """Sells at 0.30 and buys at 0.10 per kWh, 19 % tax on both."""
    set_price(site, "selling", SOLD, charger_id=CHARGER_ID)
    set_price(site, "energy_cost", energy(), location_id=site.location.location_id)
    return site


def charge(site: Site, kwh: int = 10) -> str:
    outcome = site.start(meter_wh=0, message_id=f"start-{site.world.clock.now()}")
    site.world.advance(60)
    site.stop(outcome.transaction_id, kwh * 1000)
    site.world.run_events()
    return site.sessions()[-1].session_id


def cost_of(site: Site, session_id: str) -> EnergyCost | None:
    cdr = lookup.find_cdr(site.world.ctx, session_id)
    assert cdr is not None
    return costing.energy_costs_of(site.world.ctx, [cdr]).get(cdr.cdr_id)


def ask(site: Site, token: str = "", *, days: int = 0, **query: str) -> Reply:
    today = site.world.clock.now().date()
    span = {"date_from": (today - timedelta(days=days)).isoformat(), "date_to": today.isoformat()}
    return site.world.rest.get("/v1/margins", token=token or site.operator.access_token, query=span | query)


def told(site: Site, group_by: str = "day") -> list[tuple[Any, ...]]:
    reply = ask(site, group_by=group_by)
    assert reply.status == 200, reply.body
    return [
        (row["key"], row["sessions"], row["revenue"]["amount"], row["energy_cost"]["amount"], row["margin"]["amount"])
        for row in reply.body["data"]
    ]


def test_what_the_energy_cost_stands_beside_the_bill(shop: Site) -> None:
    cost = cost_of(shop, charge(shop))
    assert cost is not None
    assert (cost.cost.amount, cost.tax.amount, cost.net.amount, cost.energy_wh) == (119, 19, 100, 10_000)


def test_nothing_is_computed_while_the_charger_waits(shop: Site) -> None:
    outcome = shop.start(meter_wh=0)
    shop.stop(outcome.transaction_id, 10_000)
    [session] = shop.sessions()
    assert cost_of(shop, session.session_id) is None
    shop.world.run_events()
    assert cost_of(shop, session.session_id) is not None


def test_what_was_computed_stays(shop: Site) -> None:
    """Also where the event is delivered twice, and energy has become dearer meanwhile."""
    session_id = charge(shop)
    before = cost_of(shop, session_id)
    set_price(shop, "energy_cost", energy("9.99"), charger_id=CHARGER_ID)
    shop.world.commit(lambda uow: costing.cost_energy(uow, shop.session(session_id)))
    assert cost_of(shop, session_id) == before


def test_energy_costs_what_it_cost_when_the_charge_began(shop: Site) -> None:
    rest, by = shop.world.rest, shop.operator.access_token
    tariff_id = set_price(shop, "energy_cost", energy(), charger_id=CHARGER_ID)
    outcome = shop.start(meter_wh=0)
    shop.world.advance(60)
    rest.put(f"/v1/tariffs/{tariff_id}", {"name": "dearer", "elements": energy("9.99")}, token=by)
    shop.stop(outcome.transaction_id, 10_000)
    shop.world.run_events()
    cost = cost_of(shop, shop.sessions()[-1].session_id)
    assert cost is not None
    assert (cost.tariff_version, cost.net.amount) == (1, 100)


def test_what_is_asked_of_drivers_is_rounded_and_what_energy_cost_is_not(shop: Site) -> None:
    rest, by = shop.world.rest, shop.operator.access_token
    assert rest.put("/v1/settings/rounding", {"mode": "up", "step": 50}, token=by).status == 200
    shop.world.run_events()
    session_id = charge(shop)
    cost = cost_of(shop, session_id)
    assert cost is not None
    assert (lookup.require_session(shop.world.ctx, session_id).cost, cost.cost.amount) == (400, 119)


def test_the_nearest_price_of_energy_counts(shop: Site) -> None:
    """Set for a group of chargers, it is nearer than the location's."""
    rest, by = shop.world.rest, shop.operator.access_token
    group_id = rest.post("/v1/charger-groups", {"name": "North"}, token=by).body["charger_group_id"]
    rest.patch(f"/v1/chargers/{CHARGER_ID}", {"charger_group_id": group_id}, token=by)
    shop.charger = chargers.require_charger(shop.world.ctx, CHARGER_ID)
    set_price(shop, "energy_cost", energy("0.238"), charger_group_id=group_id)
    assert told(shop) == []
    charge(shop)
    day = shop.world.clock.now().date().isoformat()
    assert told(shop) == [(day, 1, 300, 200, 100)]
    assert told(shop, group_by="charger_group") == [(group_id, 1, 300, 200, 100)]


@pytest.mark.parametrize("group_by", ["day", "location", "charger_group", "charger"])
def test_margins_by_what_was_asked_for(shop: Site, group_by: str) -> None:
    charge(shop)
    charge(shop, 20)
    day = shop.world.clock.now().date().isoformat()
    key = {"day": day, "location": shop.location.location_id, "charger": CHARGER_ID}.get(group_by)
    assert told(shop, group_by=group_by) == [(key, 2, 900, 300, 600)]
    [total] = ask(shop, group_by=group_by).body["totals"]
    assert (total["key"], total["sessions"], total["energy_wh"], total["margin"]["amount"]) == (None, 2, 30_000, 600)


def test_days_are_the_operators_and_each_has_its_own(shop: Site) -> None:
    charge(shop)
    first = shop.world.clock.now().date().isoformat()
    shop.world.advance(24 * 3600)
    shop.operator = type(shop.operator)(
        shop.operator.organization, shop.operator.user, shop.world.access_token(shop.operator.user.email)
    )
    charge(shop, 20)
    second = shop.world.clock.now().date().isoformat()
    assert [row["key"] for row in ask(shop, days=1).body["data"]] == [first, second]
    assert told(shop) == [(second, 1, 600, 200, 400)]


def test_a_corrected_bill_is_counted_once(shop: Site) -> None:
    """Sold for half of it after all; the energy cost what it cost."""
    session_id = charge(shop)
    shop.world.advance(1)
    session = lookup.require_session(shop.world.ctx, session_id)
    half = Money(179, "EUR")
    shop.world.commit(lambda uow: reduce_cost(uow, session, cost=half, reason="Slow", by="usr_1"))
    shop.world.run_events()
    [row] = ask(shop).body["data"]
    assert (row["sessions"], row["energy_wh"], row["sessions_without_cost"]) == (1, 10_000, 0)
    assert (row["revenue"]["amount"], row["energy_cost"]["amount"], row["margin"]["amount"]) == (150, 100, 50)


def test_without_a_price_of_energy_that_is_said(site: Site) -> None:
    charge(site)
    [row] = ask(site).body["data"]
    assert (row["sessions_without_cost"], row["energy_cost"]["amount"], row["revenue"]["amount"]) == (1, 0, 350)


def test_energy_bought_in_another_currency_is_in_no_margin(site: Site) -> None:
    set_price(site, "energy_cost", energy(), currency="CHF", location_id=site.location.location_id)
    cost = cost_of(site, charge(site))
    assert cost is not None
    assert cost.cost == Money(119, "CHF")
    [row] = ask(site).body["data"]
    assert (row["sessions_without_cost"], row["margin"]["amount"]) == (1, 350)


@pytest.mark.parametrize(("days", "status"), [(30, 200), (31, 422), (-1, 422)])
def test_a_month_at_most(shop: Site, days: int, status: int) -> None:
    assert ask(shop, days=days).status == status


def test_what_is_another_operators_is_not_there(shop: Site) -> None:
    charge(shop)
    other = shop.world.operator()
    assert ask(shop, other.access_token).body["data"] == []
    assert ask(shop, other.access_token, operator_id=shop.operator.operator_id).status == 404


def test_too_many_sessions_are_refused_and_not_read_to_the_end(shop: Site) -> None:
    charge(shop)
    today = shop.world.clock.now().date().isoformat()
    with pytest.raises(DomainError) as refused:
        costing.sum_margins(shop.world.ctx, shop.operator.operator_id, [today], group_by="day", most=0)
    assert refused.value.code == "margins.too_many"


def test_the_operators_bill_shows_it_and_the_drivers_does_not(shop: Site) -> None:
    session_id = charge(shop)
    rest, by = shop.world.rest, shop.operator.access_token
    day = shop.world.clock.now().date().isoformat()
    one = rest.get(f"/v1/sessions/{session_id}/cdr", token=by).body
    [listed] = rest.get("/v1/cdrs", token=by, query={"business_day": day}).body["data"]
    for bill in (one, listed):
        assert bill["energy_cost"] == {"amount": 119, "currency": "EUR"}
        assert bill["margin"] == {"amount": 200, "currency": "EUR"}
    token = shop.world.driver_token(shop.driver.driver_id)
    own = rest.get(f"/v1/driver/sessions/{session_id}", token=token).body
    assert "energy_cost" not in str(own)
