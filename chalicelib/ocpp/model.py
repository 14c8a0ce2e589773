"""What is kept of the protocol itself: messages as they went over the wire, and how firmware strayed from the standard.

Pure: no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Direction = Literal["from_charger", "to_charger"]
Outcome = Literal["result", "error", "silence", "timed_out", "undelivered"]
"""`silence`: the charger got none, as the standard says; `undelivered`: our CALL met a closed socket."""


@dataclass(frozen=True, slots=True)
class About:
    """What a message is, beside its texts."""

    charger_id: str
    operator_id: str
    message_id: str
    direction: Direction
    protocol: str
    action: str
    outcome: Outcome


@dataclass(frozen=True)
class Message:
    """One CALL and its answer. `frames` holds both texts, compressed where that makes them smaller; `turn` tells those
    of one millisecond apart, in their order (part of the key alone)."""

    about: About
    at: datetime
    frames: bytes
    turn: int = 0


@dataclass(frozen=True)
class Finding:
    """A way in which a charger's messages break the standard and were understood all the same.

    `rule` is a stable word (`enum_case`, `too_long`, `number_as_text` ...), `pointer` where in the payload (a JSON
    pointer, array places as `*`), `example` what was sent there (shortened), `detail` what was made of it.
    """

    charger_id: str
    operator_id: str
    protocol: str
    action: str
    rule: str
    pointer: str
    detail: str
    example: str
    first_at: datetime
    last_at: datetime
    times: int = 1
