"""Imports: what was asked for, how far it is, and how it ends. Pure.

A dry run and "all or nothing" look at every row first (phase check), and write (apply) only when no row has a fault;
should one be refused then all the same, what was written is taken back (undo). "Best effort" writes what it can.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from chalicelib.files.model.jobs import OVER, RETENTION, TRANSITIONS, Acting, FileFormat, JobState
from chalicelib.kernel.lifecycle import Lifecycle

SECRETS_RETENTION: Final = timedelta(hours=24)
"""Of passwords that an import made: the time in which chargers are set up with them."""
MAX_FILE_BYTES: Final = 3 * 1024 * 1024
"""A call of Lambda has at most 6 MB, and base64 makes four bytes of three twice: in the body, and by API Gateway."""
SEALED_FOR: Final = "passwords made by an import"
"""The purpose that their encryption is bound to."""
MAX_FAULTS_OF_ROW: Final = 5

Mode = Literal["all_or_nothing", "best_effort"]
Phase = Literal["check", "apply", "undo"]

IMPORT_LIFECYCLE: Final[Lifecycle[JobState]] = Lifecycle(noun="import", initial="queued", transitions=TRANSITIONS)


@dataclass(frozen=True)
class Import:
    """`position` is the next row of the phase; `turn` the delivery of the event that goes on with it: an event of
    another turn is an old one. `rows_ok` are those without a fault, of a real import those that were written.
    `revision` counts writes: who changes the row names the one that was read."""

    import_id: str
    operator_id: str
    kind: str
    file_name: str
    format: FileFormat
    mode: Mode
    dry_run: bool
    state: JobState
    phase: Phase
    acting: Acting
    requested_by: str
    created_at: datetime
    rows_total: int
    chunks: list[int]
    position: int = 0
    turn: int = 0
    rows_ok: int = 0
    rows_failed: int = 0
    created: int = 0
    finished_at: datetime | None = None
    failure_code: str | None = None
    failure_detail: str | None = None
    revision: int = 0

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def expires_at(self) -> datetime:
        return self.created_at + RETENTION


@dataclass(frozen=True)
class Made:
    """One object that an import made, from which row. `mark` tells what it was like, where its kind has such marks."""

    row: int
    object_id: str
    mark: str = ""


def first_phase(mode: Mode, dry_run: bool) -> Phase:
    return "check" if dry_run or mode == "all_or_nothing" else "apply"


def chunk_of(chunks: list[int], position: int) -> tuple[int, int]:
    """`(chunk, place in it)` of a row; chunk == len(chunks) after the last one."""
    for number, size in enumerate(chunks):
        if position < size:
            return number, position
        position -= size
    return len(chunks), 0
