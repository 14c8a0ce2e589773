"""The operator's endpoints of charging: sessions, their meter readings, CDRs."""

from __future__ import annotations

from datetime import date

from chalicelib.charging import lookup, service, views
from chalicelib.charging.model import ChargingSession
from chalicelib.charging.views import CdrView, MeterReadingView, SessionView
from chalicelib.identity.scope import listed_operator
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, page_view

api = Api("charging", "operator")


class SessionsQuery(PageQuery):
    """`operator_id` is for the platform; operators see their own."""

    operator_id: str | None = None
    driver_id: str | None = None


class CdrsQuery(PageQuery, kw_only=True):
    """`business_day` is YYYY-MM-DD in the operator's time zone."""

    business_day: date
    operator_id: str | None = None


@api.get("/v1/sessions", permission="sessions:read")
def list_sessions(req: Request, query: SessionsQuery) -> PageView[SessionView]:
    """Charging sessions at my chargers, newest first."""
    page = lookup.list_sessions(
        req.ctx, operator_id=_operator(req, query.operator_id), limit=query.limit, cursor=query.cursor
    )
    wanted = [s for s in page.data if query.driver_id is None or s.driver_id == query.driver_id]
    page.data[:] = wanted
    return page_view(page, views.session_summary)


@api.get("/v1/sessions/{session_id}", permission="sessions:read")
def get_session(req: Request, session_id: str) -> SessionView:
    """One charging session, live while it runs."""
    return views.session_detail(req.ctx, _owned(req, session_id))


@api.get("/v1/sessions/{session_id}/meter-values", permission="sessions:read")
def list_meter_values(req: Request, session_id: str, query: PageQuery) -> PageView[MeterReadingView]:
    """The meter readings of a session, oldest first."""
    session = _owned(req, session_id)
    page = lookup.list_readings(req.ctx, session.session_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, views.reading_view)


@api.post("/v1/sessions/{session_id}/stop", permission="sessions:write", status=202, idempotency_key=True)
def stop_session(req: Request, session_id: str) -> SessionView:
    """Stop a charging session from the console."""
    session = service.cancel_or_stop(req.uow, _owned(req, session_id), requested_by=req.actor.login_id)
    return views.session_detail(req.ctx, session)


@api.get("/v1/cdrs", permission="cdrs:read")
def list_cdrs(req: Request, query: CdrsQuery) -> PageView[CdrView]:
    """The sealed billing records of one business day."""
    operator_id = _operator(req, query.operator_id)
    page = lookup.list_cdrs(
        req.ctx, operator_id, query.business_day.isoformat(), limit=query.limit, cursor=query.cursor
    )
    return page_view(page, views.cdr_view)


@api.get("/v1/sessions/{session_id}/cdr", permission="cdrs:read")
def get_session_cdr(req: Request, session_id: str) -> CdrView:
    """The CDR of a session that has ended."""
    cdr = lookup.find_cdr(req.ctx, _owned(req, session_id).session_id)
    if cdr is None:
        raise not_found("cdr", session_id)
    return views.cdr_view(cdr)


def _operator(req: Request, operator_id: str | None) -> str:
    if not req.actor.is_platform:
        return listed_operator(req, operator_id)
    if operator_id is None:
        raise invalid("operator_id.missing", "Say which operator: operator_id.", "/operator_id")
    return operator_id


def _owned(req: Request, session_id: str) -> ChargingSession:
    session = lookup.find_session(req.ctx, session_id)
    if session is None or not (req.actor.is_platform or session.operator_id == req.actor.organization_id):
        raise not_found("charging_session", session_id)
    return session
