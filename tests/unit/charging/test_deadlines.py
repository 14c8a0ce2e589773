"""What is due with a session that waits: one table, for its workflow and for the sweeper."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from chalicelib.charging.model import BEGIN_TIMEOUT, MAX_DURATION, START_TIMEOUT, ChargingSession, SessionState
from chalicelib.charging.model.deadlines import (
    LONGEST_SILENCE,
    SILENT_AFTER,
    SWEEP_GRACE,
    Contact,
    verdict_on_stop,
    what_is_due,
)

NOW = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
THERE = Contact(True, NOW - 10 * HOUR)
SESSION = ChargingSession(
    session_id="ses_1",
    state="charging",
    origin="app",
    target="full",
    operator_id="org_1",
    location_id=None,
    charger_id="CP-001",
    evse_no=1,
    id_token="CARD",
    authorization="accepted",
    currency="EUR",
    time_zone="UTC",
    business_zone="UTC",
    created_at=NOW - HOUR,
    started_at=NOW - HOUR,
)
OVERDUE = NOW - MAX_DURATION - HOUR


def stopping(asked: timedelta, asks: int = 1, **more: Any) -> ChargingSession:
    return replace(SESSION, state="stopping", stop_asked_at=NOW - asked, stop_asks=asks, **more)


@pytest.mark.parametrize(
    ("session", "contact", "verdict"),
    [
        (SESSION, THERE, "go_on"),  # the charger refused, or never was asked
        (stopping(4 * MINUTE), THERE, "wait"),
        (stopping(5 * MINUTE), THERE, "ask"),
        (stopping(5 * MINUTE, 2), THERE, "give_up"),
        (stopping(5 * MINUTE), Contact(False, NOW - HOUR), "wait"),
        (stopping(11 * HOUR, 2), Contact(False, NOW - 11 * HOUR), "wait"),
        (stopping(13 * HOUR, 2), Contact(False, NOW - LONGEST_SILENCE), "give_up"),
        (stopping(5 * HOUR, 2), Contact(True, NOW - MINUTE), "wait"),  # it has just come back
        (stopping(5 * MINUTE, created_at=OVERDUE), Contact(False, NOW - HOUR), "ask"),
        (stopping(5 * MINUTE, 2, created_at=OVERDUE), Contact(False, NOW - HOUR), "give_up"),
        (replace(SESSION, created_at=OVERDUE), THERE, "ask"),
        (replace(SESSION, created_at=OVERDUE, stop_asked_at=NOW - HOUR, stop_asks=2), THERE, "give_up"),
    ],
)
def test_a_stop_that_is_not_answered(session: ChargingSession, contact: Contact, verdict: str) -> None:
    assert verdict_on_stop(session, contact, NOW) == verdict


LATE = START_TIMEOUT + SWEEP_GRACE
ENDED = replace(SESSION, state="stopping", stopped_at=NOW - BEGIN_TIMEOUT - SWEEP_GRACE)


@pytest.mark.parametrize(
    ("session", "contact", "heard", "due"),
    [
        (replace(SESSION, state="requested", created_at=NOW - LATE + MINUTE), THERE, None, "nothing"),
        (replace(SESSION, state="requested", created_at=NOW - LATE), THERE, None, "expire"),
        (replace(SESSION, state="awaiting_plug", created_at=NOW - LATE), Contact(False), None, "expire"),
        (SESSION, THERE, SILENT_AFTER - MINUTE, "nothing"),
        (SESSION, THERE, SILENT_AFTER, "ask_reading"),
        (SESSION, THERE, None, "ask_reading"),
        (replace(SESSION, silent_since=NOW - HOUR), THERE, MINUTE, "unflag"),
        (SESSION, Contact(False, NOW - HOUR), HOUR, "nothing"),
        (replace(SESSION, created_at=NOW - 20 * HOUR), Contact(False, NOW - LONGEST_SILENCE), None, "give_up_silent"),
        (SESSION, Contact(False, NOW - 3 * LONGEST_SILENCE), None, "nothing"),  # told by an offline charger since
        (stopping(7 * MINUTE), THERE, MINUTE, "nothing"),  # its workflow is at it
        (stopping(8 * MINUTE), THERE, MINUTE, "ask_stop"),
        (stopping(8 * MINUTE, 2), THERE, MINUTE, "give_up_stop"),
        (stopping(8 * MINUTE, 2), Contact(False, NOW - HOUR), HOUR, "nothing"),
        (replace(SESSION, created_at=OVERDUE), THERE, MINUTE, "ask_stop"),
        (replace(SESSION, created_at=NOW - MAX_DURATION - MINUTE), THERE, MINUTE, "nothing"),
        (ENDED, THERE, None, "give_up_begin"),
        (ENDED, Contact(True, NOW - MINUTE), None, "nothing"),  # it has just come back, and tells the rest
        (replace(ENDED, created_at=NOW - MINUTE), THERE, None, "nothing"),  # told late, just now
    ],
)
def test_what_the_sweeper_does(session: ChargingSession, contact: Contact, heard: timedelta | None, due: str) -> None:
    assert what_is_due(session, contact, None if heard is None else NOW - heard, NOW) == due


@pytest.mark.parametrize("state", [state for state in get_args(SessionState) if state not in ("charging", "stopping")])
def test_nothing_is_due_with_what_is_over(state: SessionState) -> None:
    due = what_is_due(replace(SESSION, state=state, created_at=OVERDUE), Contact(False), None, NOW)
    assert due == ("expire" if state in ("requested", "awaiting_plug") else "nothing")
