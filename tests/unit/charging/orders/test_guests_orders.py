"""A guest's abnormal order: the card is never charged again; what was too much goes back to it."""

from __future__ import annotations

import pytest

from chalicelib.charging import lookup, order_lookup, service
from chalicelib.charging.model import ChargingSession
from chalicelib.charging.model.orders import AbnormalOrder, Resolving
from chalicelib.charging.service import resolving
from tests.integration.money.paying import balances_by_class, prove
from tests.site import Site
from tests.unit.charging.guest_till import Guest
from tests.unit.charging.orders.episodes import euro
from tests.unit.payments.till import Till


@pytest.fixture
def guest(site: Site) -> Guest:
    return Guest(site, Till(site.world))


def lost(site: Site, guest: Guest, *, tells: bool = True) -> tuple[ChargingSession, int]:
    """A charge for 10.00 of which 10 kWh (3.50) were seen, and no end; `tells`: the provider has captured."""
    order = guest.pays(guest.order(1000))
    transaction_id = guest.plugs_in(order, 0)
    site.advance(10)
    site.meter(transaction_id, 10_000)
    site.world.commit(lambda uow: service.give_up_session(uow, order.session_id, "stop_missing"))
    if tells:
        guest.run()
    return site.session(order.session_id), transaction_id


def resolve(site: Site, session: ChargingSession, energy_wh: int) -> AbnormalOrder:
    wish = Resolving(kind="order_fee", energy_wh=energy_wh)
    return site.world.commit(
        lambda uow: resolving.resolve_order(
            uow,
            lookup.require_session(uow.ctx, session.session_id),
            order_lookup.require_order(uow.ctx, session),
            wish,
            by="usr_1",
        )
    )


def test_a_guest_is_not_asked_and_gets_back_what_was_too_much(site: Site, guest: Guest) -> None:
    session, _ = lost(site, guest)
    assert not order_lookup.require_order(site.world.ctx, session).asks_driver
    order = resolve(site, session, 4000)
    guest.run()
    assert (order.state, order.resolution and order.resolution.moved) == ("closed", euro(-210))
    assert (site.session(session.session_id).captured, site.income()) == (140, 140)
    assert balances_by_class(site).get("refunds", 0) == 0
    prove(site)


def test_a_guests_card_is_not_charged_again(site: Site, guest: Guest) -> None:
    session, transaction_id = lost(site, guest)
    site.stop(transaction_id, 20_000)
    guest.run()
    session = site.session(session.session_id)
    assert (session.cost, session.captured, site.income()) == (700, 350, 350)
    prove(site)


def test_no_more_is_deducted_than_the_card_has_paid(site: Site, guest: Guest) -> None:
    session, _ = lost(site, guest)  # 3.50 were taken
    token = site.operator.access_token
    detail = site.world.rest.get(f"/v1/abnormal-orders/{session.session_id}", token=token).body
    assert detail["most_to_deduct"] == {"amount": 350, "currency": "EUR"}
    path, wish = f"/v1/sessions/{session.session_id}/resolution", {"kind": "other_deduction", "reason": "Cable torn"}
    more = wish | {"amount": {"amount": 351, "currency": "EUR"}}
    refused = site.world.rest.post(path, more, token=token, key="more")
    assert (refused.status, refused.body["code"]) == (422, "resolution.amount_too_high")
    assert "3.50 EUR" in refused.body["detail"]
    assert order_lookup.require_order(site.world.ctx, session).state == "open"
    all_of_it = wish | {"amount": {"amount": 350, "currency": "EUR"}}
    assert site.world.rest.post(path, all_of_it, token=token, key="all").body["state"] == "closed"
    prove(site)


def test_what_is_not_captured_yet_cannot_be_paid_back_and_the_stop_is_kept(site: Site, guest: Guest) -> None:
    session, transaction_id = lost(site, guest, tells=False)
    site.stop(transaction_id, 4000)
    [orphan] = lookup.list_orphan_stops(site.world.ctx, session.operator_id, limit=10, cursor=None).data
    assert (orphan.session_id, site.session(session.session_id).captured) == (session.session_id, 350)
    guest.run()
    prove(site)
