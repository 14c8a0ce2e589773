"""The driver's endpoints of charging: start for an amount or until full, watch, stop."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup, service, views
from chalicelib.charging.model import ChargingSession
from chalicelib.charging.views import SessionView
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money

api = Api("charging", "driver")


class SessionRequest(Shape):
    """Name the connector by its QR `code`, or by `charger_id` and `evse_no`. Without `amount`: until full."""

    code: str | None = None
    charger_id: str | None = None
    evse_no: int | None = None
    amount: Money | None = None


@api.post("/v1/driver/sessions", idempotency_key=True)
def start_session(req: Request, body: SessionRequest) -> SessionView:
    """Start a charge.

    Reserves the amount in the wallet and tells the charger to start. The session begins when the charger says so;
    if nobody plugs in, the money comes back.
    """
    charger_id, evse_no = _connector(req, body)
    claimed_at = req.claim.first_claimed_at if req.claim else req.ctx.now()
    key = req.claim.idempotency_key if req.claim else req.request_id
    session = service.request_session(
        req.uow,
        session_id=derived_id("ses", claimed_at, req.driver_id, key),
        driver_id=req.driver_id,
        charger_id=charger_id,
        evse_no=evse_no,
        amount=body.amount,
    )
    return views.session_summary(session)


@api.get("/v1/driver/sessions")
def list_my_sessions(req: Request, query: PageQuery) -> PageView[SessionView]:
    """My charges, newest first."""
    page = lookup.list_sessions(req.ctx, driver_id=req.driver_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, views.session_summary)


@api.get("/v1/driver/sessions/{session_id}")
def get_my_session(req: Request, session_id: str) -> SessionView:
    """One of my charges, live: energy, power, cost."""
    return views.session_detail(req.ctx, _mine(req, session_id))


@api.post("/v1/driver/sessions/{session_id}/stop", status=202, idempotency_key=True)
def stop_my_session(req: Request, session_id: str) -> SessionView:
    """Stop a charge.

    Before the start it is called off at once; after it the charger is told, and the session settles when the charger
    has reported the meter.
    """
    session = service.cancel_or_stop(req.uow, _mine(req, session_id), requested_by=req.driver_id)
    return views.session_detail(req.ctx, session)


def _connector(req: Request, body: SessionRequest) -> tuple[str, int]:
    if body.code is not None:
        evse = chargers.find_evse_by_code(req.ctx, body.code)
        return evse.charger_id, evse.evse_no
    if body.charger_id is None or body.evse_no is None:
        raise invalid("connector.missing", "Name the connector: its code, or charger_id and evse_no.", "/code")
    return body.charger_id, body.evse_no


def _mine(req: Request, session_id: str) -> ChargingSession:
    session = lookup.find_session(req.ctx, session_id)
    if session is None or session.driver_id != req.driver_id:
        raise not_found("charging_session", session_id)
    return session
