"""A process that dies between any two steps of a charge, and whatever is told again: the money is right in the end.

Each step of a charge is carried out with a crash before or after each of its store calls, then told again as a charger,
an event or a workflow would tell it. What comes out is what comes out without a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.charging import jobs, service
from chalicelib.charging.model import ChargingSession, MeterSample
from chalicelib.drivers import service as drivers
from chalicelib.kernel import context
from chalicelib.ledger import proving
from tests import world as worlds
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.site import Site, build_site

MOST_WRITES = 20


class WritesKill(MortalContext):
    """Dies at writes alone: what dies at a read has done what it did by its last write."""

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation.startswith(("get", "batch_get", "query", "scan")):
            call: Callable[..., Any] = getattr(self._store, operation)
            return call
        return super().__getattr__(operation)


@dataclass
class Story:
    """A charge until full at 1.00 a kWh by a driver with 60.00, told step by step."""

    site: Site
    transaction_id: int = 0

    @property
    def session(self) -> ChargingSession:
        return self.site.sessions()[-1]

    def request(self) -> None:
        if not self.site.sessions():
            self.site.request(None, session_id=self.session_id)

    def start(self) -> None:
        app = drivers.app_token(self.site.driver.driver_id)
        self.transaction_id = self.site.start(app, meter_wh=0, at=self.began).transaction_id

    def extend(self) -> None:
        self.meter(17_000)

    def exhaust(self) -> None:
        self.meter(70_000)

    def ask_again(self) -> None:
        self.press()

    def stop(self) -> None:
        self.site.stop(self.transaction_id, 18_000, at=self.began + timedelta(seconds=200))

    def expire(self) -> None:
        jobs.session_close({"session_id": self.session.session_id, "action": "expire"}, None)

    def press(self) -> None:
        jobs.session_close({"session_id": self.session.session_id, "action": "press"}, None)

    def sweep(self) -> None:
        self.site.world.run_job(jobs.sweep_sessions)

    def deliver(self) -> None:
        self.site.world.run_events()

    def wait(self) -> None:
        self.site.advance(6)

    def __post_init__(self) -> None:
        self.began = self.site.world.clock.now()
        self.site.advance_s(1)
        self.session_id = self.site.world.ctx.new_id("ses")

    def meter(self, register_wh: int) -> None:
        sample = MeterSample(self.began + timedelta(seconds=register_wh / 100), energy_wh=register_wh)
        self.site.world.commit(
            lambda uow: service.record_meter_values(
                uow, charger=self.site.charger, evse_no=1, transaction_id=self.transaction_id, samples=[sample]
            )
        )


STORIES = {
    "settled": ("request", "start", "extend", "stop"),
    "given up": ("request", "start", "extend", "exhaust", "deliver", "wait", "ask_again", "wait", "press"),
    "expired": ("request", "expire"),
    "swept": ("request", "wait", "sweep"),
}
CRASHING = {
    "settled": ("request", "start", "extend", "stop"),
    "given up": ("exhaust", "deliver", "ask_again", "press"),
    "expired": ("expire",),
    "swept": ("sweep",),
}


@pytest.fixture
def tell() -> Callable[..., Any]:
    """Tells a story in a world of its own, with a crash at one store call of one step; gives what became of it, and
    whether the step made so many calls."""

    def tell(name: str, step_no: int = -1, call: int = 0, *, carried_out: bool = False) -> tuple[Any, bool]:
        world = worlds.build()
        try:
            site = build_site(world, price="1.00", money=6000)
            mortal = WritesKill(world.ctx)
            world.ctx = mortal
            context.install(mortal)
            story, died = Story(site), False
            for number, step in enumerate(STORIES[name]):
                world.advance(1)
                work = getattr(story, step)
                mortal.calls, mortal.crash_at = 0, (call, carried_out) if number == step_no else None
                try:
                    work()
                except Crash:
                    died = True
                    mortal.crash_at = None
                    work()
                mortal.crash_at = None
            return outcome_of(site), died
        finally:
            world.close()

    return tell


def outcome_of(site: Site) -> Any:
    proof = proving.prove_ledger(site.world.ctx)
    assert proof.faults == []
    assert sum(proof.totals.values()) == 0
    [session] = site.sessions()
    facts = (session.state, session.held, session.cost, session.captured, session.abnormal_cause)
    return facts, site.lines(), site.available()


@pytest.mark.parametrize("name", STORIES)
def test_a_crash_anywhere_changes_nothing(name: str, tell: Callable[..., Any]) -> None:
    expected, _ = tell(name)
    crashes = 0
    for step in CRASHING[name]:
        step_no = STORIES[name].index(step)
        for call in range(1, MOST_WRITES):
            died = False
            for carried_out in (False, True):
                found, died = tell(name, step_no, call, carried_out=carried_out)
                assert found == expected, (step, call, carried_out)
                crashes += died
            if not died:
                break
    assert crashes >= 2 * len(CRASHING[name]), "before and after at least one write of each step"


def test_the_stories_end_as_they_are_called(tell: Callable[..., Any]) -> None:
    ends = {name: tell(name)[0] for name in STORIES}
    assert {name: end[0] for name, end in ends.items()} == {
        "settled": ("settled", 4000, 1800, 1800, None),
        "given up": ("abnormal", 6000, 7000, 6000, "stop_missing"),
        "expired": ("expired", 2000, 0, 0, None),
        "swept": ("expired", 2000, 0, 0, None),
    }
    assert {name: end[2] for name, end in ends.items()} == {
        "settled": 4200,
        "given up": 0,
        "expired": 6000,
        "swept": 6000,
    }
