"""Exports: a list of the REST API as a CSV or XLSX file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.files import service
from chalicelib.files.api_operator.common import Failure, KindText, api, failure, file_answer
from chalicelib.files.lists import EXPORT_KINDS
from chalicelib.files.model import Export, FileFormat
from chalicelib.files.service.acting import sees_as_then
from chalicelib.files.service.exporting import NewExport, listing_of
from chalicelib.kernel.errors import forbidden, not_found
from chalicelib.kernel.http import Answer, PageQuery, PageView, Request, Shape, page_view


class ExportCreate(Shape):
    """`filters` are the query parameters of that list (and what its path names), without `limit` and `cursor`. Most
    kinds are named like their list; local_transactions is `/v1/wallet-transactions`. Settlements have a row per
    currency."""

    kind: Annotated[KindText, msgspec.Meta(description=f"One of {', '.join(EXPORT_KINDS)}.")]
    format: FileFormat = "csv"
    filters: Annotated[dict[str, str | int | bool | None], msgspec.Meta(max_length=20)] = msgspec.field(
        default_factory=dict
    )
    operator_id: str | None = None


class PartView(Shape):
    """One file of an export: a long list comes in several."""

    part: int
    rows: int


class ExportView(Shape):
    """`state` is queued, running, done or failed; `parts` can be fetched when it is done."""

    export_id: str
    operator_id: str
    kind: str
    format: FileFormat
    filters: dict[str, Any]
    state: str
    rows: int
    parts: list[PartView]
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime
    failure: Failure | None


class PartQuery(Shape):
    """`part` counts from 1."""

    part: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


def export_view(job: Export) -> ExportView:
    return ExportView(
        export_id=job.export_id,
        operator_id=job.operator_id,
        kind=job.kind,
        format=job.format,
        filters=job.filters,
        state=job.state,
        rows=job.rows,
        parts=[PartView(part=number, rows=part.rows) for number, part in enumerate(job.parts, start=1)],
        created_at=job.created_at,
        finished_at=job.finished_at,
        expires_at=job.expires_at,
        failure=failure(job.failure_code, job.failure_detail),
    )


@api.post("/v1/exports", "exports:write", status=202, idempotency_key=True)
def create_export(req: Request, body: ExportCreate) -> ExportView:
    """Begins an export: the list is read to its end, as who asks for it sees it.

    Needs the permission to read the list besides (drivers:read for drivers). Times are in UTC and on the operator's
    clock, money is decimal with its currency beside it. The file is kept for seven days.
    """
    new = NewExport(kind=body.kind, format=body.format, filters=body.filters, operator_id=body.operator_id)
    job = service.request_export(req, new)
    view = export_view(job)
    req.audit("export", job.export_id, owner_id=job.operator_id, after=view)
    req.answer_headers["location"] = f"/v1/exports/{job.export_id}"
    return view


@api.get("/v1/exports", "exports:write")
def list_exports(req: Request, query: PageQuery) -> PageView[ExportView]:
    """My exports of the last seven days, newest first."""
    page = service.list_exports(req.ctx, req.actor.person_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, export_view)


@api.get("/v1/exports/{export_id}", "exports:write")
def get_export(req: Request, export_id: str) -> ExportView:
    """How far an export is."""
    return export_view(_own(req, export_id))


@api.get("/v1/exports/{export_id}/file", "exports:write")
def get_export_file(req: Request, export_id: str, query: PartQuery) -> Answer:
    """The file of an export that is done, or one part of it: for who may still see what is in it."""
    job = _own(req, export_id)
    req.actor.require(listing_of(job.kind).permission)
    if not sees_as_then(req.actor, job.acting):
        raise forbidden("You work at other places now: export it again.")
    content = service.export_file(req.ctx, job, query.part)
    name = f"{job.kind}-{job.created_at:%Y-%m-%d}" + (f"-{query.part}" if len(job.parts) > 1 else "")
    return file_answer(content, job.format, name)


def _own(req: Request, export_id: str) -> Export:
    """Only who asked for it: it shows what they might see, and others of the organisation perhaps may not."""
    job = service.find_export(req.ctx, export_id)
    if (
        job is None
        or job.requested_by != req.actor.person_id
        or job.acting.organization_id != req.actor.organization_id
    ):
        raise not_found("export", export_id)
    return job
