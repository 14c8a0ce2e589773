"""The operator's endpoints of charging: sessions, their meter readings, CDRs, stops without a session, reservations."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import msgspec

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import MAX_REPORTED_EVSE_NO, charger_key
from chalicelib.chargers.scope import Places, listed_places, may_see_at, owned_charger
from chalicelib.charging import lookup, service, views
from chalicelib.charging.margin_views import OperatorCdrView, cdr_viewer
from chalicelib.charging.model import (
    ChargingSession,
    PaymentStatus,
    Reservation,
    SessionFilter,
    SessionGroup,
    SessionState,
)
from chalicelib.charging.views import MeterReadingView, OrphanStopView, ReservationView, SessionView
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import IdToken
from chalicelib.identity.scope import OperatorPageQuery
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import (
    YEARS,
    Api,
    Moment,
    PageQuery,
    PageView,
    Request,
    Shape,
    check_moment,
    check_span,
    page_view,
)
from chalicelib.kernel.spans import FirstDay, LastDay
from chalicelib.wallets.scope import visible_wallet

api = Api("charging", "operator")

MAX_CDR_DAYS = 92
"""Of one list: each day is a look-up."""


class SessionsQuery(OperatorPageQuery):
    """`operator_id` is for those above the operators. `date_from` and `date_to` (exclusive) are of the request, by our
    clock. `group`: a tab of the screen; `evse_no` is the connector; `order_no` as it is printed on the receipt;
    `agency_id`: at locations that were this agency's when the session was made."""

    driver_id: str | None = None
    location_id: str | None = None
    agency_id: str | None = None
    charger_id: str | None = None
    evse_no: Annotated[int, msgspec.Meta(ge=0, le=MAX_REPORTED_EVSE_NO)] | None = None
    state: SessionState | None = None
    group: SessionGroup | None = None
    payment_status: PaymentStatus | None = None
    id_token: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    order_no: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None


class OfChargerQuery(OperatorPageQuery):
    """Those of one charger, or of all."""

    charger_id: str | None = None


class ReservationRequest(Shape):
    """For a card (`id_token`), or for a driver on the operator's list, who starts from the app. `evse_no` 0: any
    connector of the charger. `group_id` is by default that of the id token."""

    charger_id: str
    expires_at: Moment
    id_token: str | None = None
    driver_id: str | None = None
    evse_no: Annotated[int, msgspec.Meta(ge=0)] = 0
    group_id: Annotated[str, msgspec.Meta(min_length=1, max_length=36)] | None = None
    connector_type: Annotated[str, msgspec.Meta(min_length=1, max_length=20)] | None = None


class CdrsQuery(OperatorPageQuery):
    """Business days (YYYY-MM-DD in the operator's time zone): one, or from `date_from` to `date_to`, both included and
    92 at most."""

    business_day: date | None = None
    date_from: FirstDay | None = None
    date_to: LastDay | None = None


@api.get("/v1/sessions", permission="sessions:read")
def list_sessions(req: Request, query: SessionsQuery) -> PageView[SessionView]:
    """Charging sessions at my chargers, newest first.

    A page may be short while matches are rare; go on with its cursor.
    """
    places = _places(req, query.operator_id)
    page = lookup.find_sessions(
        req.ctx,
        operator_id=places.operator_id,
        wanted=_wanted(query),
        location_ids=places.location_ids,
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, views.session_summary)


@api.get("/v1/sessions/{session_id}", permission="sessions:read")
def get_session(req: Request, session_id: str) -> SessionView:
    """One charging session, live while it runs."""
    return views.operator_detail(req.ctx, _owned(req, session_id))


@api.get("/v1/sessions/{session_id}/meter-values", permission="sessions:read")
def list_meter_values(req: Request, session_id: str, query: PageQuery) -> PageView[MeterReadingView]:
    """The meter readings of a session, oldest first."""
    session = _owned(req, session_id)
    page = lookup.list_readings(req.ctx, session, limit=query.limit, cursor=query.cursor)
    return page_view(page, views.reading_view)


