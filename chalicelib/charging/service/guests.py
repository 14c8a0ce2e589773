"""Guests: a charge paid by card without an account. Called by `api_public_guest` and the consumers of payments' events.

An order is made together with its payment; the session when the payment is authorised. Invariants: what was authorised
is either held by a session, or released in the commit that refuses it; one order makes one session; the price is the
one that the guest was shown.
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.model import ChargingSession, Limits
from chalicelib.charging.model.guests import (
    GUEST_ORDER_LIFECYCLE,
    ORDER_LIFETIME,
    GuestOrder,
    amount_to_authorize,
    why_not_paid,
)
from chalicelib.charging.service.authorizing import operator_of
from chalicelib.charging.service.pricing import check_can_be_paid, price_for
from chalicelib.charging.service.requesting import ask_charger_to_start, check_reachable, reserve_evse
from chalicelib.charging.service.reserving import reservation_in_the_way
from chalicelib.charging.store import session_pk
from chalicelib.charging.store.guests import GUEST_ORDER_SK, GUEST_ORDERS, GuestOrderRow
from chalicelib.charging.store.sessions import SESSIONS
from chalicelib.drivers.model import app_token
from chalicelib.identity import service as identity
from chalicelib.identity.model.settings import GuestAmounts
from chalicelib.identity.service.access_tokens import keyed_hash
from chalicelib.identity.service.regions import find_region
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, conflict, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment, PaymentSite
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import TariffVersion

NOBODY = ""
"""The driver id of who has none."""


def guest_code(ctx: Context, session_id: str) -> str:
    """What the guest has in hand: nobody can tell it from the session's id, and a repeated request gives it again."""
    return keyed_hash(ctx, "guest", session_id)


def check_guest_code(ctx: Context, session_id: str, code: str) -> None:
    """Raises charging_session.not_found: who has no code does not learn what there is."""
    if not hmac.compare_digest(guest_code(ctx, session_id).encode(), code.encode()):
        raise not_found("charging_session", session_id)


def order_charge(
    uow: UnitOfWork,
    *,
    session_id: str,
    payment_id: str,
    charger_id: str,
    evse_no: int,
    email: str,
    amount: Money | None,
    limits: Limits | None,
) -> tuple[GuestOrder, Payment]:
    """Makes an order and its payment, or finds those of these ids (a request that is tried again).

    Raises what a driver's request does where the charger cannot be used, charging_session.amount, tariff.none,
    payment_provider.missing.
    """
    ctx = uow.ctx
    known = find_order(ctx, session_id)
    if known is not None:
        return known, payments.require_payment(ctx, known.payment_id)
    charger = chargers.require_charger(ctx, charger_id)
    _check_usable(uow, charger, evse_no)
    tariff = price_for(ctx, charger)
    check_can_be_paid(ctx, tariff)
    authorized = amount_to_authorize(amount, amounts_at(ctx, charger, tariff))
    authorized = payments.expressible(ctx.settings.payment_provider, authorized)
    order = GuestOrder(
        session_id=session_id,
        payment_id=payment_id,
        operator_id=charger.operator_id,
        charger_id=charger.charger_id,
        evse_no=evse_no,
        email=email,
        amount=authorized,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff.version,
        state=GUEST_ORDER_LIFECYCLE.initial,
        created_at=ctx.now(),
        limits=limits,
    )
    payment = payments.create_payment(
        uow,
        payment_id=payment_id,
        purpose="guest",
        purpose_id=session_id,
        payer_id=f"guest:{session_id}",
        amount=authorized,
        description=f"Charging at {charger.name or charger.charger_id}",
        payer_email=email,
        capture="manual",
        site=_site(ctx, charger),
    )
    uow.create(GUEST_ORDERS, order)
    return order, payment


def amounts_at(ctx: Context, charger: Charger, tariff: TariffVersion) -> GuestAmounts:
    """What may be reserved on the card of a guest at this charger."""
    return identity.guest_amounts_of(ctx, operator_of(ctx, charger.operator_id), tariff.currency)


def refusal_of_order(uow: UnitOfWork, charger: Charger, evse_no: int | None, price: TariffVersion | None) -> str | None:
    """The code of the error that an order would be answered now, told before anybody types a card number; None:
    nothing is in the way. Without `evse_no` any connector will do. `price` is what applies."""
    evses = chargers.list_evses(uow.ctx, charger.charger_id)
    numbers = [evse.evse_no for evse in evses if evse.evse_no] if evse_no is None else [evse_no]
    refusals = [_refusal_at(uow, charger, number) for number in numbers] or ["evse.unknown"]
    if None not in refusals:
        return refusals[0]
    if price is None:
        return "tariff.none"
    return None if payments.is_configured(uow.ctx) else "payment_provider.missing"


