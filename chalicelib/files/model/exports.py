"""Exports: which list, how far it was read, and the parts that it is fetched in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from chalicelib.files.model.jobs import OVER, RETENTION, TRANSITIONS, Acting, FileFormat, JobState
from chalicelib.kernel.lifecycle import Lifecycle

MAX_EXPORT_ROWS: Final = 100_000
MAX_PART_ROWS: Final = 10_000
"""Of one file: what is laid out as a spreadsheet within the time of a request."""
MAX_PART_BYTES: Final = 4_500_000
"""As a Lambda function answers it, JSON in JSON: 6 MB is the most that it may."""

EXPORT_LIFECYCLE: Final[Lifecycle[JobState]] = Lifecycle(noun="export", initial="queued", transitions=TRANSITIONS)

OutType = Literal["text", "integer", "decimal", "moment", "boolean"]


@dataclass(frozen=True)
class OutColumn:
    """A column of an export. Its cells are None, or: text; a whole number; a decimal number as text; a moment as
    ISO 8601 text, in UTC with Z or on the wall clock without; a truth."""

    name: str
    type: OutType = "text"


@dataclass(frozen=True)
class Part:
    """One file of an export: `chunks` stored chunks from `first_chunk` on."""

    first_chunk: int
    chunks: int
    rows: int
    weight: int


@dataclass(frozen=True)
class Export:
    """`cursor` is where the list goes on. `turn` and `revision` are as of an import."""

    export_id: str
    operator_id: str
    kind: str
    format: FileFormat
    filters: dict[str, Any]
    zone: str
    columns: list[OutColumn]
    state: JobState
    acting: Acting
    requested_by: str
    created_at: datetime
    parts: list[Part]
    cursor: str | None = None
    turn: int = 0
    rows: int = 0
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

    @property
    def next_chunk(self) -> int:
        return sum(part.chunks for part in self.parts)


def with_chunk(parts: list[Part], rows: int, weight: int) -> list[Part]:
    """The parts with one more chunk: in the last one if it has room."""
    last = parts[-1] if parts else None
    if last is None:
        return [Part(0, 1, rows, weight)]
    if last.rows + rows > MAX_PART_ROWS or last.weight + weight > MAX_PART_BYTES:
        return [*parts, Part(last.first_chunk + last.chunks, 1, rows, weight)]
    return [*parts[:-1], Part(last.first_chunk, last.chunks + 1, last.rows + rows, last.weight + weight)]
