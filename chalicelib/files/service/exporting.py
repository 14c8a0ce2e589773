"""Asking for an export, reading its list to the end, and giving the file out.

What is read is kept as plain rows; the file is laid out when it is fetched, in parts that an answer can hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.files.lists import EXPORT_KINDS, Listing
from chalicelib.files.lists.listing import PAGE
from chalicelib.files.model import (
    EXPORT_LIFECYCLE,
    MAX_EXPORT_ROWS,
    Export,
    FileFormat,
    OutColumn,
    with_chunk,
)
from chalicelib.files.service.acting import acting_of, request_of
from chalicelib.files.service.importing import LOOKED_AT, check_room, kind_of
from chalicelib.files.store import (
    CHUNKS,
    ENTRIES,
    EXPORTS,
    Chunk,
    Entry,
    EntryRow,
    ExportRow,
    chunk_key,
    export_key,
    in_chunks,
    owner_pk,
    unpacked,
)
from chalicelib.files.tabular import write_table
from chalicelib.files.tabular.csv_files import write_table as write_csv
from chalicelib.identity import service as identity
from chalicelib.identity.scope import visible_organization
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead, conflict, invalid
from chalicelib.kernel.http import Request
from chalicelib.kernel.log import logger
from chalicelib.kernel.pages import Page, Step, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

PAGES_PER_TURN: Final = 5
"""A second of reading; other events of the stream wait meanwhile."""
_MAX_PIECE_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class NewExport:
    """`operator_id` None: the asker's own organisation."""

    kind: str
    format: FileFormat
    filters: Mapping[str, Any]
    operator_id: str | None = None


def listing_of(name: str) -> Listing:
    """Raises export.unknown_kind (422)."""
    if name not in EXPORT_KINDS:
        raise invalid("export.unknown_kind", f"There are exports of {', '.join(EXPORT_KINDS)}.", "/kind")
    return EXPORT_KINDS[name]


def request_export(req: Request, new: NewExport) -> Export:
    """Asks the list for one row, so that whatever is wrong with the filters is told at once, and queues the rest.

    Raises export.unknown_kind, forbidden, export.busy (409), and what the list raises.
    """
    listing = listing_of(new.kind)
    req.actor.require(listing.permission)
    filters = dict(new.filters)
    if new.operator_id is not None:
        visible_organization(req, new.operator_id)
        if listing.takes_operator:
            filters["operator_id"] = new.operator_id
    listing.page(req, filters, limit=1, cursor=None)
    operator_id = new.operator_id or req.organization_id
    ctx, uow = req.ctx, req.uow
    job = Export(
        export_id=ctx.new_id("exp"),
        operator_id=operator_id,
        kind=new.kind,
        format=new.format,
        filters=filters,
        zone=identity.get_organization(ctx, operator_id).time_zone,
        columns=listing.columns,
        state=EXPORT_LIFECYCLE.initial,
        acting=acting_of(req.actor),
        requested_by=req.actor.person_id,
        created_at=ctx.now(),
        parts=[],
    )
    check_room(list_exports(ctx, job.requested_by, limit=LOOKED_AT, cursor=None).data, "export")
    uow.create(EXPORTS, job)
    uow.create(ENTRIES, Entry(job.requested_by, job.export_id, int(job.expires_at.timestamp())))
    outbox.emit(uow, "export.queued", job.export_id, {"turn": job.turn})
    return job


def find_export(ctx: Context, export_id: str) -> Export | None:
    return EXPORTS.get(ctx, *export_key(export_id))


def list_exports(ctx: Context, person_id: str, *, limit: int, cursor: str | None) -> Page[Export]:
    """The exports that somebody asked for, newest first."""
    entries = ENTRIES.walk(ctx, owner_pk(person_id), EntryRow.sk.startswith("exp_"), newest_first=True, cursor=cursor)
    return page_of(_exports_of(ctx, entries), limit)


def _exports_of(ctx: Context, entries: Iterator[Step[Entry]]) -> Iterator[Step[Export]]:
    for entry, place in entries:
        job = find_export(ctx, entry.file_id)
        if job is not None:
            yield job, place


