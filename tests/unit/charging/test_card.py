"""A card at the charger: nobody asked us, the session is made when the charger says that it delivers."""

from __future__ import annotations

import pytest

from chalicelib.charging import lookup, service
from chalicelib.drivers import service as drivers
from chalicelib.kernel.money import Money
from tests.site import CARD, Site


def test_a_card_reserves_at_most_twenty_and_pays_what_it_used(site: Site) -> None:
    site.top_up(1000)
    outcome = site.start()
    assert outcome.authorization.status == "accepted"
    assert site.available() == 1000
    site.stop(outcome.transaction_id, 1200)
    assert site.lines()[2:] == [("consumption", -2000), ("refund", 1993)]
    assert site.available() == 2993
    [session] = site.sessions()
    assert (session.origin, session.target, session.state) == ("card", "full", "settled")


def test_a_card_that_used_more_than_was_held_pays_from_the_wallet(site: Site) -> None:
    site.top_up(1000)  # 30.00 in all
    outcome = site.start(meter_wh=0)
    site.stop(outcome.transaction_id, 70_000)  # 24.50
    assert site.available() == 550
    assert site.income() == 2450


def test_what_the_wallet_cannot_pay_is_uncollected_never_negative(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    site.stop(outcome.transaction_id, 70_000)
    [session] = site.sessions()
    cdr = lookup.find_cdr(site.world.ctx, session.session_id)
    assert cdr is not None
    assert (cdr.captured, cdr.uncollected) == (Money(2000, "EUR"), Money(450, "EUR"))
    assert site.available() == 0


@pytest.mark.parametrize("id_token", [CARD.lower(), CARD.upper()])
def test_a_card_is_compared_without_case(site: Site, id_token: str) -> None:
    assert site.start(id_token).authorization.status == "accepted"


def test_a_stranger_is_refused_and_the_energy_recorded_all_the_same(site: Site) -> None:
    outcome = site.start("DEADBEEF")
    assert outcome.authorization.status == "invalid"
    assert outcome.transaction_id > 0
    site.stop(outcome.transaction_id, 1500, reason="DeAuthorized")
    [session] = site.sessions()
    assert (session.state, session.origin, session.energy_wh, session.driver_id) == ("settled", "unknown", 500, None)
    cdr = lookup.find_cdr(site.world.ctx, session.session_id)
    assert cdr is not None
    assert cdr.uncollected == Money(18, "EUR")
    assert site.income() == 0


def test_an_empty_wallet_has_no_credit(site: Site) -> None:
    site.request(2000, evse_no=2)
    assert service.authorize_id_token(site.world.ctx, charger=site.charger, id_token=CARD).status == "no_credit"
    assert site.start().authorization.status == "no_credit"


def test_a_blocked_card_is_blocked(site: Site) -> None:
    card = drivers.find_id_token(site.world.ctx, CARD, consistent=True)
    assert card is not None
    site.world.commit(lambda uow: drivers.change_card(uow, card, {"status": "blocked"}))
    assert service.authorize_id_token(site.world.ctx, charger=site.charger, id_token=CARD).status == "blocked"


def test_authorize_costs_one_read_unit(site: Site) -> None:
    service.authorize_id_token(site.world.ctx, charger=site.charger, id_token=CARD)  # the operator is remembered
    site.world.engine.consumed.clear()
    service.authorize_id_token(site.world.ctx, charger=site.charger, id_token=CARD)
    assert sum(site.world.engine.consumed.values()) == 1.0