def start_order(uow: UnitOfWork, session_id: str) -> ChargingSession | None:
    """The card is good: makes the session and tells the charger. None for an order that went on already.

    Raises what a driver's request does where the charger cannot be used any more: then `refuse_order`.
    """
    order = require_order(uow.ctx, session_id)
    if not order.awaits_payment:
        return None
    _move(uow, order, "authorized")
    session = _session_of(uow, order)
    uow.create(SESSIONS, session)
    reserve_evse(uow, session)
    ask_charger_to_start(uow, session, requested_by=session.session_id)
    return session


def refuse_order(uow: UnitOfWork, session_id: str, code: str, why: str) -> GuestOrder:
    """Nothing can be started: what is authorised is let go in the same commit. `why` is a sentence for people, `code`
    that of the error."""
    order = require_order(uow.ctx, session_id)
    if not order.awaits_payment:
        return order
    payments.request_release(uow, order.payment_id)
    return _move(uow, order, "refused", code, why)


def fail_order(uow: UnitOfWork, session_id: str, payment_state: str) -> GuestOrder:
    """The card was refused, or the page ran out. A card that is good after all starts the order still."""
    order = require_order(uow.ctx, session_id)
    return _move(uow, order, "failed", *why_not_paid(payment_state)) if order.state == "awaiting_payment" else order


def find_order(ctx: Context, session_id: str) -> GuestOrder | None:
    return GUEST_ORDERS.get(ctx, session_pk(session_id), GUEST_ORDER_SK)


def require_order(ctx: Context, session_id: str) -> GuestOrder:
    """Raises charging_session.not_found."""
    order = find_order(ctx, session_id)
    if order is None:
        raise not_found("charging_session", session_id)
    return order


def _check_usable(uow: UnitOfWork, charger: Charger, evse_no: int) -> None:
    reservation_in_the_way(uow, charger, evse_no, NOBODY)
    check_reachable(uow, charger, evse_no, NOBODY, reserved=False)
    place = lookup.look_at(uow.ctx, charger.charger_key, evse_no)
    if place.present is not None and place.present.has_evse:
        raise conflict("evse.busy", "Somebody is charging at this connector.")


def _refusal_at(uow: UnitOfWork, charger: Charger, evse_no: int) -> str | None:
    try:
        _check_usable(uow, charger, evse_no)
    except DomainError as error:
        return error.code
    return None


def _session_of(uow: UnitOfWork, order: GuestOrder) -> ChargingSession:
    ctx = uow.ctx
    now = ctx.now()
    if now - order.created_at > ORDER_LIFETIME:
        raise conflict("guest_order.late", "The payment was confirmed too late; please start again.")
    charger = chargers.require_charger(ctx, order.charger_id)
    _check_usable(uow, charger, order.evse_no)
    tariff = tariffs.get_version(ctx, order.tariff_id, order.tariff_version)
    location = chargers.get_location(ctx, charger.location_id) if charger.location_id else None
    operator = operator_of(ctx, charger.operator_id)
    if charger.operator_id != order.operator_id or tariff.currency != order.amount.currency:
        raise conflict("tariff.changed", "The price at this charger has changed; please start again.")
    return ChargingSession(
        session_id=order.session_id,
        state="requested",
        origin="guest",
        target="amount",
        operator_id=charger.operator_id,
        location_id=charger.location_id,
        charger_id=charger.charger_id,
        evse_no=order.evse_no,
        id_token=app_token(order.session_id),
        authorization="accepted",
        currency=tariff.currency,
        time_zone=location.time_zone if location else operator.time_zone,
        business_zone=operator.time_zone,
        created_at=now,
        held=order.amount.amount,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff.version,
        limits=order.limits,
        payment_id=order.payment_id,
        agency_id=location.agency_id if location else None,
    )


def _site(ctx: Context, charger: Charger) -> PaymentSite:
    location = chargers.get_location(ctx, charger.location_id) if charger.location_id else None
    region = find_region(ctx, location.region_id) if location and location.region_id else None
    return PaymentSite(
        operator_id=charger.operator_id,
        charger_id=charger.charger_id,
        location_id=charger.location_id,
        country=location.country if location else None,
        state=region.name if region else None,
    )


def _move(
    uow: UnitOfWork, order: GuestOrder, event: str, code: str | None = None, why: str | None = None
) -> GuestOrder:
    state = GUEST_ORDER_LIFECYCLE.next(order.state, event)
    moved = replace(order, state=state, refusal=why, refusal_code=code)
    uow.put(
        GUEST_ORDERS, moved, condition=GuestOrderRow.state == order.state, on_conflict=StaleRead("The guest's order")
    )
    return moved
