"""The workflow side of charging: consumers of its events, and the tasks of `infra/state_machines/session.asl.json`.

The money is right whether or not an execution finishes: frames settle in their own commit. The workflow keeps the
deadlines: nobody plugs in, never-ending, stop unanswered, begin never heard; the sweeper, behind it, keeps them of
sessions that no workflow watches. Consumers and tasks may run twice.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError
from chalice import Blueprint, Cron

from chalicelib.charging import lookup, service
from chalicelib.charging.model import (
    BEGIN_TIMEOUT,
    DELIVERING_STATES,
    MAX_DURATION,
    OPEN_STATES,
    PENDING_STATES,
    START_TIMEOUT,
    STOP_TIMEOUT,
    ChargingSession,
    WorkflowWait,
)
from chalicelib.charging.model.deadlines import OFFLINE_WAIT, SWEEP_GRACE
from chalicelib.charging.order_jobs import review_readings
from chalicelib.charging.store import session_pk
from chalicelib.charging.store.sessions import WORKFLOW_WAITS
from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.kernel import metrics, task
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.log import logger
from chalicelib.kernel.money import Money
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.notifications import service as notifications
from chalicelib.notifications.model import Enclosure

jobs = Blueprint(__name__)

_STILL_AWAITED = {"start": PENDING_STATES, "end": OPEN_STATES, "stop": OPEN_STATES, "begin": OPEN_STATES}
_WOKEN_BY = {"start": "start", "end": "end", "stop": "end", "begin": "end"}
"""Under which name the task token is kept: a stop that was asked for, and the begin that comes behind the end, are,
with it, the end."""
LOOKED_AT_HOURS = (1, 2, 4, 8, 12, 13, 14, 16, 18, 20, 22, 24, 25, 26, 30, 48)
"""From 12 hours on, when a charger may have been gone for LONGEST_SILENCE, at most two apart until all is overdue.
After the last one the nightly proof still finds a session that has money, by its hold."""
MOST_SWEPT = 10_000
"""Open sessions that one run looks at: some reads each, and a Lambda has 15 minutes."""
_MINUTES_BETWEEN_SWEEPS = 10
_FIRST_LOOK_FROM = START_TIMEOUT + SWEEP_GRACE
_FIRST_LOOK_UNTIL = _FIRST_LOOK_FROM + timedelta(minutes=25)
_ALREADY_GONE = {"TaskDoesNotExist", "TaskTimedOut", "InvalidToken"}


def on_session_requested(ctx: Context, event: Event) -> None:
    """A driver asked for a charge: its workflow begins by waiting for the start."""
    _start_workflow(ctx, lookup.require_session(ctx, event.subject), started=False)


def on_session_started(ctx: Context, event: Event) -> None:
    """The charger began to deliver: the waiting workflow goes on; a session that nobody asked for gets its own now."""
    if event.payload["requested"]:
        _wake(ctx, event.subject, "start", {"outcome": "started"})
    else:
        session = lookup.require_session(ctx, event.subject)
        _start_workflow(ctx, session, started=True)
        _note_card_used(ctx, session)


def on_begin_missed(ctx: Context, event: Event) -> None:
    """The end was told before the begin (OCPP 2.x): the workflow gives the begin a while."""
    if lookup.require_session(ctx, event.subject).awaits_begin:
        _wake_failed(ctx, event.subject, "end", "BeginMissed", "the charger told the end before the begin")


def on_limit_near(ctx: Context, event: Event) -> None:
    """A limit should be reached before the next reading comes: the workflow looks at that moment."""
    _wake_failed(ctx, event.subject, "end", "LimitNear", "a limit is near", stage="end")


def on_stop_asked(ctx: Context, event: Event) -> None:
    """The charger was told to stop: from now on the workflow waits for its answer. One that does so already, or has not
    come so far, needs no word."""
    session, waits = lookup.session_with_waits(ctx, event.subject)
    wait = waits.get("end")
    if session.state == "stopping" and not session.awaits_begin and wait is not None and wait.stage == "end":
        _fail(ctx, wait, "StopAsked", "the charger was told to stop")


def on_session_ended(ctx: Context, event: Event) -> None:
    """The session is over, however it ended: nothing is awaited any more. After a delivery its driver and its operator
    hear of it, and it is looked at once more. All of that by one read of the session: what ended stays as it is but
    for its bill, which nobody takes from it here."""
    session, waits = lookup.session_with_waits(ctx, event.subject)
    if session.started_at is None:
        _fail(ctx, waits.get("start"), "SessionOver", session.state)
        return
    _succeed(ctx, waits.get("end"), {"outcome": session.state})
    _follow_up(ctx, session)
    if not session.is_open:
        review_readings(ctx, session)
        decide_and_commit(ctx, lambda uow: service.cost_energy(uow, session))


def on_session_corrected(ctx: Context, event: Event) -> None:
    """A session has a new billing record: what its energy cost the operator is said beside it."""
    session = lookup.require_session(ctx, event.subject)
    decide_and_commit(ctx, lambda uow: service.cost_energy(uow, session))


def on_hold_forgotten(ctx: Context, event: Event) -> None:
    """The nightly proof found a hold that outlived its session's longest course: its workflow never began, or was
    lost. Done here is what its deadlines would have done."""

    def decide(uow: UnitOfWork) -> None:
        session = lookup.find_session(ctx, event.subject)
        if session is None:
            logger.error("a hold of no session", extra={"session_id": event.subject})
        elif session.state in PENDING_STATES:
            service.expire_request(uow, session.session_id)
        elif session.state in DELIVERING_STATES:
            service.give_up_session(uow, session.session_id, "stop_missing")

    decide_and_commit(ctx, decide)


@jobs.lambda_function(name="session_await")
@task.entry
def session_await(ctx: Context, event: dict[str, Any]) -> dict[str, Any]:
    """Remembers the task token with which the workflow waits; wakes it at once if the awaited is past already.

    Written before the session is read, so that no wake-up falls in between.
    """
    session_id, awaited = str(event["session_id"]), str(event["awaited"])
    if awaited not in _STILL_AWAITED:
        raise invalid("workflow.awaited", f"Nobody waits for {awaited!r}.")
    uow = UnitOfWork(ctx)
    woken_by = _WOKEN_BY[awaited]
    uow.put(WORKFLOW_WAITS, WorkflowWait(session_id, woken_by, str(event["task_token"]), awaited))
    uow.commit()
    session = lookup.require_session(ctx, session_id)
    if session.state not in _STILL_AWAITED[awaited]:
        if awaited == "start" and session.started_at is None:
            _wake_failed(ctx, session_id, woken_by, "SessionOver", session.state)
        else:
            _wake(ctx, session_id, woken_by, {"outcome": session.state})
    elif awaited in ("end", "stop") and session.awaits_begin:
        _wake_failed(ctx, session_id, woken_by, "BeginMissed", session.state)
    elif awaited == "end" and session.state == "stopping":
        _wake_failed(ctx, session_id, woken_by, "StopAsked", session.state)
    return {"session_id": session_id}


@jobs.lambda_function(name="session_close")
@task.entry
def session_close(ctx: Context, event: dict[str, Any]) -> dict[str, Any]:
    """A deadline passed: `expire` an unstarted request, `look` at the limits of a session that charges (one is that
    it may not go on for ever), `press` a charger that was asked to stop and has not told the end, `give_up` a session
    whose begin never came.

    Answers what the workflow does next (`charging`, `stopping`, `over`), and for how long each may take."""
    session_id, action = str(event["session_id"]), str(event["action"])
    stopping_for, charging_for = OFFLINE_WAIT, MAX_DURATION

    def decide(uow: UnitOfWork) -> None:
        nonlocal stopping_for, charging_for
        session = lookup.require_session(ctx, session_id)
        if action == "expire":
            service.expire_request(uow, session_id)
        elif action == "look":
            charging_for = service.look_at_limits(uow, session) or MAX_DURATION
        elif action == "press":
            verdict = service.press_stop(uow, session)
            is_there = verdict == "ask" or service.contact_of(ctx, session).is_connected
            stopping_for = STOP_TIMEOUT if is_there else OFFLINE_WAIT
        elif action == "give_up":
            service.give_up_session(uow, session_id, "stop_missing")
        else:
            raise invalid("workflow.action", f"There is no action {action!r}.")

    decide_and_commit(ctx, decide)
    session = lookup.require_session(ctx, session_id)
    return {"session_id": session_id} | _next_of(session, ctx.now(), charging_for, stopping_for)


def _next_of(
    session: ChargingSession, now: datetime, charging_for: timedelta, stopping_for: timedelta
) -> dict[str, Any]:
    runs = session.state == "charging"
    left = session.created_at + MAX_DURATION - now
    return {
        "next": "charging" if runs else "stopping" if session.state == "stopping" else "over",
        "charging_s": max(1, math.floor(min(left, charging_for).total_seconds())),
        "stopping_s": int(stopping_for.total_seconds()),
    }


@jobs.schedule(Cron("0/10", "*", "*", "*", "?", "*"), name="sweep-sessions")
@task.entry
def sweep_sessions(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Finishes what workflows left: looks at the sessions of each operator some minutes after they were made, and then
    once at each of LOOKED_AT_HOURS of their age, whether they are still open.

    By an index that is there anyway: a look costs a tenth of what a list of open sessions would cost each of them. What
    one run misses, the next age finds. One session's trouble does not stop the others.
    """
    done: Counter[str] = Counter()
    now = ctx.now()
    spans = [(now - _FIRST_LOOK_UNTIL, now - _FIRST_LOOK_FROM)]
    if now.minute < _MINUTES_BETWEEN_SWEEPS:
        hours = (timedelta(hours=age) for age in LOOKED_AT_HOURS)
        spans += [(now - age - timedelta(minutes=70), now - age) for age in hours]
    for session_id in islice(_open_sessions(ctx, spans), MOST_SWEPT):
        try:
            done[_sweep(ctx, session_id)] += 1
        except Exception:
            done["failed"] += 1
            logger.exception("session not swept", extra={"session_id": session_id})
    if sum(done.values()) == MOST_SWEPT:
        logger.warning("more open sessions than a sweep looks at")
    if done["failed"]:
        raise RuntimeError(f"{done['failed']} sessions not swept")
    return dict(done)


