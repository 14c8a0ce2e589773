"""Finishes what was left: sessions whose workflow never began, died, or cannot know (a charger that fell silent).

Called by the job `sweep-sessions`, for one session at a time. What is due says `model.deadlines`, by a fresh read; it
is done in the same way as a workflow does it, so that both may be at it at once.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.charging import lookup
from chalicelib.charging.model import DELIVERING_STATES
from chalicelib.charging.model.deadlines import Due, what_is_due
from chalicelib.charging.service.keeping import save
from chalicelib.charging.service.watching import close_lost, close_unstarted, contact_of, press_stop
from chalicelib.kernel.unit_of_work import UnitOfWork


def sweep_session(uow: UnitOfWork, session_id: str) -> Due:
    """Does what is due with a session, and says what that was; of `ask_reading` it leaves the question to the caller
    (`ask_for_fresh_values`, which has a commit of its own)."""
    ctx = uow.ctx
    session = lookup.require_session(ctx, session_id)
    reading = lookup.latest_reading(ctx, session) if session.state in DELIVERING_STATES else None
    heard_at = None if reading is None else reading.received_at
    due = what_is_due(session, contact_of(ctx, session), heard_at, ctx.now())
    if due == "expire":
        close_unstarted(uow, session, "start_timed_out")
    elif due in ("ask_stop", "give_up_stop"):
        press_stop(uow, session)
    elif due == "give_up_begin":
        close_lost(uow, session, "stop_missing")
    elif due == "give_up_silent":
        close_lost(uow, session, "charger_silent")
    elif due == "ask_reading" and session.silent_since is None:
        save(uow, session, replace(session, silent_since=heard_at or session.started_at or session.created_at))
    elif due == "unflag":
        save(uow, session, replace(session, silent_since=None))
    return due
