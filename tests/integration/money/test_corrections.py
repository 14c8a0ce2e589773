"""Corrections of what an enterprise, or a guest's card, has paid: the same account gives back, the books agree."""

from __future__ import annotations

import pytest

from chalicelib.charging import lookup, order_lookup, service
from chalicelib.charging.model.orders import AbnormalOrder, Resolving
from chalicelib.charging.service import correcting, resolving
from chalicelib.kernel.money import Money
from tests.integration.money.paying import Fleet, advance_to, charge, found_fleet, prove
from tests.site import Site


@pytest.fixture
def fleet(site: Site) -> Fleet:
    return found_fleet(site)


def lower(site: Site, session_id: str, cost: int) -> correcting.Correction:
    site.advance_s(1)
    return site.world.commit(
        lambda uow: correcting.reduce_cost(
            uow,
            lookup.require_session(uow.ctx, session_id),
            cost=Money(cost, "EUR"),
            reason="Goodwill",
            by="usr_1",
        )
    )


def resolve(site: Site, session_id: str, energy_wh: int) -> AbnormalOrder:
    site.advance_s(1)
    session = site.session(session_id)
    wish = Resolving(kind="order_fee", energy_wh=energy_wh)
    return site.world.commit(
        lambda uow: resolving.resolve_order(
            uow, session, order_lookup.require_order(uow.ctx, session), wish, by="usr_1"
        )
    )


def lose(site: Site, seen_wh: int) -> str:
    """A card charge whose end was never told."""
    outcome = site.start(meter_wh=0, message_id="lost")
    site.advance(10)
    site.meter(outcome.transaction_id, seen_wh)
    session = site.sessions()[-1]
    site.world.commit(lambda uow: service.give_up_session(uow, session.session_id, "stop_missing"))
    return session.session_id


def test_an_enterprise_gets_its_credit_back_and_not_the_driver(site: Site, fleet: Fleet) -> None:
    session = charge(site, 2000)  # 0.70
    wallet = site.lines()
    lower(site, session.session_id, 20)
    assert (fleet.used(), fleet.used_by_member(), site.income()) == (20, 20, 20)
    assert site.lines() == wallet
    prove(site)


def test_an_enterprise_pays_what_was_found_later_within_its_limits(site: Site, fleet: Fleet) -> None:
    fleet.set_member(monthly_limit=5000)
    session_id = lose(site, 10_000)  # 3.50
    resolve(site, session_id, 20_000)
    assert (fleet.used(), fleet.used_by_member(), site.income()) == (700, 700, 700)
    prove(site)


def test_the_members_limit_bounds_what_is_found_later(site: Site, fleet: Fleet) -> None:
    fleet.set_member(monthly_limit=500)
    session_id = lose(site, 10_000)
    order = resolve(site, session_id, 20_000)
    assert order.resolution is not None
    assert (fleet.used_by_member(), order.resolution.uncollected) == (500, Money(200, "EUR"))
    prove(site)


def test_the_invoice_of_the_month_takes_the_corrections_of_its_month(site: Site, fleet: Fleet) -> None:
    session = charge(site, 10_000)  # 3.50
    lower(site, session.session_id, 100)
    advance_to(site, "2026-04-01T08:00:00+00:00")
    assert fleet.draw_up()["issued"] == 1
    [invoice] = fleet.invoices()
    assert invoice["gross"]["amount"] == 100
    prove(site)


def test_a_correction_after_the_invoice_is_of_the_month_in_which_it_is_made(site: Site, fleet: Fleet) -> None:
    first = charge(site, 10_000)  # 3.50
    advance_to(site, "2026-04-01T08:00:00+00:00")
    fleet.draw_up()
    lower(site, first.session_id, 100)
    charge(site, 20_000, number=2)  # 7.00
    advance_to(site, "2026-05-01T08:00:00+00:00")
    fleet.draw_up()
    assert sorted(invoice["gross"]["amount"] for invoice in fleet.invoices()) == [350, 450]
    prove(site)
