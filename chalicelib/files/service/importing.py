"""Asking for an import, and looking at it. The file is read and its header checked at once; its rows wait."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from chalicelib.files.kinds import IMPORT_KINDS, ImportKind
from chalicelib.files.model import (
    IMPORT_LIFECYCLE,
    MAX_FILE_BYTES,
    Export,
    FileFormat,
    Import,
    Mode,
    OutColumn,
    RowError,
    first_phase,
    input_rows,
)
from chalicelib.files.model.imports import SEALED_FOR
from chalicelib.files.service.acting import acting_of
from chalicelib.files.store import (
    CHUNKS,
    ENTRIES,
    ERROR_GROUPS,
    IMPORTS,
    MADE_GROUPS,
    SECRET_GROUPS,
    Chunk,
    Entry,
    EntryRow,
    ErrorGroupRow,
    MadeGroupRow,
    SecretGroupRow,
    file_pk,
    import_key,
    in_chunks,
    owner_pk,
)
from chalicelib.files.tabular import format_of, read_rows, write_table
from chalicelib.identity import service as identity
from chalicelib.kernel import outbox
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, conflict, invalid
from chalicelib.kernel.pages import Page, Step, decode_cursor, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

MAX_WAITING: Final = 5
LOOKED_AT: Final = 20
"""Of the newest: whether they are over."""


@dataclass(frozen=True)
class NewImport:
    """`content` is the file in base64."""

    kind: str
    operator_id: str
    file_name: str
    content: str
    mode: Mode
    dry_run: bool


def kind_of(name: str) -> ImportKind:
    """Raises import.unknown_kind (422)."""
    if name not in IMPORT_KINDS:
        raise invalid("import.unknown_kind", f"There are imports of {', '.join(IMPORT_KINDS)}.", "/kind")
    return IMPORT_KINDS[name]


def check_room(newest: Iterable[Import | Export], noun: str) -> None:
    """Raises `<noun>.busy` (409) while MAX_WAITING of these are not over: one organisation's files must not keep the
    events of the others waiting."""
    if sum(not job.is_over for job in newest) >= MAX_WAITING:
        raise conflict(f"{noun}.busy", f"{MAX_WAITING} {noun}s are being worked off; wait for one to end.")


def request_import(uow: UnitOfWork, actor: Actor, new: NewImport) -> Import:
    """Reads the file and keeps its rows, with an event that has them worked off. Raises import.unknown_kind,
    import.too_large, import.busy, and what `read_rows` and `input_rows` raise."""
    ctx = uow.ctx
    kind = kind_of(new.kind)
    content = _decoded(new.content)
    newest = list_imports(ctx, new.operator_id, keep=lambda job: True, limit=LOOKED_AT, cursor=None)
    check_room(newest.data, "import")
    rows = input_rows(kind.columns, read_rows(content))
    pieces = list(in_chunks(rows))
    job = Import(
        import_id=ctx.new_id("imp"),
        operator_id=new.operator_id,
        kind=kind.name,
        file_name=new.file_name,
        format=format_of(content),
        mode=new.mode,
        dry_run=new.dry_run,
        state=IMPORT_LIFECYCLE.initial,
        phase=first_phase(new.mode, new.dry_run),
        acting=acting_of(actor),
        requested_by=actor.person_id,
        created_at=ctx.now(),
        rows_total=len(rows),
        chunks=[len(piece) for piece, _ in pieces],
    )
    expires_at = int(job.expires_at.timestamp())
    # Not part of the commit, for they may be more than one holds: without the import's own row nobody reads them.
    CHUNKS.batch_put(ctx, [Chunk(job.import_id, number, text, expires_at) for number, (_, text) in enumerate(pieces)])
    uow.create(IMPORTS, job)
    uow.create(ENTRIES, Entry(job.operator_id, job.import_id, expires_at))
    outbox.emit(uow, "import.queued", job.import_id, {"turn": job.turn})
    return job


def find_import(ctx: Context, import_id: str) -> Import | None:
    return IMPORTS.get(ctx, *import_key(import_id))


def list_imports(
    ctx: Context, operator_id: str, *, keep: Callable[[Import], bool], limit: int, cursor: str | None
) -> Page[Import]:
    """An operator's imports, newest first."""
    entries = ENTRIES.walk(ctx, owner_pk(operator_id), EntryRow.sk.startswith("imp_"), newest_first=True, cursor=cursor)
    return page_of(_imports_of(ctx, entries), limit, keep)