def _sweep(ctx: Context, session_id: str) -> str:
    due = decide_and_commit(ctx, lambda uow: service.sweep_session(uow, session_id))
    if due == "ask_reading":
        service.ask_for_fresh_values(ctx, lookup.require_session(ctx, session_id), None)
    return due


def _open_sessions(ctx: Context, spans: list[tuple[datetime, datetime]]) -> Iterator[str]:
    for operator in identity.list_operators(ctx):
        for date_from, date_to in spans:
            made = lookup.open_sessions_made(ctx, operator.organization_id, date_from, date_to)
            yield from (session.session_id for session in made)


def _follow_up(ctx: Context, session: ChargingSession) -> None:
    """After a delivery its driver is on the lists of the operator and of the agency whose location it was when it
    began, and gets a receipt if he or she wants one."""
    driver_id = session.driver_id
    if driver_id is not None:
        # Whether somebody wants receipts may be known a moment late.
        driver = drivers.get_driver(ctx, driver_id, consistent=False)

        def decide(uow: UnitOfWork) -> None:
            drivers.link_operator(uow, session.operator_id, driver_id)
            if session.agency_id is not None:
                drivers.link_operator(uow, session.agency_id, driver_id)
            if driver is not None and driver.receipts_by_email:
                _queue_receipt(uow, session, driver.email)

        decide_and_commit(ctx, decide)
    metrics.record(ctx, "SessionEnded", state=session.state)
    metrics.record(ctx, "EnergyDeliveredWh", session.energy_wh or 0)


