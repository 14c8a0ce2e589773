"""The only reader of time.

Everything that needs "now" gets a `Clock`; nothing else calls `datetime.now` or `time.time`. Tests and the
local stack install a `VirtualClock`, so that an hour passes when somebody says so.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, aware, in UTC, in whole milliseconds: as it is stored, so that an answer never differs from
        what is read back."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return _whole_ms(datetime.now(UTC))


class VirtualClock:
    """A clock that moves when told to.

    `running=True` adds the real time that passes (the local stack: life goes on, and one may jump ahead);
    `running=False` stands still between calls of `advance` (tests).
    """

    def __init__(self, start: datetime | None = None, *, running: bool = False) -> None:
        self._running = running
        self._base = start or datetime.now(UTC)
        self._monotonic_at_base = time.monotonic()

    def now(self) -> datetime:
        if not self._running:
            return self._base
        return _whole_ms(self._base + timedelta(seconds=time.monotonic() - self._monotonic_at_base))

    def advance(self, seconds: float) -> datetime:
        """Moves forward by `seconds` (never backward) and returns the new present."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._base += timedelta(seconds=seconds)
        return self.now()


def _whole_ms(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_rfc3339(moment: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`: UTC, milliseconds, `Z` (what OCPP chargers and our REST clients are sent)."""
    # `isoformat` is three times as quick as `strftime`; in UTC it ends in "+00:00".
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def from_rfc3339(text: str) -> datetime:
    """Parses RFC 3339; a time without a zone is taken as UTC (many chargers send one). ValueError if unreadable."""
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def to_epoch_ms(moment: datetime) -> int:
    """Whole milliseconds, cut off like `to_rfc3339` does: a moment that was stored and read back gives the same."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
