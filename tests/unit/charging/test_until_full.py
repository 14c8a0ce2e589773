"""Until full: a minimum to begin with, more reserved while it charges, stopped when there is no more. At 1.00 a kWh."""

from __future__ import annotations

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup, service
from chalicelib.charging.model import ChargingSession
from chalicelib.identity.model.settings import Payments
from chalicelib.identity.service import settings
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.ledger import proving
from tests.site import Site, build_site
from tests.unit.charging.conftest import AfterRead
from tests.world import World


@pytest.fixture
def site(world: World) -> Site:
    return build_site(world, price="1.00", money=6000)


def charging(site: Site) -> tuple[ChargingSession, int]:
    session = site.request(None)
    outcome = site.start_from_app(meter_wh=0)
    return session, outcome.transaction_id


def meter(site: Site, transaction_id: int, cost: int) -> ChargingSession:
    """A reading by which so many cents are due; the session after it."""
    site.advance(1)
    site.meter(transaction_id, cost * 10)
    return site.sessions()[-1]


def asked_to_stop(site: Site) -> int:
    return len(chargers.list_commands(site.world.ctx, "CP-001", action="stop_session", limit=50, cursor=None).data)


def books_are_right(site: Site) -> bool:
    return proving.prove_ledger(site.world.ctx).faults == []


@pytest.mark.parametrize(("money", "missing"), [(499, 1), (0, 500)])
def test_it_takes_a_minimum(world: World, money: int, missing: int) -> None:
    poor = build_site(world, money=money)
    with pytest.raises(DomainError) as refused:
        poor.request(None)
    assert (refused.value.code, refused.value.shortfall) == ("wallet.minimum_balance", Money(missing, "EUR"))
    if money:
        assert poor.request(400).target == "amount"


def test_the_operator_says_how_much(site: Site) -> None:
    operator = site.operator.organization
    known = settings.get_setting(site.world.ctx, operator.organization_id, "payments")
    chosen = Payments(min_balance_until_full=6001)
    site.world.commit(lambda uow: settings.put_setting(uow, operator, known, chosen, known.revision))
    with pytest.raises(DomainError, match=r"needs 60\.01 EUR, of which it has 60\.00 EUR"):
        site.request(None)
    site.top_up(1)
    assert site.request(None).held == 2000


def test_more_is_reserved_before_it_is_delivered_and_it_ends_with_the_money(site: Site) -> None:
    session, transaction_id = charging(site)
    seen = [(meter(site, transaction_id, cost).held, site.available()) for cost in (1499, 1500, 3499, 3500, 5999)]
    assert seen == [(2000, 4000), (4000, 2000), (4000, 2000), (6000, 0), (6000, 0)]
    assert asked_to_stop(site) == 0
    assert meter(site, transaction_id, 6000).state == "stopping"
    assert asked_to_stop(site) == 1
    site.stop(transaction_id, 60_100)
    ended = site.session(session.session_id)
    assert (ended.state, ended.cost, ended.captured) == ("settled", 6010, 6000)
    assert site.available() == 0
    assert books_are_right(site)


def test_what_is_not_used_comes_back_in_one_line(site: Site) -> None:
    _, transaction_id = charging(site)
    meter(site, transaction_id, 1800)
    site.stop(transaction_id, 25_000)
    assert site.lines() == [("top_up", 6000), ("consumption", -2000), ("consumption", -2000), ("refund", 1500)]
    assert (site.income(), site.available()) == (2500, 3500)
    assert books_are_right(site)


def test_a_reading_that_leaps_reserves_what_is_missing_and_a_step(site: Site) -> None:
    _, transaction_id = charging(site)
    assert (meter(site, transaction_id, 3300).held, site.available()) == (5300, 700)
    assert asked_to_stop(site) == 0