def _note_card_used(ctx: Context, session: ChargingSession) -> None:
    """Here and not with the start: it is nothing that a charger need wait for."""
    used_at = session.started_at or session.created_at
    if session.driver_id is not None and session.id_token:
        decide_and_commit(ctx, lambda uow: drivers.note_card_used(uow, session.id_token, used_at))


def _queue_receipt(uow: UnitOfWork, session: ChargingSession, to: str) -> None:
    captured = Money(session.captured or 0, session.currency)
    enterprise = drivers.find_enterprise(uow.ctx, session.enterprise_id) if session.enterprise_id else None
    notifications.queue_mail(
        uow,
        dedupe_key=f"receipt:{session.session_id}",
        to=to,
        template="receipt",
        sender=identity.mail_sender(uow.ctx, identity.get_organization(uow.ctx, session.operator_id)),
        data={
            "order_no": session.order_no,
            "charger": session.charger_id,
            "energy_kwh": f"{(session.energy_wh or 0) / 1000:.3f}",
            "cost": str(captured),
            "refunded": str(session.hold - captured) if session.target == "amount" and enterprise is None else "",
            "paid_by": "" if enterprise is None else enterprise.name,
        },
        enclosures=[Enclosure("receipt", (session.session_id,))] if captured.amount else [],
    )


