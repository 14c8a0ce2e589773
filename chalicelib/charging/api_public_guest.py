"""Charging without an account: scan, see the price, pay by card, charge, stop. The receipt comes by e-mail.

Nobody signs in here. What proves that an order is somebody's is its `guest_code`, told once to who made it and sent
back in the header `guest-code`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec

from chalicelib.chargers.api_driver import DriverChargerView, driver_charger_view, find_charger
from chalicelib.charging import lookup, service, views
from chalicelib.charging.curve_views import CurveQuery, CurveView, session_curve
from chalicelib.charging.model import ChargingSession
from chalicelib.charging.model.guests import GuestOrder, GuestOrderState
from chalicelib.charging.price_views import ChargingPrice, DriverQuote, charging_price, quote_at
from chalicelib.charging.receipts import receipt
from chalicelib.charging.service import guests
from chalicelib.charging.service.pricing import find_price, price_for
from chalicelib.charging.views import CdrView, LimitsView, SessionView
from chalicelib.identity import service as identity
from chalicelib.identity.model import check_email
from chalicelib.identity.model.guessing import network_of
from chalicelib.kernel.errors import conflict, invalid
from chalicelib.kernel.http import Answer, Api, Request, Shape
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.texts import EmailText
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment, opening_error
from chalicelib.payments.providers import payment_provider
from chalicelib.tariffs.api_operator.quotes import QuoteView

api = Api("guest", "public")

CODE_HEADER: Final = "guest-code"
LEAST_KEY_LENGTH: Final = 16
"""A key is as good as the answer that it replays: nobody may guess it."""
MAX_ORDERS_PER_IP: Final = 30
ORDERS_WINDOW: Final = timedelta(hours=1)


class GuestSessionRequest(Shape):
    """`code` is on the charger's label. `amount`: charge for so much; without it until full, and what is authorised on
    the card is the most that it costs. `evse_no` where the code names a charger and not a connector."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    email: EmailText
    evse_no: Annotated[int, msgspec.Meta(ge=1, le=999)] | None = None
    amount: Money | None = None
    limits: LimitsView | None = None


class GuestSessionView(Shape):
    """`state`: awaiting_payment (send the guest to `redirect_url`) | not_paid (the card was refused; the page may take
    another) | refused (nothing is taken) | started (see `session`) | ended (so has the session, whether anything was
    delivered or not). `authorized` is the most that it costs; what was captured, released and refunded of it is with
    the `session`. `refusal_code` and, in a sentence for people, `refusal`: why it is not paid, or refused. `failure`:
    the provider's code for the latest card that was refused, while no other was taken. `guest_code` is told to who made
    the order alone."""

    session_id: str
    state: GuestOrderState | Literal["ended"]
    authorized: Money
    created_at: datetime
    redirect_url: str | None = None
    refusal: str | None = None
    refusal_code: str | None = None
    session: SessionView | None = None
    payment_state: str | None = None
    failure: str | None = None
    guest_code: str | None = None


class GuestChargerView(DriverChargerView):
    """`may_start`: whoever pays by card may charge here now. `start_refusal`: the code of the error that an order would
    be answered, at the connector of the code, or at all of them (busy, offline, not public, no price, nobody takes
    payments); null: nothing is in the way. `price`: null where no tariff applies. `authorized` is what is reserved on
    the card where no amount is named; `least` to `most` may be named."""

    price: ChargingPrice | None
    authorized: Money | None
    least: Money | None
    most: Money | None
    start_refusal: str | None


@api.get("/v1/guest/chargers/{code}")
def get_guest_charger(req: Request, code: str) -> GuestChargerView:
    """A charger by the code on its label, with the whole price, for who has no account."""
    charger, location, evse_no = find_charger(req.ctx, code)
    price = find_price(req.ctx, charger)
    refusal = guests.refusal_of_order(req.uow, charger, evse_no, price)
    amounts = None if price is None else guests.amounts_at(req.ctx, charger, price)
    view = driver_charger_view(req.ctx, charger, location, evse_no, may_start=refusal is None)
    return GuestChargerView(
        **{name: getattr(view, name) for name in DriverChargerView.__struct_fields__},
        price=None if price is None else charging_price(price, req.ctx.now(), location.time_zone),
        authorized=amounts.hold if amounts else None,
        least=amounts.least if amounts else None,
        most=amounts.most if amounts else None,
        start_refusal=refusal,
    )


@api.post("/v1/guest/chargers/{code}/quotes", status=200)
def quote_guest_charger(req: Request, code: str, body: DriverQuote) -> QuoteView:
    """What a charge there would cost: the same computation that bills it. 409 tariff.none where none applies."""
    charger, location, _ = find_charger(req.ctx, code)
    return quote_at(req.ctx, price_for(req.ctx, charger), location, body)