def test_what_the_driver_has_is_all_that_is_taken(site: Site) -> None:
    _, transaction_id = charging(site)
    after = meter(site, transaction_id, 9000)
    assert (after.held, after.state, site.available()) == (6000, "stopping", 0)
    site.stop(transaction_id, 95_000)
    cdr = lookup.find_cdr(site.world.ctx, after.session_id)
    assert cdr is not None
    assert (cdr.captured, cdr.uncollected) == (Money(6000, "EUR"), Money(3500, "EUR"))


def test_money_paid_in_meanwhile_lets_it_go_on(world: World) -> None:
    site = build_site(world, price="1.00", money=1000)
    _, transaction_id = charging(site)
    assert meter(site, transaction_id, 900).held == 1000
    site.top_up(5000)
    assert (meter(site, transaction_id, 950).held, asked_to_stop(site)) == (3000, 0)


def test_a_card_is_until_full(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    assert meter(site, outcome.transaction_id, 1700).held == 4000


def test_an_amount_is_an_amount(site: Site) -> None:
    site.request(2000)
    outcome = site.start_from_app(meter_wh=0)
    assert meter(site, outcome.transaction_id, 1999).held == 2000
    after = meter(site, outcome.transaction_id, 2000)
    assert (after.held, after.state, site.available()) == (2000, "stopping", 4000)


def test_somebody_who_is_faster_is_not_robbed(site: Site, after_read: AfterRead) -> None:
    """Another charge takes the money between the look at the wallet and the commit."""
    _, transaction_id = charging(site)
    wallet = f"wallet:{site.driver.driver_id}:EUR"
    after_read(wallet, lambda: site.request(3900, evse_no=2))
    site.advance(1)
    site.meter(transaction_id, 15_500)
    by_id = {session.evse_no: session for session in site.sessions()}
    assert (by_id[1].held, by_id[2].held, site.available()) == (2100, 3900, 0)
    assert books_are_right(site)


def test_two_readings_at_once_reserve_once(site: Site, after_read: AfterRead) -> None:
    session, transaction_id = charging(site)
    after_read(f"session#{session.session_id}", lambda: site.meter(transaction_id, 15_600))
    site.advance(1)
    site.meter(transaction_id, 15_500)
    assert (site.session(session.session_id).held, site.available()) == (4000, 2000)


def test_what_is_reserved_already_is_not_looked_up_again(site: Site) -> None:
    _, transaction_id = charging(site)
    meter(site, transaction_id, 1600)
    before = site.world.engine.consumed.copy()
    site.meter(transaction_id, 25_000)
    after = site.world.engine.consumed
    assert [key for key in after if key[1] == "read" and after[key] != before.get(key)] == []


def ask_too_much(site: Site) -> None:
    for _ in range(50):
        site.world.commit(
            lambda uow: chargers.queue_command(
                uow, charger_id="CP-001", action="ClearCache", payload={}, requested_by="usr"
            )
        )


def test_a_full_queue_costs_neither_readings_nor_money(site: Site) -> None:
    _, transaction_id = charging(site)
    with pytest.raises(DomainError, match="queue"):
        ask_too_much(site)
    after = meter(site, transaction_id, 9000)
    assert (after.state, after.held, asked_to_stop(site)) == ("charging", 6000, 0)


def test_a_charger_that_accepts_and_goes_on_is_asked_again(site: Site) -> None:
    _, transaction_id = charging(site)
    for _ in range(12):
        meter(site, transaction_id, 6000)
        site.world.run_events({})
    assert asked_to_stop(site) == 3
    assert site.sessions()[-1].stop_asks == 3


def test_a_stop_that_is_pressed_twice_counts_once(site: Site) -> None:
    session, _ = charging(site)
    for _ in range(3):
        press_stop(site, session.session_id)
    assert site.session(session.session_id).stop_asks == 1


def press_stop(site: Site, session_id: str) -> None:
    before = site.session(session_id)
    site.world.commit(lambda uow: service.cancel_or_stop(uow, before, requested_by="drv"))