def _start_workflow(ctx: Context, session: ChargingSession, *, started: bool) -> None:
    """A driver's limit of time is kept here, too: not every charger reports often enough to be stopped by frames."""
    wish_s = None if session.limits is None else session.limits.duration_s
    longest_s = int(MAX_DURATION.total_seconds())
    workflow_input = {
        "session_id": session.session_id,
        "started": started,
        "start_timeout_s": int(START_TIMEOUT.total_seconds()),
        "begin_timeout_s": int(BEGIN_TIMEOUT.total_seconds()),
        "deadlines": {
            "charging_s": longest_s if wish_s is None else min(wish_s, longest_s),
            "stopping_s": int(STOP_TIMEOUT.total_seconds()),
        },
    }
    try:
        ctx.client("stepfunctions").start_execution(
            stateMachineArn=ctx.settings.session_state_machine_arn,
            name=session.session_id,
            input=json.dumps(workflow_input),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise


def _wake(ctx: Context, session_id: str, awaited: str, output: dict[str, Any]) -> None:
    _succeed(ctx, WORKFLOW_WAITS.get(ctx, session_pk(session_id), f"wait#{awaited}"), output)


def _succeed(ctx: Context, wait: WorkflowWait | None, output: dict[str, Any]) -> None:
    if wait is not None:
        _tolerating_gone(
            lambda: ctx.client("stepfunctions").send_task_success(
                taskToken=wait.task_token, output=json.dumps({"session_id": wait.session_id} | output)
            )
        )


def _wake_failed(
    ctx: Context, session_id: str, awaited: str, error: str, cause: str, *, stage: str | None = None
) -> None:
    """Of a workflow that waits for something, if `stage` is named: for that alone."""
    wait = WORKFLOW_WAITS.get(ctx, session_pk(session_id), f"wait#{awaited}")
    if wait is not None and stage in (None, wait.stage):
        _fail(ctx, wait, error, cause)


def _fail(ctx: Context, wait: WorkflowWait | None, error: str, cause: str) -> None:
    if wait is not None:
        _tolerating_gone(
            lambda: ctx.client("stepfunctions").send_task_failure(taskToken=wait.task_token, error=error, cause=cause)
        )


def _tolerating_gone(send: Any) -> None:
    """A task that was answered before, or has timed out, needs no answer."""
    try:
        send()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ALREADY_GONE:
            raise