@api.post("/v1/guest/sessions", idempotency_key=True)
def start_guest_session(req: Request, body: GuestSessionRequest) -> GuestSessionView:
    """Ask for a charge as a guest: answers with the page to pay on.

    The card is only authorised there; what the charge costs is taken at its end, and the rest let go. When the provider
    does not answer (503), the same request with the same key (16 characters or more) goes on where this one stopped.
    """
    claim = req.claim
    if claim is None or len(claim.idempotency_key) < LEAST_KEY_LENGTH:
        raise invalid("idempotency.key_short", f"The Idempotency-Key has {LEAST_KEY_LENGTH} characters or more.")
    charger, _, coded_evse_no = find_charger(req.ctx, body.code)
    evse_no = coded_evse_no or body.evse_no or charger.only_evse_no
    if not evse_no:
        raise invalid("connector.missing", "Name the connector: evse_no.", "/evse_no")
    session_id = derived_id(
        "ses", claim.first_claimed_at, "guest", charger.charger_id, body.email, claim.idempotency_key
    )
    if guests.find_order(req.ctx, session_id) is None:
        _count_order(req)
    order, payment = guests.order_charge(
        req.uow,
        session_id=session_id,
        payment_id=derived_id("pay", claim.first_claimed_at, session_id),
        charger_id=charger.charger_id,
        evse_no=evse_no,
        email=check_email(body.email),
        amount=body.amount,
        limits=views.limits_of(body.limits),
    )
    uow = req.commit_first()
    payment = payments.open_checkout(uow, payment_provider(req.ctx, payment.provider), payment)
    error = opening_error(payment)
    if error is not None:
        req.commit_first()  # that the provider refused, or was silent, is a fact to keep
        raise error
    return _view(req, order, payment, guest_code=guests.guest_code(req.ctx, session_id))


@api.get("/v1/guest/sessions/{session_id}")
def get_guest_session(req: Request, session_id: str) -> GuestSessionView:
    """My charge, live, with the header `guest-code`."""
    order = _mine(req, session_id)
    return _view(req, order, payments.require_payment(req.ctx, order.payment_id))


@api.post("/v1/guest/sessions/{session_id}/stop", status=202)
def stop_guest_session(req: Request, session_id: str) -> GuestSessionView:
    """Stop my charge, with the header `guest-code`.

    It needs no Idempotency-Key: the session's own state is the guard, and asked once more, or of one that is over, it
    changes nothing.
    """
    order = _mine(req, session_id)
    session = lookup.find_session(req.ctx, session_id)
    if session is None:
        raise conflict("charging_session.not_started", "Nothing was started yet.")
    after = service.cancel_or_stop(req.uow, session, requested_by=session_id)
    return _view_with(req, order, payments.require_payment(req.ctx, order.payment_id), after)


@api.get("/v1/guest/sessions/{session_id}/meter-values")
def list_guest_meter_values(req: Request, session_id: str, query: CurveQuery) -> CurveView:
    """How my charge went, with the header `guest-code`: for a chart."""
    _mine(req, session_id)
    return session_curve(req.ctx, lookup.require_session(req.ctx, session_id), query.points)


@api.get("/v1/guest/sessions/{session_id}/cdr")
def get_guest_cdr(req: Request, session_id: str) -> CdrView:
    """What my charge cost, line by line, with the header `guest-code`. 404 cdr.not_found until it has ended."""
    _mine(req, session_id)
    return views.valid_cdr_view(req.ctx, session_id)


@api.get("/v1/guest/sessions/{session_id}/receipt")
def get_guest_receipt(req: Request, session_id: str) -> Answer:
    """The receipt of my charge as PDF, with the header `guest-code`."""
    _mine(req, session_id)
    return receipt(req.ctx, lookup.require_session(req.ctx, session_id))


def _count_order(req: Request) -> None:
    """An order opens a page at the provider: raises auth.too_many_attempts (429) for who opens many."""
    where = network_of(req.actor.source_ip or "unknown")
    identity.count_attempt(req.ctx, f"guest_orders#{where}", MAX_ORDERS_PER_IP, ORDERS_WINDOW)


def _mine(req: Request, session_id: str) -> GuestOrder:
    guests.check_guest_code(req.ctx, session_id, req.headers.get(CODE_HEADER, ""))
    return guests.require_order(req.ctx, session_id)


def _view(req: Request, order: GuestOrder, payment: Payment, guest_code: str | None = None) -> GuestSessionView:
    session = lookup.find_session(req.ctx, order.session_id) if order.state == "started" else None
    return _view_with(req, order, payment, session, guest_code)


def _view_with(
    req: Request,
    order: GuestOrder,
    payment: Payment,
    session: ChargingSession | None,
    guest_code: str | None = None,
) -> GuestSessionView:
    return GuestSessionView(
        session_id=order.session_id,
        state="ended" if session is not None and not session.is_open else order.state,
        authorized=order.amount,
        created_at=order.created_at,
        redirect_url=payment.redirect_url if order.awaits_payment and payment.is_unresolved else None,
        refusal=order.refusal,
        refusal_code=order.refusal_code,
        session=None if session is None else _session_view(req, session),
        payment_state=payment.state,
        failure=payment.failure if order.awaits_payment else None,
        guest_code=guest_code,
    )


def _session_view(req: Request, session: ChargingSession) -> SessionView:
    reading = views.latest_reading(req.ctx, session)
    service.ask_for_fresh_values(req.ctx, session, reading)
    return views.session_with(req.ctx, session, reading)
