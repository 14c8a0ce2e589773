"""The driver's endpoints of charging: start for an amount or until full, watch, stop; reserve a connector."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup, service, views
from chalicelib.charging.curve_views import CurveQuery, CurveView, session_curve
from chalicelib.charging.model import ChargingSession, Reservation, SessionFilter
from chalicelib.charging.receipts import receipt
from chalicelib.charging.service.paying import PayBy
from chalicelib.charging.views import CdrView, LimitsView, ReservationView, SessionView
from chalicelib.drivers import service as drivers
from chalicelib.identity.model import check_time_zone
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Answer, Api, Moment, PageQuery, PageView, Request, Shape, check_moment, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import MonthText, month_span

api = Api("charging", "driver")


class SessionRequest(Shape):
    """Name the connector by its QR `code`, or by `charger_id` and `evse_no`. Without `amount`: until full.

    The charge ends when the first of `limits` is reached, or the amount is spent. `pay_by`: the driver's wallet, or the
    enterprise that the driver is a member of at this operator; without it the enterprise, where there is one.
    """

    code: str | None = None
    charger_id: str | None = None
    evse_no: int | None = None
    amount: Money | None = None
    limits: LimitsView | None = None
    pay_by: PayBy | None = None


class MyReservationRequest(Shape):
    """Name the connector as for a charge."""

    expires_at: Moment
    code: str | None = None
    charger_id: str | None = None
    evse_no: int | None = None


class MySessionsQuery(PageQuery):
    """`month` as it is lived in `time_zone` (IANA)."""

    month: MonthText | None = None
    time_zone: str = "UTC"


@api.post("/v1/driver/sessions", idempotency_key=True, audited=False)
def start_session(req: Request, body: SessionRequest) -> SessionView:
    """Start a charge.

    Reserves the amount in the wallet (or of the enterprise's credit) and tells the charger to start. The session begins
    when the charger says so; if nobody plugs in, the money comes back.
    """
    charger_id, evse_no = _connector(req, body.code, body.charger_id, body.evse_no)
    session = service.request_session(
        req.uow,
        session_id=req.new_id("ses", req.driver_id),
        driver_id=req.driver_id,
        charger_id=charger_id,
        evse_no=evse_no,
        amount=body.amount,
        limits=views.limits_of(body.limits),
        pay_by=body.pay_by,
    )
    return views.session_summary(session)


@api.get("/v1/driver/sessions")
def list_my_sessions(req: Request, query: MySessionsQuery) -> PageView[SessionView]:
    """My charges, newest first; those of one month, if it is named."""
    zone = check_time_zone(query.time_zone)
    date_from, date_to = (None, None) if query.month is None else month_span(query.month, zone)
    wanted = SessionFilter(date_from=date_from, date_to=date_to)
    page = lookup.find_sessions_of_driver(req.ctx, req.driver_id, wanted, limit=query.limit, cursor=query.cursor)
    return page_view(page, views.session_summary)


@api.get("/v1/driver/sessions/{session_id}")
def get_my_session(req: Request, session_id: str) -> SessionView:
    """One of my charges, live: energy, power, cost.

    Looked at every few seconds, the charger is asked for fresh values now and then.
    """
    session = _mine(req, session_id)
    reading = views.latest_reading(req.ctx, session)
    service.ask_for_fresh_values(req.ctx, session, reading)
    return views.session_with(req.ctx, session, reading)


@api.get("/v1/driver/sessions/{session_id}/meter-values")
def list_my_meter_values(req: Request, session_id: str, query: CurveQuery) -> CurveView:
    """How one of my charges went: for a chart."""
    return session_curve(req.ctx, _mine(req, session_id), query.points)


@api.get("/v1/driver/sessions/{session_id}/cdr")
def get_my_cdr(req: Request, session_id: str) -> CdrView:
    """What one of my charges cost, line by line. 404 cdr.not_found until it has ended."""
    return views.valid_cdr_view(req.ctx, _mine(req, session_id).session_id)


@api.get("/v1/driver/sessions/{session_id}/receipt")
def get_my_receipt(req: Request, session_id: str) -> Answer:
    """The receipt of one of my charges as PDF."""
    return receipt(req.ctx, _mine(req, session_id))


@api.post("/v1/driver/sessions/{session_id}/stop", status=202, idempotency_key=True, audited=False)
def stop_my_session(req: Request, session_id: str) -> SessionView:
    """Stop a charge.

    Before the start it is called off at once; after it the charger is told, and the session settles when the charger
    has reported the meter.
    """
    session = service.cancel_or_stop(req.uow, _mine(req, session_id), requested_by=req.driver_id)
    return views.session_detail(req.ctx, session)


@api.post("/v1/driver/reservations", idempotency_key=True, audited=False)
def create_my_reservation(req: Request, body: MyReservationRequest) -> ReservationView:
    """Reserve a connector for me, for a day at most. I must have what a charge until full asks for. The charger
    decides: look again for the state."""
    charger_id, evse_no = _connector(req, body.code, body.charger_id, body.evse_no)
    charger = chargers.require_charger(req.ctx, charger_id)
    service.check_may_ask(req.ctx, charger, req.driver_id)
    service.check_can_pay(req.uow, charger, req.driver_id)
    service.check_open_reservations(req.ctx, req.driver_id)
    reservation = service.request_reservation(
        req.uow,
        reservation_id=req.new_id("res", req.driver_id),
        charger=charger,
        evse_no=evse_no,
        id_token=drivers.app_token(req.driver_id),
        until=check_moment(body.expires_at, "/expires_at"),
        requested_by=req.driver_id,
        driver_id=req.driver_id,
    )
    return views.reservation_view(reservation, req.ctx.now())


@api.get("/v1/driver/reservations")
def list_my_reservations(req: Request, query: PageQuery) -> PageView[ReservationView]:
    """My reservations, newest first."""
    page = lookup.list_reservations(req.ctx, driver_id=req.driver_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, lambda reservation: views.reservation_view(reservation, req.ctx.now()))


@api.get("/v1/driver/reservations/{reservation_id}")
def get_my_reservation(req: Request, reservation_id: str) -> ReservationView:
    """One of my reservations."""
    return views.reservation_view(_my_reservation(req, reservation_id), req.ctx.now())


@api.delete("/v1/driver/reservations/{reservation_id}", status=202, audited=False)
def cancel_my_reservation(req: Request, reservation_id: str) -> ReservationView:
    """Let the connector go. It is free when the charger has said so."""
    reservation = _my_reservation(req, reservation_id)
    cancelled = service.cancel_reservation(req.uow, reservation, requested_by=req.driver_id)
    return views.reservation_view(cancelled, req.ctx.now())


def _connector(req: Request, code: str | None, charger_id: str | None, evse_no: int | None) -> tuple[str, int]:
    if code is not None:
        evse = chargers.find_evse_by_code(req.ctx, code)
        return evse.charger_id, evse.evse_no
    if charger_id is None or evse_no is None:
        raise invalid("connector.missing", "Name the connector: its code, or charger_id and evse_no.", "/code")
    return charger_id, evse_no


def _my_reservation(req: Request, reservation_id: str) -> Reservation:
    reservation = lookup.find_reservation(req.ctx, reservation_id)
    if reservation is None or reservation.driver_id != req.driver_id:
        raise not_found("reservation", reservation_id)
    return reservation


def _mine(req: Request, session_id: str) -> ChargingSession:
    session = lookup.find_session(req.ctx, session_id)
    if session is None or session.driver_id != req.driver_id:
        raise not_found("charging_session", session_id)
    return session
