"""The workflow side: deadlines, task tokens, what follows the end. Every step may come twice or late."""

from __future__ import annotations

import json

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import jobs, service
from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.kernel.outbox import Event
from chalicelib.ledger.jobs import prove_ledger
from tests.site import Site


def awaits(site: Site, session_id: str, awaited: str) -> None:
    jobs.session_await({"session_id": session_id, "awaited": awaited, "task_token": f"token-{awaited}"}, None)


def answers(site: Site) -> list[tuple[str, str]]:
    """(operation, task token) of what was sent to the workflow service."""
    calls = [call for call in site.world.calls if call.service == "stepfunctions" and "taskToken" in call.request]
    return [(call.operation, call.request["taskToken"]) for call in calls]


def give_to_agency(site: Site, agency_id: str) -> None:
    location = chargers.get_location(site.world.ctx, site.location.location_id)
    assert location is not None
    site.world.commit(lambda uow: chargers.change_location(uow, location, {"agency_id": agency_id}))


def test_a_request_starts_one_workflow_that_waits_for_the_start(site: Site) -> None:
    session = site.request(500)
    site.world.run_events()
    site.world.run_events()
    [started] = site.world.aws_calls("stepfunctions", "StartExecution")
    assert started["name"] == session.session_id
    workflow_input = json.loads(started["input"])
    assert (workflow_input["started"], workflow_input["start_timeout_s"]) == (False, 120)


def test_a_card_starts_one_workflow_that_waits_for_the_end(site: Site) -> None:
    site.start()
    site.world.run_events()
    [started] = site.world.aws_calls("stepfunctions", "StartExecution")
    assert json.loads(started["input"])["started"] is True


def test_the_start_wakes_the_waiting_workflow(site: Site) -> None:
    session = site.request(500)
    awaits(site, session.session_id, "start")
    assert answers(site) == []
    site.start_from_app()
    site.world.run_events()
    assert answers(site) == [("SendTaskSuccess", "token-start")]


def test_a_workflow_that_waits_too_late_is_woken_at_once(site: Site) -> None:
    session = site.request(500)
    site.start_from_app()
    awaits(site, session.session_id, "start")
    assert answers(site) == [("SendTaskSuccess", "token-start")]


def test_the_end_wakes_the_workflow(site: Site) -> None:
    outcome = site.start()
    [session] = site.sessions()
    awaits(site, session.session_id, "end")
    site.stop(outcome.transaction_id, 1200)
    site.world.run_events()
    assert answers(site) == [("SendTaskSuccess", "token-end")]


def test_nobody_plugs_in_and_the_money_comes_back(site: Site) -> None:
    session = site.request(500)
    jobs.session_close({"session_id": session.session_id, "action": "expire"}, None)
    jobs.session_close({"session_id": session.session_id, "action": "expire"}, None)
    assert site.session(session.session_id).state == "expired"
    assert site.available() == 2000
    assert site.lines() == [("top_up", 2000), ("consumption", -500), ("refund", 500)]


def test_the_deadline_does_not_touch_a_session_that_started(site: Site) -> None:
    session = site.request(500)
    site.start_from_app()
    jobs.session_close({"session_id": session.session_id, "action": "expire"}, None)
    assert site.session(session.session_id).state == "charging"


