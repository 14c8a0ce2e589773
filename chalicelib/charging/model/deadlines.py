"""What is due with a session that waits: the deadlines of its workflow, and of the sweeper behind it. Pure.

One table of decisions for both (decision 0045), by what the session says of itself and what is known of its charger,
so that it does not matter who looks, how late, or how often.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.charging.model.sessions import (
    BEGIN_TIMEOUT,
    DELIVERING_STATES,
    MAX_DURATION,
    START_TIMEOUT,
    STOP_TIMEOUT,
    ChargingSession,
)

STOP_ASKS = 2
"""How often a charger that is there is asked to stop, STOP_TIMEOUT apart, before the session is given up as lost."""
OFFLINE_WAIT = timedelta(minutes=30)
"""How soon a charger that is gone is looked for again, when it was to stop."""
LONGEST_SILENCE = timedelta(hours=12)
"""A charger that is gone for so long in the middle of a delivery is not waited for: what it tells later corrects it."""
SILENT_AFTER = timedelta(minutes=30)
"""A charger that is there and tells no meter values for so long is asked for one, and its session is flagged."""
SWEEP_GRACE = timedelta(minutes=3)
"""How much later than the workflow the sweeper acts: what is watched is left to its workflow."""

StopVerdict = Literal["go_on", "wait", "ask", "give_up"]
Due = Literal[
    "nothing", "expire", "ask_stop", "give_up_stop", "give_up_begin", "give_up_silent", "ask_reading", "unflag"
]
_DUE_BY_VERDICT: dict[StopVerdict, Due] = {
    "go_on": "nothing",
    "wait": "nothing",
    "ask": "ask_stop",
    "give_up": "give_up_stop",
}


@dataclass(frozen=True)
class Contact:
    """Whether the charger is there, and since when it is there, or gone (None: never seen)."""

    is_connected: bool
    since: datetime | None = None


def is_overdue(session: ChargingSession, now: datetime) -> bool:
    """It should have ended long ago. By our clock: a charger's may say anything."""
    return now - session.created_at >= MAX_DURATION


def verdict_on_stop(session: ChargingSession, contact: Contact, now: datetime) -> StopVerdict:
    """What follows when a charger was asked to stop, and has not reported the end.

    `go_on`: it refused, and nothing forces the session to end. A charger that is gone, or has just come back, may
    still tell the end itself.
    """
    if session.state == "charging" and not is_overdue(session, now):
        return "go_on"
    if session.stop_asked_at is not None and now - session.stop_asked_at < STOP_TIMEOUT:
        return "wait"
    if not is_overdue(session, now) and _may_still_tell(session, contact, now):
        return "wait"
    return "ask" if session.stop_asks < STOP_ASKS else "give_up"


def what_is_due(session: ChargingSession, contact: Contact, heard_at: datetime | None, now: datetime) -> Due:
    """What the sweeper does with a session, whether or not a workflow watches it. `heard_at` is when the last meter
    reading came in."""
    if session.is_pending:
        return "expire" if now - session.created_at >= START_TIMEOUT + SWEEP_GRACE else "nothing"
    if session.state not in DELIVERING_STATES:
        return "nothing"
    if session.awaits_begin:
        moments = (session.created_at, session.stopped_at, contact.since if contact.is_connected else None)
        waits_since = max(moment for moment in moments if moment is not None)
        return "give_up_begin" if now - waits_since >= BEGIN_TIMEOUT + SWEEP_GRACE else "nothing"
    asked_at = session.stop_asked_at or session.created_at
    was_asked = session.state == "stopping" and now - asked_at >= STOP_TIMEOUT + SWEEP_GRACE
    if was_asked or now - session.created_at >= MAX_DURATION + SWEEP_GRACE:
        return _DUE_BY_VERDICT[verdict_on_stop(session, contact, now)]
    if not contact.is_connected:
        silent_since = max(contact.since or session.created_at, session.created_at)
        return "give_up_silent" if now - silent_since >= LONGEST_SILENCE else "nothing"
    is_silent = now - max(heard_at or session.created_at, session.created_at) >= SILENT_AFTER
    if is_silent:
        return "ask_reading"
    return "unflag" if session.silent_since is not None else "nothing"


def _may_still_tell(session: ChargingSession, contact: Contact, now: datetime) -> bool:
    since = contact.since or session.created_at
    return now - since < (STOP_TIMEOUT if contact.is_connected else LONGEST_SILENCE)
