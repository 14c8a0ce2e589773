"""Income that an operator gives back is money of the platform's once it was withdrawn: it counts against the limit,
whichever way it goes, until a run has settled it."""

from __future__ import annotations

from functools import partial

import pytest

from chalicelib.charging import service as charging
from chalicelib.charging.model import ChargingSession
from chalicelib.ledger import proving
from tests.integration.money.owing import (
    ask,
    correct,
    euro,
    owed,
    put_limit,
    resolve,
    settle_night,
    take_cash,
    trust_with,
    unsettled,
    withdraw,
)
from tests.integration.money.paying import charge, found_fleet
from tests.site import Site
from tests.unit.charging.guest_till import Guest
from tests.unit.charging.orders.episodes import lost, stop_late
from tests.unit.payments.till import Till

EXHAUSTED = (409, "operator.credit_exhausted")


@pytest.fixture(autouse=True)
def trusted_with_four(site: Site) -> None:
    trust_with(site, 400)


def charges(site: Site, number: int) -> list[ChargingSession]:
    """Of 3.50 each."""
    return [charge(site, 10_000, number=each) for each in range(number)]


def test_a_correction_gives_back_no_more_than_the_operator_may_owe(site: Site) -> None:
    put_limit(site, 0)
    [session] = charges(site, 1)
    reply = correct(site, session, 0)
    assert (reply.status, reply.body["code"]) == EXHAUSTED
    assert (site.session(session.session_id).captured, unsettled(site)) == (350, 0)


def test_many_corrections_give_back_no_more_than_one(site: Site) -> None:
    sessions = charges(site, 5)
    settle_night(site)
    assert withdraw(site, 1750).status == 201
    replies = [correct(site, session, 0) for session in sessions]
    assert [reply.status for reply in replies] == [201, 409, 409, 409, 409]
    assert unsettled(site) == 350
    settle_night(site)
    assert (owed(site), unsettled(site)) == (-350, 0)
    assert correct(site, sessions[1], 0).status == 409
    assert correct(site, sessions[1], 300).status == 201, "0.50 of the limit are left"
    assert proving.prove_ledger(site.world.ctx).faults == []


def test_what_was_not_withdrawn_may_be_given_back(site: Site) -> None:
    put_limit(site, 0)
    sessions = charges(site, 2)
    settle_night(site)
    assert [correct(site, session, 0).status for session in sessions] == [201, 201]
    settle_night(site)
    assert (owed(site), unsettled(site)) == (0, 0)


def test_what_was_given_back_today_is_not_withdrawn_before_the_night(site: Site) -> None:
    sessions = charges(site, 2)
    settle_night(site)
    assert correct(site, sessions[0], 0).status == 201
    assert withdraw(site, 351).body["code"] == "ledger.insufficient_funds"
    assert withdraw(site, 350).status == 201
    settle_night(site)
    assert owed(site) == 0


def test_what_was_sold_and_given_back_on_one_day_leaves_nothing_behind(site: Site) -> None:
    """The limit is there again, neither more nor less, also after corrections of what was corrected."""
    [session] = charges(site, 1)
    for cost in (300, 200, 100):
        assert correct(site, session, cost).status == 201
    assert unsettled(site) == 250
    settle_night(site)
    assert (owed(site), unsettled(site)) == (100, 0)
    assert take_cash(site, 501).status == 409
    assert take_cash(site, 500).status == 201


def test_an_order_is_not_resolved_for_nothing_beyond_the_limit(site: Site) -> None:
    put_limit(site, 300)
    episode = lost(site, seen_wh=10_000)
    for resolved in (
        partial(resolve, kind="other_deduction", amount=euro(0)),
        partial(resolve, kind="order_fee", energy_wh=0),
    ):
        reply = resolved(site, episode.session_id)
        assert (reply.status, reply.body["code"]) == EXHAUSTED
    assert episode.session.captured == 350
    assert resolve(site, episode.session_id, "other_deduction", amount=euro(50)).status == 201
    assert unsettled(site) == 300
    settle_night(site)
    assert (owed(site), unsettled(site)) == (50, 0)


def test_what_was_found_later_is_no_credit_for_what_is_given_back(site: Site) -> None:
    episode = lost(site, seen_wh=10_000)
    assert resolve(site, episode.session_id, "order_fee", energy_wh=20_000).status == 201
    assert (episode.session.captured, unsettled(site)) == (700, 0)
    [other] = charges(site, 1)
    assert correct(site, other, 50).status == 201
    assert unsettled(site) == 300
    settle_night(site)
    assert (owed(site), unsettled(site)) == (750, 0)


def test_a_charger_that_tells_less_is_believed_and_the_operator_owes_it(site: Site) -> None:
    put_limit(site, 100)
    episode = lost(site, seen_wh=10_000)
    site.advance(5)
    stop_late(episode, 100)
    assert (episode.session.captured, unsettled(site)) == (4, 346)
    assert take_cash(site, 1).status == 409, "what was noted leaves no room"
    settle_night(site)
    assert (owed(site), unsettled(site)) == (4, 0)


def test_what_an_enterprise_owes_is_lowered_whatever_the_limit(site: Site) -> None:
    fleet = found_fleet(site)
    put_limit(site, 0)
    session = charge(site, 2000)  # 0.70
    reply = correct(site, session, 20)
    assert (reply.status, fleet.used(), unsettled(site)) == (201, 20, 0)
    settle_night(site)
    assert (owed(site), unsettled(site)) == (0, 0)


@pytest.fixture
def guest(site: Site) -> Guest:
    return Guest(site, Till(site.world))


def guest_charges(site: Site, guest: Guest) -> ChargingSession:
    """For 3.50, by card."""
    order = guest.pays(guest.order(1000))
    guest.leaves(guest.plugs_in(order), 11_000)
    return site.session(order.session_id)


def test_a_guests_card_gets_back_no_more_than_the_operator_may_owe(site: Site, guest: Guest) -> None:
    first, second = guest_charges(site, guest), guest_charges(site, guest)

    def pay_back(session: ChargingSession) -> tuple[int, int]:
        reply = ask(site, f"/v1/payments/{session.payment_id}/refunds", {"reason": "A friend", "amount": euro(350)})
        return reply.status, unsettled(site)

    assert [pay_back(first), pay_back(second)] == [(202, 350), (409, 350)]
    guest.run()
    settle_night(site)
    assert (owed(site), unsettled(site)) == (350, 0)


def test_what_a_charger_tells_and_a_card_cannot_give_back_is_not_owed(site: Site, guest: Guest) -> None:
    """The provider has not captured yet: the stop is kept, and no more is written for it."""
    order = guest.pays(guest.order(1000))
    transaction_id = guest.plugs_in(order, 0)
    site.advance(10)
    site.meter(transaction_id, 10_000)
    site.world.commit(lambda uow: charging.give_up_session(uow, order.session_id, "stop_missing"))
    site.stop(transaction_id, 100)
    assert (site.session(order.session_id).captured, unsettled(site)) == (350, 0)


def test_what_a_provider_will_not_pay_is_noted_until_the_night(site: Site, guest: Guest) -> None:
    put_limit(site, 0)
    order = guest.pays(guest.order(1000))
    transaction_id = guest.plugs_in(order)
    guest.till.provider.run_out(f"page_{order.payment_id}")
    guest.leaves(transaction_id, 11_000)
    assert (site.session(order.session_id).captured, unsettled(site)) == (0, 350)
    settle_night(site)
    assert (owed(site), unsettled(site)) == (0, 0)