@api.post("/v1/sessions/{session_id}/stop", permission="sessions:write", status=202, idempotency_key=True)
def stop_session(req: Request, session_id: str) -> SessionView:
    """Stop a charging session from the console."""
    session = service.cancel_or_stop(req.uow, _owned(req, session_id), requested_by=req.actor.login_id)
    req.audit("charging_session", session_id, owner_id=session.operator_id, after={"state": session.state})
    return views.session_detail(req.ctx, session)


@api.get("/v1/cdrs", permission="cdrs:read")
def list_cdrs(req: Request, query: CdrsQuery) -> PageView[OperatorCdrView]:
    """The sealed billing records of a business day or several, oldest day first."""
    places = _places(req, query.operator_id)
    page = lookup.list_cdrs(
        req.ctx,
        places.operator_id,
        _days(query),
        keep=lambda cdr: places.has(cdr.location_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, cdr_viewer(req, page.data))


@api.get("/v1/sessions/{session_id}/cdr", permission="cdrs:read")
def get_session_cdr(req: Request, session_id: str) -> OperatorCdrView:
    """The CDR of a session that has ended."""
    cdr = lookup.find_cdr(req.ctx, _owned(req, session_id).session_id)
    if cdr is None:
        raise not_found("cdr", session_id)
    return cdr_viewer(req, [cdr])(cdr)


@api.get("/v1/orphan-stops", permission="sessions:read")
def list_orphan_stops(req: Request, query: OfChargerQuery) -> PageView[OrphanStopView]:
    """Stops of my chargers that billed nothing, latest first: of transactions that nobody knows, or of sessions that
    had been given up."""
    places = _places(req, query.operator_id)
    page = lookup.list_orphan_stops(
        req.ctx,
        places.operator_id,
        keep=lambda stop: _is_at(query, stop.charger_id) and places.has_charger(req.ctx, stop.charger_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, views.orphan_stop_view)


@api.post("/v1/reservations", permission="sessions:write", idempotency_key=True)
def create_reservation(req: Request, body: ReservationRequest) -> ReservationView:
    """Reserve a connector for a card or a driver, for a day at most. A driver must have what a charge until full asks
    for. The charger decides: look again for the state."""
    charger = owned_charger(req, body.charger_id)
    id_token, driver_id, group_id = _reserved_for(req, charger.operator_id, body)
    if driver_id is not None:
        service.check_can_pay(req.uow, charger, driver_id)
    reservation = service.request_reservation(
        req.uow,
        reservation_id=req.new_id("res", req.actor.login_id),
        charger=charger,
        evse_no=body.evse_no,
        id_token=id_token,
        until=check_moment(body.expires_at, "/expires_at"),
        requested_by=req.actor.login_id,
        driver_id=driver_id,
        group_id=body.group_id or group_id,
        connector_type=body.connector_type,
    )
    view = views.reservation_view(reservation, req.ctx.now())
    req.audit("reservation", reservation.reservation_id, owner_id=charger.operator_id, after=view)
    return view


@api.get("/v1/reservations", permission="sessions:read")
def list_reservations(req: Request, query: OfChargerQuery) -> PageView[ReservationView]:
    """Reservations at my chargers, newest first."""
    places = _places(req, query.operator_id)
    page = lookup.list_reservations(
        req.ctx,
        operator_id=places.operator_id,
        keep=lambda reservation: (
            _is_at(query, reservation.charger_id) and places.has_charger(req.ctx, reservation.charger_id)
        ),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, lambda reservation: views.reservation_view(reservation, req.ctx.now()))


@api.get("/v1/reservations/{reservation_id}", permission="sessions:read")
def get_reservation(req: Request, reservation_id: str) -> ReservationView:
    """One reservation."""
    return views.reservation_view(_owned_reservation(req, reservation_id), req.ctx.now())


@api.delete("/v1/reservations/{reservation_id}", permission="sessions:write", status=202)
def cancel_reservation(req: Request, reservation_id: str) -> ReservationView:
    """Let the connector go. It is free when the charger has said so."""
    reservation = _owned_reservation(req, reservation_id)
    cancelled = service.cancel_reservation(req.uow, reservation, requested_by=req.actor.login_id)
    before, after = views.reservation_view(reservation, req.ctx.now()), views.reservation_view(cancelled, req.ctx.now())
    req.audit("reservation", reservation_id, owner_id=reservation.operator_id, before=before, after=after)
    return after


def _wanted(query: SessionsQuery) -> SessionFilter:
    date_from, date_to = check_span(query.date_from, query.date_to)
    return SessionFilter(
        date_from=date_from,
        date_to=date_to,
        location_id=query.location_id,
        agency_id=query.agency_id,
        charger_id=query.charger_id,
        evse_no=query.evse_no,
        state=query.state,
        group=query.group,
        payment_status=query.payment_status,
        driver_id=query.driver_id,
        id_token=query.id_token,
        order_no=query.order_no,
    )


def _days(query: CdrsQuery) -> list[str]:
    """Raises cdrs.days (422), day.distant."""
    first, last = query.date_from or query.business_day, query.date_to or query.business_day
    is_both = query.business_day is not None and (query.date_from or query.date_to)
    if first is None or last is None or is_both:
        raise invalid("cdrs.days", "Name the business_day, or date_from and date_to.", "/business_day")
    if first.year not in YEARS or last.year not in YEARS:
        raise invalid("day.distant", f"The year is from {YEARS[0]} to {YEARS[-1]}.", "/date_from")
    if not 0 <= (last - first).days < MAX_CDR_DAYS:
        raise invalid("cdrs.days", f"Ask for 1 to {MAX_CDR_DAYS} days.", "/date_from")
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


def _reserved_for(req: Request, operator_id: str, body: ReservationRequest) -> tuple[str, str | None, str | None]:
    """The id token that the charger opens to, its driver and its group."""
    if (body.id_token is None) == (body.driver_id is None):
        raise invalid("reservation.for_whom", "Name either an id_token or a driver_id.", "/driver_id")
    if body.driver_id is not None:
        driver_id = visible_wallet(req, body.driver_id)
        if drivers.require_driver(req.ctx, driver_id).deleted_at is not None:
            raise not_found("driver", driver_id)
        return drivers.app_token(driver_id), driver_id, None
    card = _known_card(req, operator_id, body.id_token or "")
    return card.id_token, card.driver_id, card.group_id


def _known_card(req: Request, operator_id: str, id_token: str) -> IdToken:
    """A card that the operator configured, or of a driver on its list; others are not there for it."""
    card = drivers.require_card(req.ctx, id_token)
    linked = card.driver_id is not None and drivers.is_linked(req.ctx, operator_id, card.driver_id)
    if not (req.actor.is_platform or card.operator_id == operator_id or linked):
        raise not_found("id_token", id_token)
    return card


def _is_at(query: OfChargerQuery, charger_id: str) -> bool:
    return query.charger_id is None or charger_key(query.charger_id) == charger_key(charger_id)


def _owned_reservation(req: Request, reservation_id: str) -> Reservation:
    reservation = lookup.find_reservation(req.ctx, reservation_id)
    charger = None if reservation is None else chargers.get_charger(req.ctx, reservation.charger_id)
    location_id = None if charger is None else charger.location_id
    if reservation is None or not may_see_at(req, reservation.operator_id, location_id):
        raise not_found("reservation", reservation_id)
    return reservation


def _places(req: Request, operator_id: str | None) -> Places:
    if req.actor.is_platform and operator_id is None:
        raise invalid("operator_id.missing", "Say which operator: operator_id.", "/operator_id")
    return listed_places(req, operator_id)


def _owned(req: Request, session_id: str) -> ChargingSession:
    session = lookup.find_session(req.ctx, session_id)
    if session is None or not may_see_at(req, session.operator_id, session.location_id):
        raise not_found("charging_session", session_id)
    return session
