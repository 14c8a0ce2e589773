"""Imports: a CSV or XLSX file becomes objects, row by row, or tells by row why not."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.files import service
from chalicelib.files.api_operator.common import (
    Failure,
    FormatQuery,
    KindText,
    api,
    failure,
    file_answer,
    is_confined,
)
from chalicelib.files.kinds import IMPORT_KINDS
from chalicelib.files.model import FileFormat, Import, Mode, RowError
from chalicelib.files.service.importing import NewImport, kind_of
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Answer, PageQuery, PageView, Request, Shape, page_view

SHOWN_ERRORS = 100

FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ImportCreate(Shape):
    """`kind`: drivers, id_tokens, chargers or locations. `content` is the file in base64, at most 3 MB and 10 000 rows.

    `dry_run` looks at every row and writes nothing. `mode` `all_or_nothing` writes if no row has a fault, and takes
    back what it wrote should a row be refused while writing; `best_effort` writes the rows that have none.
    """

    kind: KindText
    file_name: FileName
    content: str
    dry_run: bool = False
    mode: Mode = "all_or_nothing"
    operator_id: str | None = None


class RowErrorView(Shape):
    """`row` as the spreadsheet counts: its header is row 1. `column` None: about the whole row."""

    row: int
    column: str | None
    code: str
    detail: str


class ImportView(Shape):
    """`state` is queued, running, done or failed. `rows_ok` have no fault; of a real import they are written, and
    `created` counts what was made and is there. `errors` are the first hundred; the rest has a list of its own."""

    import_id: str
    operator_id: str
    kind: str
    file_name: str
    format: FileFormat
    mode: Mode
    dry_run: bool
    state: str
    rows_total: int
    rows_ok: int
    rows_failed: int
    created: int
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    failure: Failure | None
    errors: list[RowErrorView]


def import_view(job: Import, errors: list[RowError]) -> ImportView:
    return ImportView(
        import_id=job.import_id,
        operator_id=job.operator_id,
        kind=job.kind,
        file_name=job.file_name,
        format=job.format,
        mode=job.mode,
        dry_run=job.dry_run,
        state=job.state,
        rows_total=job.rows_total,
        rows_ok=job.rows_ok,
        rows_failed=job.rows_failed,
        created=job.created,
        requested_by=job.requested_by,
        created_at=job.created_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
        failure=failure(job.failure_code, job.failure_detail),
        errors=[_error_view(error) for error in errors],
    )


@api.post("/v1/imports", "imports:write", status=202, idempotency_key=True)
def create_import(req: Request, body: ImportCreate) -> ImportView:
    """Begins an import: the file is read and its header checked at once, its rows one after another.

    Needs the kind's own permission besides (drivers:write for drivers). Look again at the import for what became of
    it; it is kept for seven days. The audit log has the import as one entry, with its kind, file name and rows.
    """
    kind = kind_of(body.kind)
    req.actor.require(kind.permission)
    new = NewImport(
        kind=body.kind,
        operator_id=kind.owner(req, body.operator_id),
        file_name=body.file_name,
        content=body.content,
        mode=body.mode,
        dry_run=body.dry_run,
    )
    job = service.request_import(req.uow, req.actor, new)
    view = import_view(job, [])
    req.audit("import", job.import_id, owner_id=job.operator_id, after=view)
    req.answer_headers["location"] = f"/v1/imports/{job.import_id}"
    return view


@api.get("/v1/imports", "imports:write")
def list_imports(req: Request, query: OperatorPageQuery) -> PageView[ImportView]:
    """The operator's imports of the last seven days, newest first. Their errors are not in the list."""
    operator_id = listed_operator(req, query.operator_id)
    page = service.list_imports(
        req.ctx, operator_id, keep=lambda job: _is_shown(req, job), limit=query.limit, cursor=query.cursor
    )
    return page_view(page, lambda job: import_view(job, []))


@api.get("/v1/imports/templates/{kind}", "imports:write")
def get_import_template(req: Request, kind: str, query: FormatQuery) -> Answer:
    """An empty file of a kind: its header and a row as an example; as XLSX with a sheet that explains the columns."""
    if kind not in IMPORT_KINDS:
        raise not_found("import_template", kind)
    return file_answer(service.template_file(kind, query.format), query.format, kind)


@api.get("/v1/imports/{import_id}", "imports:write")
def get_import(req: Request, import_id: str) -> ImportView:
    """How far an import is, and what is wrong with its rows."""
    job = _owned(req, import_id)
    return import_view(job, service.import_errors(req.ctx, import_id, limit=SHOWN_ERRORS, cursor=None).data)


@api.get("/v1/imports/{import_id}/errors", "imports:write")
def list_import_errors(req: Request, import_id: str, query: PageQuery) -> PageView[RowErrorView]:
    """Everything that is wrong with the rows of an import."""
    job = _owned(req, import_id)
    page = service.import_errors(req.ctx, job.import_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, _error_view)


@api.get("/v1/imports/{import_id}/result", "imports:write")
def get_import_result(req: Request, import_id: str, query: FormatQuery) -> Answer:
    """What an import made, by row, as a file.

    Of chargers it has the passwords that were made for them: for 24 hours, and for who may register chargers.
    """
    job = _owned(req, import_id)
    req.actor.require(IMPORT_KINDS[job.kind].permission)
    return file_answer(service.result_file(req.ctx, job, query.format), query.format, f"{job.kind}-{job.import_id}")


def _owned(req: Request, import_id: str) -> Import:
    job = service.find_import(req.ctx, import_id)
    if job is None or not _is_shown(req, job):
        raise not_found("import", import_id)
    return job


def _is_shown(req: Request, job: Import) -> bool:
    """Errors quote the rows: they are for who may make what the file is of. A dealer may not read its operators'
    customers this way either."""
    if not may_see(req, job.operator_id) or not req.actor.may(IMPORT_KINDS[job.kind].permission):
        return False
    return job.requested_by == req.actor.person_id or not is_confined(req.actor)


def _error_view(error: RowError) -> RowErrorView:
    return RowErrorView(row=error.row, column=error.column, code=error.code, detail=error.detail)
