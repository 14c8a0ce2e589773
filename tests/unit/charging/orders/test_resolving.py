"""How the operator resolves an abnormal order: by the real fee, by another amount, or as it was billed; once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.charging.model.billing import OTHER, REDUCTION
from chalicelib.charging.store import session_pk
from chalicelib.kernel import context
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ledger.model import wallet_account
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PriceComponent, TariffElement
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.site import Site, build_site
from tests.unit.charging.conftest import AfterRead
from tests.unit.charging.orders.episodes import Episode, euro, lost
from tests.unit.charging.test_races import spend
from tests.world import World


@pytest.fixture
def episode(site: Site) -> Episode:
    return lost(site)


def test_the_real_consumption_is_priced_by_what_the_session_began_with(episode: Episode) -> None:
    order = episode.resolve(kind="order_fee", energy_wh=10_000, reason="Read at the meter")
    resolution = order.resolution
    assert resolution is not None
    assert (resolution.cost, resolution.moved, resolution.uncollected) == (euro(350), euro(315), euro(0))
    assert (resolution.energy_wh, resolution.resolved_by, resolution.reason) == (10_000, "usr_1", "Read at the meter")
    assert (episode.session.cost, episode.session.captured, episode.session.energy_wh) == (350, 350, 10_000)
    assert episode.site.lines()[-1] == ("correction", -315)
    assert episode.site.available() == 1650
    episode.check_books()


def test_less_than_was_billed_is_given_back(episode: Episode) -> None:
    order = episode.resolve(kind="order_fee", energy_wh=0)
    assert order.resolution is not None
    assert order.resolution.moved == euro(-35)
    assert episode.site.lines()[-1] == ("correction", 35)
    assert episode.site.available() == 2000
    episode.check_books()


def test_the_time_is_as_known_or_as_the_operator_says(world: World) -> None:
    site = build_site(world, price="3.60", dimension="TIME")  # 6 cents a minute
    episode = lost(site)
    assert episode.session.cost == 60  # up to the last reading
    site.advance(60)
    episode.resolve(kind="order_fee", duration_s=3600)
    assert (episode.session.cost, episode.session.captured) == (360, 360)
    assert episode.cdr.ended_at - episode.cdr.started_at == timedelta(hours=1)
    episode.check_books()


def test_another_amount_stands_for_the_fee_with_its_reason(episode: Episode) -> None:
    episode.resolve(kind="other_deduction", amount=euro(1035), reason="Cable torn")
    assert (episode.session.cost, episode.session.captured, episode.session.energy_wh) == (1035, 1035, 1000)
    assert [(line["dimension"], line["amount"]["amount"]) for line in episode.cdr.lines] == [
        ("ENERGY", 35),
        (OTHER, 1000),
    ]
    episode.check_books()


def test_a_smaller_amount_is_what_was_metered_and_a_reduction(episode: Episode) -> None:
    episode.resolve(kind="other_deduction", amount=euro(20), reason="Goodwill")
    assert [(line["dimension"], line["amount"]["amount"]) for line in episode.cdr.lines] == [
        ("ENERGY", 35),
        (REDUCTION, -15),
    ]
    assert episode.site.available() == 1980
    episode.check_books()


def test_tax_is_in_what_was_taken(site: Site) -> None:
    reprice(site, PriceComponent("ENERGY", Decimal("0.35"), vat=Decimal(19)))
    episode = lost(site)
    assert episode.cdr.captured_tax == euro(6)  # 35 × 19/119 = 5.6
    episode.resolve(kind="other_deduction", amount=euro(119), reason="Cable torn")
    assert episode.cdr.captured_tax == euro(19)
    assert [cdr.captured_tax for cdr in episode.cdrs] == [euro(6), euro(-6), euro(19)]


def test_a_fee_of_which_nobody_knows_the_energy_says_that_it_was_assumed(site: Site) -> None:
    assumed = lost(site).resolve(kind="order_fee").resolution
    assert assumed is not None
    assert (assumed.is_assumed, assumed.energy_wh) == (True, 1000)
    site.advance(1)
    named = lost(site).resolve(kind="order_fee", energy_wh=1000).resolution
    assert named is not None
    assert not named.is_assumed


def test_a_fee_that_the_registers_bear_out_is_no_assumption(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    site.advance(30)
    site.stop(outcome.transaction_id, 80_000)  # 28.00, of 20.00
    [session] = site.sessions()
    order = Episode(site, session.session_id, outcome.transaction_id).resolve(kind="order_fee")
    assert order.resolution is not None
    assert not order.resolution.is_assumed


def test_as_billed_moves_nothing_and_writes_no_further_record(episode: Episode) -> None:
    lines = episode.site.lines()
    order = episode.resolve(kind="as_billed")
    assert order.resolution is not None
    assert (order.resolution.cost, order.resolution.moved) == (euro(35), euro(0))
    assert (episode.site.lines(), len(episode.cdrs)) == (lines, 1)


def test_the_fee_that_was_billed_already_writes_no_further_record(episode: Episode) -> None:
    episode.resolve(kind="order_fee")
    assert len(episode.cdrs) == 1


def test_what_the_wallet_does_not_have_is_uncollected_and_seen(episode: Episode) -> None:
    site = episode.site
    spend(site, 1900)
    order = episode.resolve(kind="order_fee", energy_wh=10_000)
    assert order.resolution is not None
    assert (order.resolution.moved, order.resolution.uncollected) == (euro(65), euro(250))
    assert (site.available(), episode.session.captured, episode.cdr.uncollected) == (0, 100, euro(250))
    episode.check_books()


def test_what_could_not_be_paid_at_the_end_is_taken_when_it_is_there(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    site.advance(30)
    site.stop(outcome.transaction_id, 80_000)  # 28.00, of 20.00
    [session] = site.sessions()
    assert (session.captured, session.abnormal_cause) == (2000, "cost_over_hold")
    site.top_up(500)
    episode = Episode(site, session.session_id, outcome.transaction_id)
    order = episode.resolve(kind="order_fee")
    assert (order.state, site.available(), episode.cdr.uncollected) == ("closed", 0, euro(300))
    episode.check_books()


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"kind": "other_deduction", "reason": "x"}, "resolution.amount_missing"),
        ({"kind": "other_deduction", "amount": euro(5)}, "resolution.reason_missing"),
        ({"kind": "other_deduction", "amount": euro(5), "reason": " "}, "resolution.reason_missing"),
        ({"kind": "other_deduction", "amount": euro(-1), "reason": "x"}, "resolution.amount_invalid"),
        ({"kind": "other_deduction", "amount": euro(10_001), "reason": "x"}, "resolution.amount_too_high"),
        ({"kind": "order_fee", "energy_wh": 400_001}, "resolution.energy_too_high"),
        # Nothing went on until tomorrow, and what is claimed does not lift the bound of what is deducted.
        ({"kind": "order_fee", "energy_wh": 9_000_000, "duration_s": 86_400}, "resolution.duration_too_long"),
        (
            {"kind": "other_deduction", "amount": euro(10_001), "reason": "x", "energy_wh": 400_000},
            "resolution.amount_too_high",
        ),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_nothing_moves(episode: Episode, wish: Any, code: str) -> None:
    with pytest.raises(DomainError, match=code):
        episode.resolve(**wish)
    assert episode.order.state == "open"
    episode.check_books()


def test_a_charger_bills_no_more_than_its_type_plate_says(episode: Episode) -> None:
    site = episode.site
    change = {"max_power_w": 22_000}
    path = f"/v1/chargers/{site.charger.charger_id}"
    token = site.world.access_token(site.operator.user.email)
    assert site.world.rest.patch(path, change, token=token).body["max_power_w"] == 22_000
    with pytest.raises(DomainError, match=r"resolution\.energy_too_high"):
        episode.resolve(kind="order_fee", energy_wh=22_001)
    assert episode.resolve(kind="order_fee", energy_wh=22_000).resolution is not None
    episode.check_books()


def test_an_order_is_resolved_once(episode: Episode) -> None:
    episode.resolve(kind="order_fee", energy_wh=2000)
    with pytest.raises(DomainError, match=r"order\.resolved"):
        episode.resolve(kind="order_fee", energy_wh=3000)
    assert episode.session.cost == 70


def test_of_two_operators_at_once_one_is_told_that_it_is_resolved(episode: Episode, after_read: AfterRead) -> None:
    after_read(session_pk(episode.session_id), lambda: episode.resolve(kind="order_fee", energy_wh=2000))
    with pytest.raises(DomainError, match=r"order\.resolved"):
        episode.resolve(kind="order_fee", energy_wh=9000)
    assert (episode.session.cost, len(episode.cdrs)) == (70, 3)
    episode.check_books()


def test_two_that_have_read_the_same_do_not_both_write(episode: Episode) -> None:
    ctx = episode.site.world.ctx
    one, other = UnitOfWork(ctx), UnitOfWork(ctx)
    episode.resolve_in(one, kind="order_fee", energy_wh=2000)
    episode.resolve_in(other, kind="order_fee", energy_wh=9000)
    one.commit()
    with pytest.raises(StaleRead):
        other.commit()
    episode.check_books()


def test_money_that_goes_at_the_same_moment_is_not_overdrawn(episode: Episode, after_read: AfterRead) -> None:
    wallet = wallet_account(episode.site.driver.driver_id, "EUR")
    after_read(wallet, lambda: spend(episode.site, 1900))
    episode.resolve(kind="order_fee", energy_wh=10_000)
    assert (episode.site.available(), episode.cdr.uncollected) == (0, euro(250))
    episode.check_books()


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("call", range(1, 10))
def test_whoever_asks_again_after_a_crash_finds_it_done_once(episode: Episode, call: int, carried_out: bool) -> None:
    world = episode.site.world
    mortal = MortalContext(world.ctx)
    mortal.crash_at = (call, carried_out)
    context.install(mortal)
    try:
        decide_and_commit(mortal, lambda uow: episode.resolve_in(uow, kind="order_fee", energy_wh=10_000))
    except Crash:
        pass
    finally:
        context.install(world.ctx)
    if episode.order.resolution is None:
        episode.resolve(kind="order_fee", energy_wh=10_000)
    else:
        with pytest.raises(DomainError, match=r"order\.resolved"):
            episode.resolve(kind="order_fee", energy_wh=10_000)
    assert (episode.session.captured, len(episode.cdrs)) == (350, 3)
    episode.check_books()


def test_the_delivery_of_an_unknown_card_is_resolved_without_a_payer(site: Site) -> None:
    episode = lost(site, id_token="0BADCAFE99")
    order = episode.resolve(kind="order_fee", energy_wh=2000)
    assert (order.state, order.resolution and order.resolution.uncollected) == ("closed", euro(70))
    episode.check_books()


def test_a_price_that_changed_meanwhile_does_not_count(episode: Episode) -> None:
    reprice(episode.site, PriceComponent("ENERGY", Decimal("9.99")))
    episode.resolve(kind="order_fee", energy_wh=2000)
    assert episode.session.cost == 70


def reprice(site: Site, component: PriceComponent) -> None:
    elements = (TariffElement((component,)),)
    site.world.commit(
        lambda uow: tariffs.replace_tariff(uow, site.tariff, name="Day", tax_included=True, elements=elements)
    )
