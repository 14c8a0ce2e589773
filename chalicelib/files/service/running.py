"""Working an import off, one commit at a time. What a commit writes of the file and how far that is land together, so a
delivery that breaks off loses nothing and repeats nothing: the next one goes on behind the last commit.

A commit takes as many rows as fit one transaction. Rows that would write the same row of a table do not share one:
the later of them is then decided by what the earlier one left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.files.kinds import IMPORT_KINDS, Created, ImportKind
from chalicelib.files.model import (
    IMPORT_LIFECYCLE,
    SECRETS_RETENTION,
    Import,
    InputRow,
    Made,
    RowError,
    chunk_of,
    typed,
)
from chalicelib.files.model.imports import MAX_FAULTS_OF_ROW, SEALED_FOR
from chalicelib.files.service.acting import request_of
from chalicelib.files.store import (
    CHUNKS,
    ERROR_GROUPS,
    IMPORTS,
    MADE_GROUPS,
    SECRET_GROUPS,
    Chunk,
    ErrorGroup,
    ImportRow,
    MadeGroup,
    MadeGroupRow,
    SecretGroup,
    chunk_key,
    file_pk,
    import_key,
    made_key,
    unpacked,
)
from chalicelib.identity import service as identity
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork

MAX_WRITES: Final = 90
"""Of a commit, with room for the import's own rows (a transaction has 100)."""
MAX_ROWS_OF_STEP: Final = 100
"""So many have their faults in one item of the store."""
_MAX_DETAIL: Final = 300


@dataclass
class _Found:
    """What one step found and made."""

    rows: int = 0
    ok: int = 0
    errors: list[RowError] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    sealed: dict[str, str] = field(default_factory=dict)


def advance_import(
    uow: UnitOfWork,
    import_id: str,
    turn: int,
    *,
    is_last: bool,
    most_rows: int | None = None,
    refused: DomainError | None = None,
) -> bool:
    """One commit's worth of an import, into the unit of work. False when this turn has nothing more to do.

    `is_last`: the next commit is another delivery's, which this one asks for. `most_rows` bounds the rows of a commit
    that was refused as a whole; with `refused`, the next row is the one that was, and is reported as such.
    """
    job = IMPORTS.get(uow.ctx, *import_key(import_id))
    if job is None or job.is_over or job.turn != turn:
        return False
    after = replace(job, state=IMPORT_LIFECYCLE.next(job.state, "began"))
    step = _undo if job.phase == "undo" else _take
    after = step(uow, after, most_rows, refused)
    if is_last and not after.is_over:
        after = replace(after, turn=turn + 1)
        outbox.emit(uow, "import.queued", import_id, {"turn": after.turn})
    uow.put(
        IMPORTS,
        replace(after, revision=job.revision + 1),
        condition=ImportRow.revision == job.revision,
        on_conflict=StaleRead("The import"),
    )
    return not after.is_over


# -- checking and applying ----------------------------------------------------------------------------------------


def _take(uow: UnitOfWork, job: Import, most_rows: int | None, refused: DomainError | None) -> Import:
    chunk, place = chunk_of(job.chunks, job.position)
    rows = [] if chunk == len(job.chunks) else _rows_of(uow.ctx, job, chunk)[place:]
    kind = IMPORT_KINDS[job.kind]
    if job.phase == "check":
        found = _check(uow.ctx, job, kind, rows[:MAX_ROWS_OF_STEP])
    elif refused is not None:
        found = _Found(rows=1, errors=_errors_of(rows[0], refused))
    else:
        found = _apply(uow, job, kind, rows[: most_rows or MAX_ROWS_OF_STEP])
    _keep(uow, job, found)
    after = replace(
        job,
        position=job.position + found.rows,
        rows_ok=job.rows_ok + found.ok,
        rows_failed=job.rows_failed + found.rows - found.ok,
        created=job.created + len(found.made),
    )
    if found.errors and job.phase == "apply" and job.mode == "all_or_nothing":
        return replace(after, phase="undo")
    return after if after.position < job.rows_total else _at_end(uow.ctx, after)


def _at_end(ctx: Context, job: Import) -> Import:
    if job.phase == "apply" or job.dry_run:
        return replace(job, state=IMPORT_LIFECYCLE.next(job.state, "finished"), finished_at=ctx.now())
    if job.rows_failed:
        return _failed(ctx, job, "import.rows_invalid", "Some rows have faults; nothing was written.")
    return replace(job, phase="apply", position=0, rows_ok=0)


def _failed(ctx: Context, job: Import, code: str, detail: str) -> Import:
    return replace(
        job,
        state=IMPORT_LIFECYCLE.next(job.state, "gave_up"),
        finished_at=ctx.now(),
        failure_code=code,
        failure_detail=detail,
    )


def _rows_of(ctx: Context, job: Import, number: int) -> list[InputRow]:
    """A chunk's rows, remembered for the commits of one delivery: they never change."""
    cache = ctx.cache("files.chunks", size=4)
    chunk: Chunk | None = cache.get_or_load(
        (job.import_id, number), lambda: CHUNKS.get(ctx, *chunk_key(job.import_id, number))
    )
    if chunk is None:
        raise LookupError(f"chunk {number} of {job.import_id} is gone")
    return unpacked(chunk, InputRow)


def _check(ctx: Context, job: Import, kind: ImportKind, rows: Sequence[InputRow]) -> _Found:
    """Each row is decided as if it were alone, and the decision thrown away."""
    found = _Found(rows=len(rows))
    for row in rows:
        decided = _decide(UnitOfWork(ctx), job, kind, row)
        if isinstance(decided, Created):
            found.ok += 1
        else:
            found.errors += decided
    return found


