"""The process dies at any store call of a guest's charge, from the card to the receipt: one session, one bill, and the
card pays once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from chalicelib.charging import lookup
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.drivers.model import app_token
from chalicelib.kernel import context
from chalicelib.payments.providers.port import ProviderEventKind
from tests.integration.money.paying import balances_by_class, prove
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.site import Site, build_site
from tests.unit.charging.guest_till import Guest
from tests.unit.payments.till import Till, page
from tests.world import World

MOST_CALLS = 80
EXPECTED = {
    # what becomes of the card, the income, the CDRs
    "pays": ("captured", 350, 1),
    "takes nothing": ("released", 0, 1),
    "does not pay": ("capture_failed", 0, 3),
}


@pytest.fixture
def mortal(world: World) -> MortalContext:
    ctx = MortalContext(world.ctx)
    world.ctx = ctx
    context.install(ctx)
    return ctx


def steps(guest: Guest, order: GuestOrder, how: str) -> list[Callable[[], object]]:
    """What happens, each step as often as it takes: notifications, frames and events come again."""
    site = guest.site
    its_page = page(guest.payment(order))
    guest.till.provider.authorize(its_page)
    told = guest.till.provider.event(its_page, f"evt_{order.session_id}", ProviderEventKind.CHECKOUT_PAID)
    token, key = app_token(order.session_id), f"start-{order.session_id}"
    started: list[int] = []

    def pay() -> None:
        guest.till.take(told)
        guest.run()

    def start() -> None:
        started.append(site.start(token, meter_wh=1000, message_id=key).transaction_id)

    def stop() -> None:
        if how == "does not pay":
            guest.till.provider.run_out(its_page)
        site.stop(started[0], 1000 if how == "takes nothing" else 11_000)
        guest.run()

    return [pay, start, guest.run, stop, guest.run]


def charge(to_do: Iterable[Callable[[], object]]) -> bool:
    """Whether it died on the way."""
    died = False
    for step in to_do:
        while True:
            try:
                step()
                break
            except Crash:
                died = True
    return died


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("how", EXPECTED)
def test_a_crash_at_any_store_call(mortal: MortalContext, world: World, how: str, carried_out: bool) -> None:
    state, earned, records = EXPECTED[how]
    site: Site = build_site(world)
    guest = Guest(site, Till(world))
    for call in range(1, MOST_CALLS):
        order = guest.order(1000)
        income = site.income()
        to_do = steps(guest, order, how)
        mortal.calls, mortal.crash_at = 0, (call, carried_out)
        died = charge(to_do)
        mortal.crash_at = None
        world.advance(700)
        guest.till.reconcile()
        guest.run()
        session = site.session(order.session_id)
        assert (session.state, guest.payment(order).state) == ("settled", state), call
        assert site.income() - income == earned, call
        assert len(lookup.list_cdrs_of_session(world.ctx, order.session_id)) == records, call
        assert balances_by_class(site).get("captures", 0) == 0, call
        if not died:
            prove(site)
            return
    pytest.fail("more store calls than expected")
