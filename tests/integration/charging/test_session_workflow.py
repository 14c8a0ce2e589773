"""The workflow of a session as it is deployed, on the local runner, with the product's own tasks: whatever fails or
comes at a bad moment, each session is watched to its end and nobody's charge is cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import jobs
from infra.local import template
from infra.local.stepfunctions import hook
from infra.local.stepfunctions.dataflow import machine_arn
from infra.local.stepfunctions.runner import Runner
from tests.site import Site
from tests.unit.charging.test_transaction_events import Teller, ends_right

TASKS = {
    "SessionAwait": jobs.session_await,
    "SessionClose": jobs.session_close,
}


class Trouble(Exception):
    """What a Lambda function raises when the store throttles it."""


class Workflows:
    """Runs what is due. `failing` says how often a task fails before it works again."""

    def __init__(self, site: Site, path: Path) -> None:
        self.site = site
        self.failing: Counter[str] = Counter()
        self.runner = Runner(path, site.world.clock.now, self._invoke)
        description = template.load_template()
        [definition] = [
            machine
            for name, machine in template.state_machines(description, _Names()).items()
            if name == "SessionStateMachine"
        ]
        self.runner.register("session", definition)
        site.world.ctx.settings = replace(site.world.ctx.settings, session_state_machine_arn=machine_arn("session"))

    def _invoke(self, function: str, payload: Any) -> Any:
        if self.failing[function] > 0:
            self.failing[function] -= 1
            raise Trouble(function)
        return TASKS[function](payload, None)

    def settle(self) -> None:
        for _ in range(100):
            if not len(self.site.world.run_events()) + self.runner.run_due():
                return
        raise AssertionError("the work never ends")

    def advance(self, seconds: float) -> None:
        """Time passes, and what falls due on the way is done when it is."""
        self.settle()
        target = self.site.world.clock.now().timestamp() + seconds
        while (due := self.runner.next_due()) is not None and due.timestamp() < target:
            self.site.world.advance(max(0.001, due.timestamp() - self.site.world.clock.now().timestamp()))
            self.settle()
        self.site.world.advance(max(0.0, target - self.site.world.clock.now().timestamp()))
        self.settle()

    def statuses(self) -> list[str]:
        return [str(execution.status) for execution in self.runner.list_executions(limit=10)]


class _Names(dict[str, str]):
    """A function is invoked by its logical id."""

    def __missing__(self, key: str) -> str:
        return key


@pytest.fixture
def workflows(site: Site, tmp_path: Path) -> Iterator[Workflows]:
    built = Workflows(site, tmp_path / "workflows.sqlite3")
    restore = hook.install(built.runner)
    yield built
    restore()
    built.runner.close()


def state(site: Site) -> str:
    return site.sessions()[-1].state


def mails(site: Site) -> int:
    return len(site.world.mails("dana@driver.example"))


def test_a_charge_from_the_phone_ends_with_a_receipt(site: Site, workflows: Workflows) -> None:
    site.wants_receipts()
    site.request(500)
    workflows.settle()
    outcome = site.start_from_app()
    workflows.advance(600)
    site.stop(outcome.transaction_id, 1200)
    workflows.settle()
    assert workflows.statuses() == ["SUCCEEDED"]
    assert mails(site) == 1


def test_nobody_plugs_in(site: Site, workflows: Workflows) -> None:
    site.request(500)
    workflows.advance(125)
    assert (state(site), site.available()) == ("expired", 2000)
    assert workflows.statuses() == ["SUCCEEDED"]
    assert mails(site) == 0


def test_a_request_that_is_called_off(site: Site, workflows: Workflows) -> None:
    session = site.request(500)
    workflows.settle()
    site.world.commit(lambda uow: jobs.service.cancel_or_stop(uow, session, requested_by="drv"))
    workflows.settle()
    assert workflows.statuses() == ["SUCCEEDED"]
    assert mails(site) == 0


def test_a_start_at_the_very_deadline_is_watched_like_any_other(site: Site, workflows: Workflows) -> None:
    """The start is stored, its wake-up comes after the time-out: the session goes on, and so must its workflow."""
    site.request(500)
    workflows.settle()
    site.advance(2.5)
    site.start_from_app()
    workflows.runner.run_due()  # the time-out is seen before the event
    workflows.settle()
    assert state(site) == "charging"
    assert workflows.statuses() == ["RUNNING"]
    workflows.advance(25 * 3600)
    assert (state(site), site.available()) == ("abnormal", 2000)


@pytest.mark.parametrize("started", [False, True])
def test_a_task_that_fails_for_a_while_cuts_nobody_short(site: Site, workflows: Workflows, started: bool) -> None:
    workflows.failing["SessionAwait"] = 3
    if started:
        site.start()
    else:
        site.request(500)
    workflows.advance(60)
    assert state(site) == ("charging" if started else "requested")
    assert workflows.statuses() == ["RUNNING"]


def test_a_charge_that_never_ends_is_given_up_though_no_stop_can_be_sent(site: Site, workflows: Workflows) -> None:
    site.start()
    workflows.advance(24 * 3600 - 30)
    site.world.commit(lambda uow: chargers.close_connection(uow, "conn-1="))
    for _ in range(20):
        site.world.commit(
            lambda uow: chargers.queue_command(
                uow, charger_id=site.charger.charger_id, action="ClearCache", payload={}, requested_by="usr"
            )
        )
    workflows.advance(1800)
    assert (state(site), site.available()) == ("abnormal", 2000)
    assert workflows.statuses() == ["SUCCEEDED"]


def test_a_stop_that_the_charger_answers_ends_it_before_it_is_given_up(site: Site, workflows: Workflows) -> None:
    outcome = site.start()
    workflows.failing["SessionAwait"] = 0
    workflows.advance(24 * 3600 - 30)
    workflows.failing["SessionAwait"] = 1  # the one that waits for the stop
    workflows.advance(60)
    assert state(site) == "stopping"
    site.stop(outcome.transaction_id, 3000)
    workflows.settle()
    [session] = site.sessions()
    assert (session.state, session.energy_wh) == ("settled", 2000)


@pytest.mark.parametrize("watched", [True, False], ids=["its workflow waits", "its workflow comes later"])
def test_an_end_before_its_begin_waits_for_it_and_no_longer(site: Site, workflows: Workflows, watched: bool) -> None:
    teller = Teller(site)
    teller.tell(teller.updated(1100))
    if watched:
        workflows.settle()
    teller.tell(teller.ended())
    workflows.advance(29 * 60)
    assert (state(site), workflows.statuses()) == ("stopping", ["RUNNING"])
    workflows.advance(120)
    [session] = site.sessions()
    assert (session.state, session.energy_wh, session.abnormal_cause) == ("settled", 100, "meter_start_missing")
    assert workflows.statuses() == ["SUCCEEDED"]
    assert (site.available(), teller.orphans()) == (2000, [])


def test_a_begin_behind_its_end_is_paid_and_gets_its_receipt(site: Site, workflows: Workflows) -> None:
    site.wants_receipts()
    teller = Teller(site)
    teller.tell(teller.updated(1100), teller.ended())
    workflows.failing["SessionAwait"] = 2
    workflows.advance(600)
    teller.tell(teller.started())
    workflows.settle()
    ends_right(teller)
    assert (workflows.statuses(), mails(site)) == (["SUCCEEDED"], 1)


def test_an_end_whose_begin_was_missed_after_a_day(site: Site, workflows: Workflows) -> None:
    """The deadline of the day has passed, the charger was told to stop, and tells the end without its begin."""
    site.world.commit(lambda uow: chargers.open_connection(uow, site.charger, "conn-2=", "ocpp2.0.1"))
    teller = Teller(site)
    teller.tell(teller.updated(1100))
    workflows.advance(24 * 3600 + 30)
    assert state(site) == "stopping"
    teller.tell(teller.ended())
    workflows.advance(600)
    assert (state(site), workflows.statuses()) == ("stopping", ["RUNNING"])
    workflows.advance(1800)
    assert (state(site), workflows.statuses()) == ("settled", ["SUCCEEDED"])
