"""The workflow of a session whose charger was told to stop: answered, refused, ignored, or gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import service
from chalicelib.charging.model import Limits
from infra.local.stepfunctions import hook
from tests.integration.charging.test_session_workflow import Workflows, state
from tests.site import Site

HOUR = 3600


@pytest.fixture
def workflows(site: Site, tmp_path: Path) -> Iterator[Workflows]:
    built = Workflows(site, tmp_path / "workflows.sqlite3")
    restore = hook.install(built.runner)
    yield built
    restore()
    built.runner.close()


@pytest.fixture
def transaction_id(site: Site, workflows: Workflows) -> int:
    """A charge that runs for ten minutes."""
    outcome = site.start(meter_wh=1000)
    workflows.advance(600)
    site.meter(outcome.transaction_id, 1200)
    return outcome.transaction_id


def ask_to_stop(site: Site, workflows: Workflows) -> None:
    [session] = site.sessions()
    site.world.commit(lambda uow: service.cancel_or_stop(uow, session, requested_by="drv"))
    workflows.settle()


def refuse(site: Site) -> None:
    [session] = site.sessions()
    site.world.commit(lambda uow: service.handle_remote_stop_answer(uow, session_id=session.session_id, accepted=False))


def asked(site: Site) -> int:
    return len(chargers.list_commands(site.world.ctx, "CP-001", action="stop_session", limit=50, cursor=None).data)


def gone(site: Site) -> None:
    site.world.commit(lambda uow: chargers.close_connection(uow, "conn-1="))


def test_a_stop_that_is_answered_takes_one_transition_more(
    site: Site, workflows: Workflows, transaction_id: int
) -> None:
    before = workflows.runner.transitions
    ask_to_stop(site, workflows)
    site.stop(transaction_id, 1300)
    workflows.settle()
    assert (state(site), workflows.statuses(), asked(site)) == ("settled", ["SUCCEEDED"], 1)
    assert workflows.runner.transitions - before == 1


def test_a_charger_that_ignores_it_is_asked_again_and_given_up(
    site: Site, workflows: Workflows, transaction_id: int
) -> None:
    ask_to_stop(site, workflows)
    workflows.advance(290)
    assert (state(site), asked(site)) == ("stopping", 1)
    workflows.advance(20)
    assert (state(site), asked(site)) == ("stopping", 2)
    workflows.advance(300)
    [session] = site.sessions()
    assert (session.state, session.abnormal_cause, session.captured) == ("abnormal", "stop_missing", 7)
    assert (workflows.statuses(), site.available()) == (["SUCCEEDED"], 1993)


def test_a_charger_that_refuses_goes_on_and_is_watched_to_its_end(
    site: Site, workflows: Workflows, transaction_id: int
) -> None:
    ask_to_stop(site, workflows)
    refuse(site)
    workflows.advance(HOUR)
    assert (state(site), workflows.statuses(), asked(site)) == ("charging", ["RUNNING"], 1)
    ask_to_stop(site, workflows)
    site.stop(transaction_id, 1300)
    workflows.settle()
    assert (state(site), workflows.statuses(), asked(site)) == ("settled", ["SUCCEEDED"], 2)


def test_a_charge_whose_stop_was_refused_still_ends_after_a_day(
    site: Site, workflows: Workflows, transaction_id: int
) -> None:
    ask_to_stop(site, workflows)
    refuse(site)
    workflows.advance(25 * HOUR)
    assert (state(site), workflows.statuses(), site.available()) == ("abnormal", ["SUCCEEDED"], 1993)


def test_a_charger_that_is_gone_may_still_tell_the_end(site: Site, workflows: Workflows, transaction_id: int) -> None:
    gone(site)
    ask_to_stop(site, workflows)
    workflows.advance(6 * HOUR)
    assert (state(site), asked(site)) == ("stopping", 1)
    before = workflows.runner.transitions
    workflows.advance(4 * HOUR)
    assert workflows.runner.transitions - before <= 3 * 8, "it is looked for every half hour"
    site.connect()
    site.stop(transaction_id, 1300)
    workflows.settle()
    assert (state(site), workflows.statuses()) == ("settled", ["SUCCEEDED"])


def test_a_charger_that_is_gone_for_half_a_day_is_given_up(
    site: Site, workflows: Workflows, transaction_id: int
) -> None:
    gone(site)
    ask_to_stop(site, workflows)
    workflows.advance(13 * HOUR)
    assert (state(site), workflows.statuses(), site.available()) == ("abnormal", ["SUCCEEDED"], 1993)


def test_a_charger_that_comes_back_is_asked_again_once_it_had_time_to_speak(
    site: Site, workflows: Workflows, transaction_id: int
) -> None:
    gone(site)
    ask_to_stop(site, workflows)
    workflows.advance(2 * HOUR)
    site.connect()
    workflows.advance(HOUR)
    assert (state(site), asked(site)) == ("abnormal", 2)


def test_who_presses_stop_again_and_again_changes_nothing(
    site: Site, workflows: Workflows, transaction_id: int
) -> None:
    for _ in range(3):
        ask_to_stop(site, workflows)
        workflows.advance(60)
    assert workflows.statuses() == ["RUNNING"]
    site.stop(transaction_id, 1300)
    workflows.settle()
    assert (state(site), workflows.statuses()) == ("settled", ["SUCCEEDED"])


@pytest.mark.parametrize("failures", [1, 4])
def test_tasks_that_fail_meanwhile_lose_nothing(
    site: Site, workflows: Workflows, transaction_id: int, failures: int
) -> None:
    workflows.failing["SessionClose"] = workflows.failing["SessionAwait"] = failures
    ask_to_stop(site, workflows)
    workflows.advance(HOUR)
    assert (state(site), workflows.statuses(), site.available()) == ("abnormal", ["SUCCEEDED"], 1993)


def test_a_stop_before_the_workflow_began_is_seen_when_it_begins(site: Site, workflows: Workflows) -> None:
    outcome = site.start(meter_wh=1000)
    site.meter(outcome.transaction_id, 1200)
    [session] = site.sessions()
    site.world.commit(lambda uow: service.cancel_or_stop(uow, session, requested_by="drv"))
    workflows.advance(700)
    assert (state(site), workflows.statuses()) == ("abnormal", ["SUCCEEDED"])


def test_a_limit_of_time_ends_it_though_the_charger_reports_nothing(site: Site, workflows: Workflows) -> None:
    session = site.world.commit(
        lambda uow: service.request_session(
            uow,
            session_id=site.world.ctx.new_id("ses"),
            driver_id=site.driver.driver_id,
            charger_id="CP-001",
            evse_no=1,
            amount=None,
            limits=Limits(duration_s=1800),
        )
    )
    workflows.settle()
    outcome = site.start_from_app(meter_wh=1000)
    workflows.advance(1790)
    assert (state(site), asked(site)) == ("charging", 0)
    workflows.advance(20)
    assert (state(site), asked(site)) == ("stopping", 1)
    site.stop(outcome.transaction_id, 1200)
    workflows.settle()
    assert (site.session(session.session_id).state, workflows.statuses()) == ("settled", ["SUCCEEDED"])