def advance_export(uow: UnitOfWork, export_id: str, turn: int) -> None:
    """Reads some pages on from where the last turn ended; at the end of the list the export is done."""
    job = find_export(uow.ctx, export_id)
    if job is None or job.is_over or job.turn != turn:
        return
    began = replace(job, state=EXPORT_LIFECYCLE.next(job.state, "began"), turn=turn + 1)
    try:
        rows, cursor = _read(uow, began)
        after = _with_rows(uow.ctx, replace(began, cursor=cursor), rows)
    except DomainError as error:
        if isinstance(error, StaleRead) or error.kind is Kind.UNAVAILABLE:
            raise
        after = _failed(uow.ctx, began, error.code, error.detail)
    except (BotoCoreError, ClientError):
        raise
    except Exception:
        # A list that we cannot read must not keep the events of everybody waiting.
        logger.exception("export failed", extra={"export_id": export_id})
        after = _failed(uow.ctx, began, "internal_error", "Something failed on our side; it is logged under this id.")
    if not after.is_over:
        outbox.emit(uow, "export.queued", export_id, {"turn": after.turn})
    uow.put(
        EXPORTS,
        replace(after, revision=job.revision + 1),
        condition=ExportRow.revision == job.revision,
        on_conflict=StaleRead("The export"),
    )


def _read(uow: UnitOfWork, job: Export) -> tuple[list[list[Any]], str | None]:
    """The rows of the next pages, and where the list goes on; None at its end."""
    listing, zone = EXPORT_KINDS[job.kind], ZoneInfo(job.zone)
    req = request_of(uow, job.acting, job.export_id)
    rows: list[list[Any]] = []
    cursor = job.cursor
    for _ in range(PAGES_PER_TURN):
        page = listing.page(req, job.filters, limit=PAGE, cursor=cursor)
        rows += [row for view in page.data for row in listing.rows(req, view, zone)]
        cursor = page.next_cursor
        if cursor is None:
            break
    return rows, cursor


def _with_rows(ctx: Context, job: Export, rows: list[list[Any]]) -> Export:
    """Keeps the rows. Should this turn be decided again, the same chunks are written again."""
    if job.rows + len(rows) > MAX_EXPORT_ROWS:
        detail = f"The list has more than {MAX_EXPORT_ROWS} rows: export it in pieces, by dates or other filters."
        raise conflict("export.too_many_rows", detail)
    parts = job.parts
    chunks: list[Chunk] = []
    for lighter in _lighter(job, rows):
        for piece, text in in_chunks(lighter):
            chunks.append(Chunk(job.export_id, job.next_chunk + len(chunks), text, int(job.expires_at.timestamp())))
            parts = with_chunk(parts, len(piece), _weight(job, piece))
    CHUNKS.batch_put(ctx, chunks)
    after = replace(job, parts=parts, rows=job.rows + len(rows))
    if job.cursor is not None:
        return after
    return replace(after, state=EXPORT_LIFECYCLE.next(job.state, "finished"), finished_at=ctx.now())


def _lighter(job: Export, rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """The rows in pieces of which a part of the file can hold several."""
    if len(rows) <= 1 or _weight(job, rows) <= _MAX_PIECE_BYTES:
        yield rows
        return
    middle = len(rows) // 2
    yield from _lighter(job, rows[:middle])
    yield from _lighter(job, rows[middle:])


def _weight(job: Export, rows: list[list[Any]]) -> int:
    """What the rows weigh in an answer: as CSV, in the JSON that a function answers with."""
    return len(json.dumps(write_csv(job.columns, rows)))


def _failed(ctx: Context, job: Export, code: str, detail: str) -> Export:
    return replace(
        job,
        state=EXPORT_LIFECYCLE.next(job.state, "gave_up"),
        finished_at=ctx.now(),
        failure_code=code,
        failure_detail=detail,
    )


def export_file(ctx: Context, job: Export, part_no: int) -> bytes:
    """One part of the file; an export of nothing has one, with a header. Raises export.not_done (409),
    part.unknown (422)."""
    if job.state != "done":
        raise conflict("export.not_done", f"The export is {job.state}: there is no file.")
    if part_no > max(1, len(job.parts)):
        raise invalid("part.unknown", f"The export has {max(1, len(job.parts))} parts.", "/part")
    return write_table(job.format, job.columns, _rows(ctx, job, part_no))


def _rows(ctx: Context, job: Export, part_no: int) -> Iterator[list[Any]]:
    if not job.parts:
        return
    part = job.parts[part_no - 1]
    keys = [chunk_key(job.export_id, number) for number in range(part.first_chunk, part.first_chunk + part.chunks)]
    for key in keys:
        chunk = CHUNKS.get(ctx, *key)
        if chunk is None:
            raise LookupError(f"chunk {key} is gone")
        yield from unpacked(chunk, list)


def template_file(kind_name: str, file_format: FileFormat) -> bytes:
    """An empty import of a kind: its header, a row as an example, and what each column is."""
    kind = kind_of(kind_name)
    columns = [OutColumn(column.name) for column in kind.columns]
    notes = [("column", "what it is")]
    notes += [(c.name, f"{'Required. ' if c.required else ''}{c.note}".strip()) for c in kind.columns]
    return write_table(file_format, columns, [[column.example or None for column in kind.columns]], notes)
