"""What may happen to a session besides metering: the charger's answer to our commands, time-outs, stop requests."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    DELIVERING_STATES,
    PENDING_STATES,
    SESSION_LIFECYCLE,
    STOP_TIMEOUT,
    ChargingSession,
)
from chalicelib.charging.model.deadlines import Contact, StopVerdict, is_overdue, verdict_on_stop
from chalicelib.charging.service import paying
from chalicelib.charging.service.closing import close_delivery, end_without_begin
from chalicelib.charging.service.keeping import save
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork


def is_start_awaited(ctx: Context, session_id: str) -> bool:
    """May the charger still be asked to start this session?"""
    session = lookup.find_session(ctx, session_id)
    return session is not None and session.state == "requested"


def handle_remote_start_answer(uow: UnitOfWork, *, session_id: str, accepted: bool, detail: str = "") -> None:
    """The charger (or the silence of it) answered `start_session`. Late answers change nothing."""
    session = lookup.find_session(uow.ctx, session_id)
    if session is None or session.state != "requested":
        return
    if accepted:
        save(uow, session, replace(session, state=SESSION_LIFECYCLE.next(session.state, "accepted_by_charger")))
        return
    close_unstarted(uow, session, "refused_by_charger", detail)


def handle_remote_stop_answer(uow: UnitOfWork, *, session_id: str, accepted: bool, detail: str = "") -> None:
    """A refused stop puts the session back to charging: it may be stopped again, or by the car."""
    session = lookup.find_session(uow.ctx, session_id)
    if session is None or session.state != "stopping" or session.awaits_begin or accepted:
        return
    save(uow, session, replace(session, state=SESSION_LIFECYCLE.next(session.state, "stop_refused")))


def request_stop(uow: UnitOfWork, session: ChargingSession, *, requested_by: str) -> ChargingSession:
    """Tells the charger to stop. Money moves only when its StopTransaction comes, with the meter's word.

    Raises command.queue_full, with nothing added to `uow`.
    """
    now = uow.ctx.now()
    asked_before = session.stop_asked_at is not None and now - session.stop_asked_at < STOP_TIMEOUT
    stopping = replace(
        session,
        state=SESSION_LIFECYCLE.next(session.state, "stop_requested"),
        stop_asked_at=now,
        stop_asks=max(1, session.stop_asks + (not asked_before)),
    )
    chargers.queue_command(
        uow,
        charger_id=session.charger_id,
        action="stop_session",
        payload={"transaction_id": session.transaction_id},
        requested_by=requested_by,
        session_id=session.session_id,
    )
    save(uow, session, stopping)
    if session.state != "stopping":
        outbox.emit(uow, "charging_session.stop_asked", session.session_id)
    return stopping


def expire_request(uow: UnitOfWork, session_id: str) -> None:
    """Nobody plugged in in time: the hold goes back. A session that started meanwhile is left alone."""
    session = lookup.require_session(uow.ctx, session_id)
    if session.state in PENDING_STATES:
        close_unstarted(uow, session, "start_timed_out")


def give_up_session(uow: UnitOfWork, session_id: str, cause: str) -> None:
    """The charger never reported the end (or told it without a begin): closed by the last that we know of it."""
    session = lookup.require_session(uow.ctx, session_id)
    if session.state in DELIVERING_STATES:
        close_lost(uow, session, cause)


def press_stop(uow: UnitOfWork, session: ChargingSession) -> StopVerdict:
    """A charger was asked to stop and has not reported the end: asks it again, or gives the session up. Says which, or
    that there is nothing to do yet (`wait`), or any more (`go_on`)."""
    if session.state not in DELIVERING_STATES:
        return "go_on"
    if session.awaits_begin:
        return "wait"
    now = uow.ctx.now()
    verdict = verdict_on_stop(session, contact_of(uow.ctx, session), now)
    if verdict == "ask":
        try:
            request_stop(uow, session, requested_by="stop_timeout")
        except DomainError as error:
            if error.code != "command.queue_full":
                raise
            verdict = "give_up" if is_overdue(session, now) else "wait"
    if verdict == "give_up":
        close_lost(uow, session, "stop_missing")
    return verdict


def contact_of(ctx: Context, session: ChargingSession) -> Contact:
    """Is the charger there?"""
    link = chargers.get_link(ctx, session.charger_id)
    if link is None:
        return Contact(False)
    if link.is_connected:
        return Contact(True, link.connected_at)
    return Contact(False, link.disconnected_at or link.last_seen_at)


def close_lost(uow: UnitOfWork, session: ChargingSession, cause: str) -> ChargingSession:
    """Energy and time as far as the charger has told them: nobody pays for what nobody saw."""
    if session.awaits_begin:
        return end_without_begin(uow, session)
    reading = lookup.latest_reading(uow.ctx, session)
    last_wh = reading.energy_wh if reading is not None else None
    start_wh = session.meter_start_wh
    if start_wh is None:
        start_wh = lookup.first_register_wh(uow.ctx, lookup.readings_owner(session))
    return close_delivery(
        uow,
        replace(session, meter_start_wh=start_wh),
        event="lost",
        meter_stop_wh=start_wh if last_wh is None else last_wh,
        stopped_at=reading.taken_at if reading is not None else session.started_at or uow.ctx.now(),
        reason=None,
        abnormal_cause=cause,
    )


def close_unstarted(uow: UnitOfWork, session: ChargingSession, event: str, detail: str = "") -> ChargingSession:
    """Ends a session in which nothing was delivered; all that was held goes back."""
    now = uow.ctx.now()
    closed = replace(
        session,
        state=SESSION_LIFECYCLE.next(session.state, event),
        ended_at=now,
        energy_wh=0,
        cost=0,
        captured=0,
        stop_reason=detail[:100] or event,
    )
    save(uow, session, closed)
    paying.release(uow, session)
    outbox.emit(uow, "charging_session.ended", session.session_id)
    return closed
