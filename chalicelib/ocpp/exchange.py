"""The rules of one conversation: what a decoded frame asks of us. Pure; the gateway obeys.

The invariant is OCPP-J's: a CALL gets exactly one answer, an answer gets none. Our own CALLs go out one at a time
per charger, so an answer belongs to the one in flight or to nothing (late, unknown, sent twice) and then changes
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chalicelib.ocpp.errors import Failure
from chalicelib.ocpp.frames import (
    CALL_ERROR,
    CALL_RESULT,
    UNREADABLE_ID,
    Call,
    CallError,
    CallResult,
    Fault,
    Frame,
    Malformed,
    MessageId,
)

MAX_ERROR_LENGTH: Final = 500
"""Of what is kept of a CALLERROR: a code and a description have 50 and 255 characters, by the standard."""


@dataclass(frozen=True, slots=True)
class Serve:
    """A CALL: look up its action and answer."""

    call: Call


@dataclass(frozen=True, slots=True)
class Refuse:
    """A frame that is answered by a CALLERROR whatever it asked for."""

    message_id: MessageId
    failure: Failure
    detail: str


@dataclass(frozen=True, slots=True)
class Settle:
    """The charger's answer to the CALL `message_id`: a payload, or the `error` that it sent or made."""

    message_id: str
    payload: object = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing is answered and nothing changes."""

    reason: str


Step = Serve | Refuse | Settle | Ignore


def next_step(frame: Frame, faults: Mapping[Fault, Failure | None]) -> Step:
    """What to do with a frame; `faults` says what this version answers to a malformed one (None: silence)."""
    if isinstance(frame, Call):
        return Serve(frame)
    if isinstance(frame, CallResult):
        return Settle(frame.message_id, payload=frame.payload)
    if isinstance(frame, CallError):
        return Settle(frame.message_id, error=f"{frame.code}: {frame.description}"[:MAX_ERROR_LENGTH].rstrip(": "))
    return _malformed(frame, faults)


def _malformed(frame: Malformed, faults: Mapping[Fault, Failure | None]) -> Step:
    reason = frame.fault.value
    if frame.message_type in (CALL_RESULT, CALL_ERROR):
        # Never answer an answer; but the CALL it was meant for has failed, and the next one may go out.
        if frame.message_id is None:
            return Ignore(reason)
        return Settle(str(frame.message_id), error=f"the charger's answer is malformed ({reason})")
    failure = faults[frame.fault]
    if failure is None:
        return Ignore(reason)
    return Refuse(UNREADABLE_ID if frame.message_id is None else frame.message_id, failure, reason)
