"""Rows of imports and exports. Private to this folder; everything here expires.

The rows of a file lie in chunks, compressed, as text: an item of DynamoDB has at most 400 KB.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import GenericAlias
from typing import Any, Final, TypeVar

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.files.model import Acting, Export, Import, Made, OutColumn, Part, RowError
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table

TABLE = table_name("files")
MAX_CHUNK_CHARS: Final = 350_000
MAX_CHUNK_ROWS: Final = 1_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file, packed; `file_id` is an import's or an export's."""

    file_id: str
    number: int
    packed: str
    expires_at: int


@dataclass(frozen=True)
class Entry:
    """A line of the list of an operator's imports, or of the exports of who asked for them."""

    owner_id: str
    file_id: str
    expires_at: int


@dataclass(frozen=True)
class ErrorGroup:
    """Faults that one commit found, by the first of its rows."""

    import_id: str
    phase: str
    position: int
    errors: list[RowError]
    expires_at: int


@dataclass(frozen=True)
class MadeGroup:
    """What one commit made: what is taken back if the import fails."""

    import_id: str
    position: int
    made: list[Made]
    expires_at: int


@dataclass(frozen=True)
class SecretGroup:
    """Passwords that one commit made, sealed, by row."""

    import_id: str
    position: int
    sealed: dict[str, str]
    kept_until: datetime
    expires_at: int


class ImportRow(Row):
    class Meta:
        table_name = TABLE

    import_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    file_name = UnicodeAttribute()
    format = UnicodeAttribute()
    mode = UnicodeAttribute()
    dry_run = BooleanAttribute()
    state = UnicodeAttribute()
    phase = UnicodeAttribute()
    acting = ValueAttribute(Acting)
    requested_by = UnicodeAttribute()
    created_at = MomentAttribute()
    rows_total = NumberAttribute()
    chunks = ValueAttribute(list[int])
    position = NumberAttribute()
    turn = NumberAttribute()
    rows_ok = NumberAttribute()
    rows_failed = NumberAttribute()
    created = NumberAttribute()
    finished_at = MomentAttribute(null=True)
    failure_code = UnicodeAttribute(null=True)
    failure_detail = UnicodeAttribute(null=True)
    revision = NumberAttribute()
    expires_at = NumberAttribute()


class ExportRow(Row):
    class Meta:
        table_name = TABLE

    export_id = UnicodeAttribute()
    operator_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    format = UnicodeAttribute()
    filters = ValueAttribute(dict[str, Any])
    zone = UnicodeAttribute()
    columns = ValueAttribute(list[OutColumn])
    state = UnicodeAttribute()
    acting = ValueAttribute(Acting)
    requested_by = UnicodeAttribute()
    created_at = MomentAttribute()
    parts = ValueAttribute(list[Part])
    cursor = UnicodeAttribute(null=True)
    turn = NumberAttribute()
    rows = NumberAttribute()
    finished_at = MomentAttribute(null=True)
    failure_code = UnicodeAttribute(null=True)
    failure_detail = UnicodeAttribute(null=True)
    revision = NumberAttribute()
    expires_at = NumberAttribute()


class ChunkRow(Row):
    class Meta:
        table_name = TABLE

    file_id = UnicodeAttribute()
    number = NumberAttribute()
    packed = UnicodeAttribute()
    expires_at = NumberAttribute()


class EntryRow(Row):
    class Meta:
        table_name = TABLE

    owner_id = UnicodeAttribute()
    file_id = UnicodeAttribute()
    expires_at = NumberAttribute()


class ErrorGroupRow(Row):
    class Meta:
        table_name = TABLE

    import_id = UnicodeAttribute()
    phase = UnicodeAttribute()
    position = NumberAttribute()
    errors = ValueAttribute(list[RowError])
    expires_at = NumberAttribute()


class MadeGroupRow(Row):
    class Meta:
        table_name = TABLE

    import_id = UnicodeAttribute()
    position = NumberAttribute()
    made = ValueAttribute(list[Made])
    expires_at = NumberAttribute()


class SecretGroupRow(Row):
    class Meta:
        table_name = TABLE

    import_id = UnicodeAttribute()
    position = NumberAttribute()
    sealed = ValueAttribute(dict[str, str])
    kept_until = MomentAttribute()
    expires_at = NumberAttribute()


def file_pk(file_id: str) -> str:
    return f"file#{file_id}"


def import_key(import_id: str) -> tuple[str, str]:
    return (file_pk(import_id), "import")


def export_key(export_id: str) -> tuple[str, str]:
    return (file_pk(export_id), "export")


def chunk_key(file_id: str, number: int) -> tuple[str, str]:
    return (file_pk(file_id), f"chunk#{number:05}")


def made_key(import_id: str, position: int) -> tuple[str, str]:
    return (file_pk(import_id), f"made#{position:05}")


def owner_pk(owner_id: str) -> str:
    return f"owner#{owner_id}"


def _error_key(group: ErrorGroup) -> tuple[str, str]:
    return (file_pk(group.import_id), f"errors#{group.phase}#{group.position:05}")


IMPORTS: Table[Import] = Table(
    ImportRow,
    Import,
    key=lambda job: import_key(job.import_id),
    extra=lambda job: {"expires_at": int(job.expires_at.timestamp())},
)
EXPORTS: Table[Export] = Table(
    ExportRow,
    Export,
    key=lambda job: export_key(job.export_id),
    extra=lambda job: {"expires_at": int(job.expires_at.timestamp())},
)
CHUNKS: Table[Chunk] = Table(ChunkRow, Chunk, key=lambda chunk: chunk_key(chunk.file_id, chunk.number))
ENTRIES: Table[Entry] = Table(EntryRow, Entry, key=lambda entry: (owner_pk(entry.owner_id), entry.file_id))
ERROR_GROUPS: Table[ErrorGroup] = Table(ErrorGroupRow, ErrorGroup, key=_error_key)
MADE_GROUPS: Table[MadeGroup] = Table(
    MadeGroupRow, MadeGroup, key=lambda group: made_key(group.import_id, group.position)
)
SECRET_GROUPS: Table[SecretGroup] = Table(
    SecretGroupRow,
    SecretGroup,
    key=lambda group: (file_pk(group.import_id), f"secrets#{group.position:05}"),
)


def packed(rows: list[Any]) -> str:
    return base64.b64encode(zlib.compress(msgspec.json.encode(rows), 6)).decode()


def unpacked(chunk: Chunk, shape: type[Item]) -> list[Item]:
    rows: list[Item] = msgspec.json.decode(
        zlib.decompress(base64.b64decode(chunk.packed)), type=GenericAlias(list, (shape,))
    )
    return rows


def in_chunks(rows: list[Item]) -> Iterator[tuple[list[Item], str]]:
    """The rows cut so that each piece fits an item, with its packed form."""
    for start in range(0, len(rows), MAX_CHUNK_ROWS):
        yield from _halved(rows[start : start + MAX_CHUNK_ROWS])


def _halved(rows: list[Item]) -> Iterator[tuple[list[Item], str]]:
    text = packed(rows)
    if len(text) <= MAX_CHUNK_CHARS or len(rows) == 1:
        yield rows, text
        return
    middle = len(rows) // 2
    yield from _halved(rows[:middle])
    yield from _halved(rows[middle:])
