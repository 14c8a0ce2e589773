"""The sweeper finishes what workflows left: whichever step they died in, everybody's money is where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import jobs, service
from chalicelib.charging.model.deadlines import LONGEST_SILENCE
from chalicelib.ledger import proving
from tests.site import Site
from tests.unit.charging.teller import Teller


def sweep(site: Site, minutes: float) -> dict[str, int]:
    """Time passes; the job runs every ten minutes. No event is ever delivered, so that no workflow begins."""
    done: dict[str, int] = {}
    for _ in range(round(minutes / 10)):
        now = site.world.clock.now()
        site.advance_s(600 - now.timestamp() % 600)
        for due, count in site.world.run_job(jobs.sweep_sessions).items():
            done[due] = done.get(due, 0) + count
    return done


def asked(site: Site, action: str) -> int:
    return len(chargers.list_commands(site.world.ctx, "CP-001", action=action, limit=50, cursor=None).data)


def requested(site: Site) -> None:
    site.request(500)


def awaiting_plug(site: Site) -> None:
    session = site.request(500)
    site.world.commit(lambda uow: service.handle_remote_start_answer(uow, session_id=session.session_id, accepted=True))


def charging(site: Site) -> int:
    outcome = site.start(meter_wh=1000)
    site.meter(outcome.transaction_id, 1200)
    return outcome.transaction_id


def stop_asked(site: Site) -> None:
    charging(site)
    [session] = site.sessions()
    site.world.commit(lambda uow: service.cancel_or_stop(uow, session, requested_by="drv"))


def stop_refused(site: Site) -> None:
    stop_asked(site)
    [session] = site.sessions()
    site.world.commit(lambda uow: service.handle_remote_stop_answer(uow, session_id=session.session_id, accepted=False))


def end_without_begin(site: Site) -> None:
    teller = Teller(site)
    teller.tell(teller.updated(1100), teller.ended())


@pytest.mark.parametrize(
    ("die", "hours", "state", "captured"),
    [
        (requested, 1, "expired", 0),
        (awaiting_plug, 1, "expired", 0),
        (charging, 28, "abnormal", 7),
        (stop_asked, 4, "abnormal", 7),
        (stop_refused, 28, "abnormal", 7),
        (end_without_begin, 2, "settled", 0),
    ],
)
def test_whatever_state_its_workflow_died_in(
    site: Site, die: Callable[[Site], object], hours: int, state: str, captured: int
) -> None:
    die(site)
    sweep(site, hours * 60)
    [session] = site.sessions()
    assert (session.state, session.captured) == (state, captured)
    assert site.available() == 2000 - captured
    assert proving.prove_ledger(site.world.ctx).faults == []
    assert sweep(site, 60) == {}, "nothing is done twice"


def test_a_request_that_nobody_watches_gives_the_money_back_within_a_quarter_of_an_hour(site: Site) -> None:
    requested(site)
    assert sweep(site, 20) == {"expire": 1}
    assert site.available() == 2000


def test_a_charge_that_runs_as_it_should_is_left_alone(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    for quarter in range(1, 4 * 9):
        site.advance(5)
        site.meter(outcome.transaction_id, 1000 + quarter)
        assert set(sweep(site, 10)) <= {"nothing"}
    assert site.sessions()[0].state == "charging"
    assert (asked(site, "stop_session"), asked(site, "trigger_meter_values")) == (0, 0)


def test_a_charger_that_falls_silent_is_asked_and_flagged_until_it_speaks(site: Site) -> None:
    transaction_id = charging(site)
    told = site.world.clock.now()
    sweep(site, 130)
    [session] = site.sessions()
    assert (session.silent_since, session.state, asked(site, "trigger_meter_values")) == (told, "charging", 1)
    token = site.world.access_token(site.operator.user.email)
    view = site.world.rest.get(f"/v1/sessions/{session.session_id}", token=token).body
    assert view["silent_since"] is not None
    for _ in range(20):
        site.meter(transaction_id, 1300)
        sweep(site, 10)
    assert site.sessions()[0].silent_since is None
    site.stop(transaction_id, 1400)
    assert site.sessions()[0].state == "settled"


def test_a_charger_that_is_gone_for_half_a_day_is_not_waited_for(site: Site) -> None:
    charging(site)
    site.world.commit(lambda uow: chargers.close_connection(uow, "conn-1="))
    sweep(site, 11 * 60)
    assert site.sessions()[0].state == "charging"
    sweep(site, 3 * 60)
    [session] = site.sessions()
    assert (session.state, session.abnormal_cause, session.captured) == ("abnormal", "charger_silent", 7)
    assert site.available() == 1993


@pytest.mark.parametrize("gone_after_hours", [2, 5, 8])
def test_whenever_it_left_a_silent_charger_is_waited_for_14_hours_at_most(site: Site, gone_after_hours: int) -> None:
    transaction_id = charging(site)
    for _ in range(gone_after_hours):
        site.advance(60)
        site.meter(transaction_id, 1200)
    site.world.commit(lambda uow: chargers.close_connection(uow, "conn-1="))
    sweep(site, LONGEST_SILENCE / timedelta(minutes=1) - 10)
    assert site.sessions()[0].state == "charging"
    sweep(site, 2 * 60 + 30)
    assert site.sessions()[0].abnormal_cause == "charger_silent"


def test_one_sessions_trouble_does_not_stop_the_others(site: Site) -> None:
    first, second = site.request(500, evse_no=1), site.request(600, evse_no=2)
    site.world.engine.execute(
        "UpdateItem",
        {
            "TableName": "wattfare-charging",
            "Key": {"pk": {"S": f"session#{first.session_id}"}, "sk": {"S": "session"}},
            "UpdateExpression": "SET held = :odd",
            "ExpressionAttributeValues": {":odd": {"N": "499"}},
        },
    )
    site.advance(6)
    with pytest.raises(RuntimeError, match="1 sessions not swept"):
        site.world.run_job(jobs.sweep_sessions)
    assert site.session(first.session_id).state == "requested"
    assert site.session(second.session_id).state == "expired"
