"""Guests where a bill is finer than what a card can pay: of three decimals the provider takes two and a zero."""

from __future__ import annotations

import pytest

from chalicelib.charging import lookup
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.charging.service.correcting import reduce_cost
from chalicelib.kernel.money import Money
from tests.integration.money.paying import prove
from tests.site import Site, build_site
from tests.unit.charging.guest_till import Guest
from tests.unit.payments.till import Till
from tests.world import World


@pytest.fixture
def site(world: World) -> Site:
    return build_site(world, money=0, currency="KWD")


@pytest.fixture
def guest(site: Site) -> Guest:
    return Guest(site, Till(site.world))


def dinar(amount: int) -> Money:
    return Money(amount, "KWD")


def charge(guest: Guest, energy_wh: int) -> GuestOrder:
    order = guest.pays(guest.order(None))
    guest.leaves(guest.plugs_in(order, 0), energy_wh)
    return guest.look(order)


def billed(site: Site, order: GuestOrder) -> tuple[ChargingSession, Cdr]:
    cdr = lookup.find_cdr(site.world.ctx, order.session_id)
    assert cdr is not None
    return site.session(order.session_id), cdr


def test_a_guest_pays_what_the_card_can_and_the_rest_is_not_asked_for(site: Site, guest: Guest) -> None:
    order = charge(guest, 12_345)
    session, cdr = billed(site, order)
    assert (cdr.total_cost, cdr.captured, cdr.uncollected) == (dinar(4321), dinar(4320), dinar(1))
    assert (guest.payment(order).state, guest.taken(order)) == ("captured", 4320)
    assert (session.state, session.abnormal_cause, session.captured) == ("settled", None, 4320)
    prove(site)


def test_what_is_less_than_the_card_can_pay_is_let_go(site: Site, guest: Guest) -> None:
    order = charge(guest, 15)  # 0.005
    assert billed(site, order)[1].uncollected == dinar(5)
    assert (guest.payment(order).state, guest.taken(order)) == ("released", 0)
    prove(site)


@pytest.mark.parametrize(
    ("cost", "kept", "back"), [(2003, 2000, 2320), (2000, 2000, 2320), (4320, 4320, 0), (9, 0, 4320)]
)
def test_what_a_correction_gives_back_is_rounded_for_the_guest(
    site: Site, guest: Guest, cost: int, kept: int, back: int
) -> None:
    order = charge(guest, 12_345)
    session, _ = billed(site, order)
    site.advance_s(1)
    correction = site.world.commit(
        lambda uow: reduce_cost(uow, session, cost=dinar(cost), reason="Goodwill", by="usr_1")
    )
    guest.run()
    assert (correction.moved, correction.valid.captured) == (dinar(-back), dinar(kept))
    assert correction.valid.uncollected == dinar(cost - kept)
    assert guest.payment(order).refunded == (dinar(back) if back else None)
    assert [refund.state.value for refund in guest.till.provider.refunds.values()] == ["succeeded"] * bool(back)
    prove(site)


def test_what_is_reserved_can_be_reserved(site: Site, guest: Guest) -> None:
    token = site.world.access_token(site.operator.user.email)
    setting = {"least": 300, "hold": 9009, "most": 60_000}
    assert site.world.rest.put("/v1/settings/guests", setting, token=token).status == 200
    assert guest.order(None).amount == dinar(9000)