def _apply(uow: UnitOfWork, job: Import, kind: ImportKind, rows: Sequence[InputRow]) -> _Found:
    found = _Found()
    for row in rows:
        mark = len(uow.writes)
        decided = _decide(uow, job, kind, row)
        if mark and not _fits(uow, mark):
            del uow.writes[mark:]
            break
        found.rows += 1
        if not isinstance(decided, Created):
            del uow.writes[mark:]
            found.errors += decided
            if job.mode == "all_or_nothing":
                break
            continue
        found.ok += 1
        found.made.append(Made(row.number, decided.object_id, decided.mark))
        if decided.secret is not None:
            found.sealed[str(row.number)] = identity.seal(uow.ctx, SEALED_FOR, job.import_id, decided.secret)
    return found


def _decide(uow: UnitOfWork, job: Import, kind: ImportKind, row: InputRow) -> Created | list[RowError]:
    """The row's writes in the unit of work, or why there are none to be kept. Raises what another try may mend."""
    values, faults = typed(kind.columns, row)
    if faults:
        return faults[:MAX_FAULTS_OF_ROW]
    try:
        return kind.create(request_of(uow, job.acting, job.import_id), job.operator_id, values)
    except StaleRead:
        raise
    except DomainError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        return _errors_of(row, error)
    except (BotoCoreError, ClientError):
        raise
    except Exception:
        # One row that we cannot deal with must not keep the others, and the events of everybody, waiting.
        logger.exception("import row failed", extra={"import_id": job.import_id, "row": row.number})
        detail = "Something failed on our side; it is logged under the import's id."
        return [RowError(row.number, "internal_error", detail)]


def _errors_of(row: InputRow, error: DomainError) -> list[RowError]:
    """The error's fields name columns, as pointers do: `/coordinates/latitude` is about the column latitude."""
    found = []
    for fault in error.fields[:MAX_FAULTS_OF_ROW]:
        names = [name for name in fault.pointer.split("/") if name in row.values]
        detail = (fault.detail or error.detail)[:_MAX_DETAIL]
        found.append(RowError(row.number, fault.code, detail, names[-1] if names else None))
    return found or [RowError(row.number, error.code, error.detail[:_MAX_DETAIL])]


def _fits(uow: UnitOfWork, mark: int) -> bool:
    """Do the writes from `mark` on go into one transaction with those before?"""
    if len(uow.writes) > MAX_WRITES:
        return False
    before = {_target(write.request) for write in uow.writes[:mark]}
    return all(_target(write.request) not in before for write in uow.writes[mark:])


def _target(request: dict[str, Any]) -> tuple[str, str, str]:
    key = request.get("Key") or request["Item"]
    return request["TableName"], key["pk"]["S"], key["sk"]["S"]


def _keep(uow: UnitOfWork, job: Import, found: _Found) -> None:
    expires_at = int(job.expires_at.timestamp())
    if found.errors:
        uow.put(ERROR_GROUPS, ErrorGroup(job.import_id, job.phase, job.position, found.errors, expires_at))
    if found.made:
        uow.create(MADE_GROUPS, MadeGroup(job.import_id, job.position, found.made, expires_at))
    if found.sealed:
        until = uow.ctx.now() + SECRETS_RETENTION
        uow.create(SECRET_GROUPS, SecretGroup(job.import_id, job.position, found.sealed, until, int(until.timestamp())))


# -- taking back --------------------------------------------------------------------------------------------------


def _undo(uow: UnitOfWork, job: Import, most: int | None, refused: DomainError | None) -> Import:
    """Takes back the newest of what is there. What was changed since stays, and is reported by its row."""
    groups = MADE_GROUPS.query(
        uow.ctx,
        file_pk(job.import_id),
        MadeGroupRow.sk.startswith("made#"),
        newest_first=True,
        limit=1,
        consistent=True,
    )
    left = next((group for group in groups.data), None)
    if left is None:
        detail = "A row was refused while writing; what had been written was taken back."
        if job.created:
            detail = f"A row was refused while writing; {job.created} objects could not be taken back."
        return _failed(uow.ctx, replace(job, rows_ok=job.created), "import.refused", detail)
    kind = IMPORT_KINDS[job.kind]
    waiting, errors, undone = list(left.made), list[RowError](), 0
    while waiting and (most is None or undone + len(errors) < most):
        made, mark = waiting[-1], len(uow.writes)
        error = refused or _take_back(uow, kind, made)
        if mark and not _fits(uow, mark):
            del uow.writes[mark:]
            break
        waiting.pop()
        if error is None:
            undone += 1
            continue
        del uow.writes[mark:]
        errors.append(RowError(made.row, error.code, error.detail))
        if refused is not None:
            break
    _shorten(uow, left, waiting, errors)
    return replace(job, created=job.created - undone)


def _take_back(uow: UnitOfWork, kind: ImportKind, made: Made) -> DomainError | None:
    try:
        kind.take_back(uow, made.object_id)
        kind.check_as_made(uow.ctx, made)
    except StaleRead:
        raise
    except DomainError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        return error
    return None


def _shorten(uow: UnitOfWork, group: MadeGroup, waiting: list[Made], errors: list[RowError]) -> None:
    if waiting:
        uow.put(MADE_GROUPS, replace(group, made=waiting))
    else:
        uow.delete(MADE_GROUPS, made_key(group.import_id, group.position))
    if errors:
        key = group.position + len(waiting)
        uow.put(ERROR_GROUPS, ErrorGroup(group.import_id, "undo", key, errors, group.expires_at))