def _imports_of(ctx: Context, entries: Iterator[Step[Entry]]) -> Iterator[Step[Import]]:
    for entry, place in entries:
        job = find_import(ctx, entry.file_id)
        if job is not None:
            yield job, place


def import_errors(ctx: Context, import_id: str, *, limit: int, cursor: str | None) -> Page[RowError]:
    """What is wrong with the rows, in their order: phase by phase."""
    return page_of(_errors(ctx, import_id, cursor), limit)


def _errors(ctx: Context, import_id: str, cursor: str | None) -> Iterator[Step[RowError]]:
    """A cursor is the group and how many of its errors were shown, in the form of a key."""
    group_name, shown = _place(cursor)
    groups = ERROR_GROUPS.query_all(
        ctx, file_pk(import_id), ErrorGroupRow.sk.between(group_name or "errors#", "errors#~")
    )
    for group in groups:
        name = ERROR_GROUPS.entity_key(group)["sk"]["S"]
        first = shown if name == group_name else 0
        for number, error in enumerate(group.errors[first:], start=first + 1):
            yield error, {"group": {"S": name}, "shown": {"N": str(number)}}


def _place(cursor: str | None) -> tuple[str, int]:
    if cursor is None:
        return "", 0
    key = decode_cursor(cursor)
    name, shown = key.get("group", {}).get("S", ""), key.get("shown", {}).get("N", "")
    if not (name.startswith("errors#") and name < "errors#~" and re.fullmatch(r"[0-9]{1,6}", shown)):
        raise DomainError("cursor.invalid", "The cursor is not one that this list gave out.", Kind.INVALID)
    return name, int(shown)


def result_file(ctx: Context, job: Import, file_format: FileFormat) -> bytes:
    """What the import made, by row. Passwords that it made are in it for SECRETS_RETENTION."""
    kind = IMPORT_KINDS[job.kind]
    made_groups = MADE_GROUPS.query_all(ctx, file_pk(job.import_id), MadeGroupRow.sk.startswith("made#"))
    secrets = _secrets(ctx, job)
    columns = [OutColumn("row", "integer"), OutColumn(kind.id_column)]
    rows: list[list[object]] = [[made.row, made.object_id] for group in made_groups for made in group.made]
    if secrets:
        columns.append(OutColumn("password"))
        for row in rows:
            row.append(secrets.get(str(row[0])))
    return write_table(file_format, columns, rows)


def _secrets(ctx: Context, job: Import) -> dict[str, str]:
    groups = SECRET_GROUPS.query_all(ctx, file_pk(job.import_id), SecretGroupRow.sk.startswith("secrets#"))
    return {
        row: identity.unseal(ctx, SEALED_FOR, job.import_id, sealed)
        for group in groups
        if group.kept_until > ctx.now()
        for row, sealed in group.sealed.items()
    }


def _decoded(content: str) -> bytes:
    too_large = invalid("import.too_large", f"A file has at most {MAX_FILE_BYTES} bytes; split it.", "/content")
    if len(content) > MAX_FILE_BYTES * 4 // 3 + 1024:
        raise too_large
    try:
        decoded = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("import.not_base64", "The content is not base64 (RFC 4648, section 4).", "/content") from None
    if len(decoded) > MAX_FILE_BYTES:
        raise too_large
    return decoded
