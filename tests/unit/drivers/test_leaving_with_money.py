"""A driver leaves at the very moment at which money moves: nothing may be stranded in a wallet of nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.charging.service.leaving import check_may_leave
from chalicelib.drivers import service as drivers
from chalicelib.drivers.service.leaving import erase_driver
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.wallets import jobs as wallets_jobs
from chalicelib.wallets import service as wallets
from tests.site import Site, build_site
from tests.world import World


@pytest.fixture
def site(world: World) -> Site:
    return build_site(world, money=0)


def leave(site: Site, uow: UnitOfWork) -> None:
    check_may_leave(uow, site.driver.driver_id)
    erase_driver(uow, drivers.require_driver(site.world.ctx, site.driver.driver_id))


def test_a_charge_that_no_list_shows_yet_keeps_the_account(site: Site) -> None:
    """Indexes lag: all that is sure of a charge that has just begun is its hold."""
    site.top_up(500)
    now = site.world.ctx.now()
    hold = {"driver_id": site.driver.driver_id, "session_id": site.world.ctx.new_id("ses"), "amount": Money(500, "EUR")}
    site.world.commit(lambda uow: wallets.place_session_hold(uow, **hold, expires_at=now + timedelta(hours=1)))
    assert site.available() == 0
    with pytest.raises(DomainError, match=r"driver\.charging"):
        site.world.commit(lambda uow: leave(site, uow))


def test_money_that_comes_at_this_moment_keeps_the_account(site: Site) -> None:
    leaving = UnitOfWork(site.world.ctx)
    leave(site, leaving)
    site.top_up(500)
    with pytest.raises(StaleRead):
        leaving.commit()
    with pytest.raises(DomainError, match=r"driver\.wallet_not_empty"):
        site.world.commit(lambda uow: leave(site, uow))
    assert drivers.require_driver(site.world.ctx, site.driver.driver_id).deleted_at is None


def test_a_charge_that_begins_at_this_moment_keeps_the_account(site: Site) -> None:
    """All of what came meanwhile is reserved: the wallet is as empty as when it was looked at."""
    leaving = UnitOfWork(site.world.ctx)
    leave(site, leaving)
    site.top_up(500)
    site.request(500)
    assert site.available() == 0
    with pytest.raises(StaleRead):
        leaving.commit()


def test_an_empty_wallet_keeps_nobody(site: Site) -> None:
    site.world.commit(lambda uow: leave(site, uow))
    assert drivers.require_driver(site.world.ctx, site.driver.driver_id).deleted_at is not None


@pytest.mark.parametrize("leaves", [True, False])
def test_money_for_a_driver_who_has_left_is_told(site: Site, caplog: pytest.LogCaptureFixture, leaves: bool) -> None:
    """A declined card leaves the provider's page open: what is paid there later is nobody's to spend."""
    world = site.world
    begin = {"topup_id": "top_1", "payment_id": "pay_1", "driver_id": site.driver.driver_id}
    world.commit(lambda uow: wallets.begin_topup(uow, **begin, amount=Money(1000, "EUR")))
    world.commit(lambda uow: wallets.fail_topup(uow, "top_1", failure="card_declined"))
    if leaves:
        world.commit(lambda uow: leave(site, uow))
    paid = Event("evt_1", "payment.succeeded", "pay_1", {"purpose": "topup", "payment_id": "pay_1"}, world.ctx.now())
    wallets_jobs.on_payment_succeeded(world.ctx, paid)
    assert site.available() == 1000
    assert [record.message for record in caplog.records].count("ledger fault") == leaves
