"""Two things that touch an enterprise's money, decided on the same reading: the books are right, whoever is first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from chalicelib.charging import service as charging
from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Member
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.integration.money.paying import Fleet, balances_by_class, found_fleet, prove
from tests.site import Site

LIMIT, MONTHLY = 3000, 2500
Decide = Callable[[UnitOfWork], Any]


class Race:
    """A charge by card runs at EVSE 1 with a hold of 20.00; one of 3.00 is asked for at EVSE 2. The member's month has
    2.00 left, the credit 7.00."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.fleet: Fleet = found_fleet(site, limit=LIMIT, monthly_limit=MONTHLY)
        self.number = site.start(meter_wh=0).transaction_id
        self.wanted = site.request(300, evse_no=2)
        self.began_at = site.world.clock.now()
        [self.running] = [s for s in site.sessions() if s.session_id != self.wanted.session_id]
        assert (self.fleet.used(), self.running.held) == (2300, 2000)

    def decision(self, name: str) -> Decide:
        site, session_id, wanted = self.site, self.running.session_id, self.wanted.session_id
        return {
            "cheap stop": lambda uow: self.stop(uow, 1000),
            "dear stop": lambda uow: self.stop(uow, 90_000),
            "lost": lambda uow: charging.give_up_session(uow, session_id, "stop_missing"),
            "nobody plugs in": lambda uow: charging.expire_request(uow, wanted),
            "refused": lambda uow: charging.handle_remote_start_answer(uow, session_id=wanted, accepted=False),
            "app starts": lambda uow: self.start(uow, drivers.app_token(site.driver.driver_id)),
            "card starts": lambda uow: self.start(uow, "04FFFFFFFF"),
            "lower credit": lambda uow: drivers.change_enterprise(uow, self.fleet.enterprise, {"credit_limit": 2400}),
            "deactivated": lambda uow: drivers.change_enterprise(uow, self.fleet.enterprise, {"state": "inactive"}),
            "lower month": lambda uow: self.member(uow, 100),
            "no member": lambda uow: drivers.remove_member(uow, self.fleet.enterprise, self.driver()),
        }[name]

    def driver(self) -> Any:
        return drivers.require_driver(self.site.world.ctx, self.site.driver.driver_id)

    def member(self, uow: UnitOfWork, monthly: int) -> None:
        member = Member(self.fleet.enterprise_id, self.site.driver.driver_id, self.began_at, monthly)
        drivers.put_member(uow, self.fleet.enterprise, self.driver(), member)

    def stop(self, uow: UnitOfWork, wh: int) -> None:
        charging.stop_by_charger(
            uow,
            charger=self.site.charger,
            transaction_id=self.number,
            meter_stop_wh=wh,
            stopped_at=self.site.world.clock.now(),
            reason="Local",
            id_token=None,
            samples=[],
        )

    def start(self, uow: UnitOfWork, id_token: str) -> None:
        """The other card supersedes the request; nobody knows it."""
        charging.start_by_charger(
            uow,
            charger=self.site.charger,
            evse_no=2,
            id_token=id_token,
            meter_start_wh=0,
            started_at=self.began_at,
            message_id=f"start-{id_token}",
        )

    def end_all(self) -> None:
        for session in self.site.sessions():
            if session.is_pending:
                self.site.world.commit(lambda uow, s=session: charging.expire_request(uow, s.session_id))
            elif session.is_open:
                self.site.stop(session.transaction_id, 2000)

    def check(self) -> None:
        ours = [s for s in self.site.sessions() if s.enterprise_id == self.fleet.enterprise_id]
        took = sum(_took(session) for session in ours)
        books = balances_by_class(self.site)
        assert self.fleet.used() == took
        assert self.fleet.free() == books["enterprise"] >= 0
        assert -books["credit_line"] == self.fleet.enterprise.credit_limit
        month = drivers.used_in_month(
            self.site.world.ctx, self.fleet.enterprise_id, [self.site.driver.driver_id], "2026-03"
        )
        assert month == {self.site.driver.driver_id: took}
        assert took <= MONTHLY
        assert self.site.available() == 2000, "nobody's private money"
        prove(self.site)


def _took(session: ChargingSession) -> int:
    return session.held if session.is_open else session.captured or 0


NAMES = (
    "cheap stop",
    "dear stop",
    "lost",
    "nobody plugs in",
    "refused",
    "app starts",
    "card starts",
    "lower credit",
    "deactivated",
    "lower month",
    "no member",
)


@pytest.mark.parametrize(("first", "second"), list(product(NAMES, NAMES)))
def test_each_with_each(site: Site, first: str, second: str) -> None:
    """The later one is decided again where it must be; with itself, it is told twice."""
    race = Race(site)
    site.advance_s(1)
    works = [(race.decision(name), UnitOfWork(site.world.ctx)) for name in (second, first)]
    for decide, uow in works:
        decide(uow)
    (decide, behind), (_, ahead) = works
    ahead.commit()
    _commit_late(site, behind, decide)
    race.check()
    race.end_all()
    race.check()


def _commit_late(site: Site, uow: UnitOfWork, decide: Decide) -> None:
    try:
        uow.commit()
    except StaleRead:
        try:
            site.world.commit(decide)
        except DomainError as error:
            if error.code != "enterprise.limit_in_use":
                raise