def test_a_charge_that_never_ends_is_stopped_then_given_up(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    [session] = site.sessions()
    site.meter(outcome.transaction_id, 1200)
    jobs.session_close({"session_id": session.session_id, "action": "look"}, None)
    assert site.session(session.session_id).state == "charging"
    site.advance(24 * 60)
    jobs.session_close({"session_id": session.session_id, "action": "look"}, None)
    assert site.session(session.session_id).state == "stopping"
    jobs.session_close({"session_id": session.session_id, "action": "give_up"}, None)
    jobs.session_close({"session_id": session.session_id, "action": "give_up"}, None)
    given_up = site.session(session.session_id)
    assert (given_up.state, given_up.abnormal_cause, given_up.captured) == ("abnormal", "stop_missing", 7)
    assert site.available() == 1993


@pytest.mark.parametrize(("accepted", "state", "available"), [(True, "awaiting_plug", 1500), (False, "refused", 2000)])
def test_the_chargers_answer_to_the_remote_start(site: Site, accepted: bool, state: str, available: int) -> None:
    session = site.request(500)
    for _ in range(2):
        site.world.commit(
            lambda uow: service.handle_remote_start_answer(uow, session_id=session.session_id, accepted=accepted)
        )
    assert site.session(session.session_id).state == state
    assert site.available() == available


def test_a_late_refusal_does_not_end_a_running_session(site: Site) -> None:
    session = site.request(500)
    site.start_from_app()
    site.world.commit(
        lambda uow: service.handle_remote_start_answer(uow, session_id=session.session_id, accepted=False)
    )
    assert site.session(session.session_id).state == "charging"


def test_a_refused_stop_leaves_the_session_charging(site: Site) -> None:
    site.start()
    [session] = site.sessions()

    def stop(before: ChargingSession) -> None:
        site.world.commit(lambda uow: service.cancel_or_stop(uow, before, requested_by="drv"))

    stop(session)
    assert site.session(session.session_id).state == "stopping"
    site.world.commit(lambda uow: service.handle_remote_stop_answer(uow, session_id=session.session_id, accepted=False))
    assert site.session(session.session_id).state == "charging"
    stop(site.session(session.session_id))
    assert site.session(session.session_id).state == "stopping"


def test_a_stop_that_was_accepted_and_not_done_can_be_asked_for_again(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    [session] = site.sessions()
    for _ in range(2):
        before = site.session(session.session_id)
        site.world.commit(lambda uow, before=before: service.cancel_or_stop(uow, before, requested_by="drv"))
        site.world.run_events({})
    assert site.session(session.session_id).state == "stopping"
    commands = chargers.list_commands(site.world.ctx, site.charger.charger_id, limit=10, cursor=None).data
    assert [command.action for command in commands] == ["stop_session"] * 2
    site.stop(outcome.transaction_id, 1200)
    assert site.session(session.session_id).state == "settled"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_driver_who_wants_receipts_gets_one_per_charge(site: Site, wanted: bool) -> None:
    site.wants_receipts(wanted)
    outcome = site.start()
    site.stop(outcome.transaction_id, 1200)
    [ended] = [event for event in site.world.pending_events() if event.type == "charging_session.ended"]
    for _ in range(2):
        jobs.on_session_ended(site.world.ctx, ended)
        site.world.run_events()
    mails = site.world.mails("dana@driver.example")
    assert len(mails) == int(wanted)
    assert all("0.200" in mail.text and "0.07 EUR" in mail.text for mail in mails)
    assert drivers.is_linked(site.world.ctx, site.charger.operator_id, site.driver.driver_id)


def test_a_driver_is_on_the_list_of_the_agency_whose_location_it_was_when_the_charge_began(site: Site) -> None:
    """Also where the location has another one by the time that the end is heard of."""
    before, after = "org_01AGENCYBEFORE", "org_01AGENCYAFTER"
    give_to_agency(site, before)
    outcome = site.start()
    give_to_agency(site, after)
    site.stop(outcome.transaction_id, 1200)
    site.world.run_events()
    linked = [drivers.is_linked(site.world.ctx, agency, site.driver.driver_id) for agency in (before, after)]
    assert linked == [True, False]


@pytest.mark.parametrize("started", [True, False])
def test_a_session_that_no_workflow_watches_gives_its_money_back(site: Site, started: bool) -> None:
    """StartExecution failed for ever, or the execution was lost: the nightly proof finds the hold."""
    if started:
        outcome = site.start(meter_wh=1000)
        site.meter(outcome.transaction_id, 1200)
    else:
        asked = site.request(500)
        site.world.commit(
            lambda uow: service.handle_remote_start_answer(uow, session_id=asked.session_id, accepted=True)
        )
    for hours in (25, 1):
        site.world.run_job(prove_ledger)
        site.world.run_events()
        assert site.sessions()[0].is_open
        site.advance(60 * hours + 5)
    for _ in range(2):
        site.world.run_job(prove_ledger)
        site.world.run_events()
    assert site.sessions()[0].state == ("abnormal" if started else "expired")
    assert site.available() == (1993 if started else 2000)
    assert site.world.run_job(prove_ledger)["faults"] == 0


def test_a_forgotten_hold_of_a_session_that_nobody_knows_is_left_to_people(site: Site) -> None:
    jobs.on_hold_forgotten(site.world.ctx, Event("evt_1", "hold.forgotten", "ses_lost", {}, site.world.clock.now()))
    assert site.sessions() == []
