"""Guests' payments and what follows: consumers of the events of payments whose purpose is `guest`.

Events come at least once and in any order: the order's state, or the CDR, in the same commit as the effect, decides.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.charging.service import guests
from chalicelib.charging.service.correcting import write_off
from chalicelib.charging.service.requesting import cancel_or_stop
from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.notifications import service as notifications
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment

PURPOSE = "guest"
_REFUSALS = (Kind.CONFLICT, Kind.NOT_FOUND, Kind.UNPROCESSABLE)
"""What stands against a start, unlike trouble of ours, after which the event is delivered again."""


def on_payment_authorized(ctx: Context, event: Event) -> None:
    """The card is good: the charge begins; where it cannot any more, the money is let go."""
    payment = _guest_payment(ctx, event)
    if payment is None:
        return
    session_id = payment.purpose_id
    try:
        decide_and_commit(ctx, partial(guests.start_order, session_id=session_id))
    except StaleRead:
        raise
    except DomainError as refusal:
        if refusal.kind not in _REFUSALS:
            raise
        decide_and_commit(ctx, partial(guests.refuse_order, session_id=session_id, why=refusal.detail))


def on_authorization_ending(ctx: Context, event: Event) -> None:
    """What is reserved on the card lapses soon: a charge that still runs is ended while it can be paid, and an order
    from which nothing began is over."""
    payment = _guest_payment(ctx, event)
    if payment is None:
        return

    def decide(uow: UnitOfWork) -> None:
        session = lookup.find_session(ctx, payment.purpose_id)
        if session is None:
            guests.refuse_order(uow, payment.purpose_id, "The reservation on your card has run out.")
        elif session.is_open:
            cancel_or_stop(uow, session, requested_by="authorization_ending")

    decide_and_commit(ctx, decide)


def on_payment_failed(ctx: Context, event: Event) -> None:
    """The card was refused, or nobody paid before the page ran out."""
    payment = _guest_payment(ctx, event)
    if payment is not None:
        why = payment.failure or payment.state
        decide_and_commit(ctx, partial(guests.fail_order, session_id=payment.purpose_id, why=why))


def on_payment_captured(ctx: Context, event: Event) -> None:
    """The card has paid: the guest gets the receipt."""
    payment = _guest_payment(ctx, event)
    if payment is None:
        return
    session = lookup.require_session(ctx, payment.purpose_id)
    order, cdr = guests.require_order(ctx, session.session_id), lookup.find_cdr(ctx, session.session_id)
    if cdr is not None:
        decide_and_commit(ctx, partial(_queue_receipt, order=order, session=session, cdr=cdr))


def on_payment_released(ctx: Context, event: Event) -> None:
    """Nothing was taken: the guest is told why."""
    payment = _guest_payment(ctx, event)
    if payment is not None:
        order = guests.require_order(ctx, payment.purpose_id)
        decide_and_commit(ctx, partial(_queue_refusal, order=order))


def on_capture_failed(ctx: Context, event: Event) -> None:
    """The provider will not pay what the session has cost: its income is taken back, by a credit CDR."""
    payment = _guest_payment(ctx, event)
    if payment is not None:
        decide_and_commit(ctx, partial(write_off, session_id=payment.purpose_id, payment_id=payment.payment_id))


def _guest_payment(ctx: Context, event: Event) -> Payment | None:
    if event.payload["purpose"] != PURPOSE:
        return None
    return payments.require_payment(ctx, event.payload["payment_id"])


def _queue_receipt(uow: UnitOfWork, *, order: GuestOrder, session: ChargingSession, cdr: Cdr) -> None:
    ctx = uow.ctx
    operator = identity.get_organization(ctx, session.operator_id)
    location = chargers.get_location(ctx, session.location_id) if session.location_id else None
    released = order.amount - cdr.captured
    notifications.queue_mail(
        uow,
        dedupe_key=f"guest_receipt:{session.session_id}",
        to=order.email,
        template="guest_receipt",
        sender=identity.mail_sender(ctx, operator),
        data={
            "order_no": session.order_no,
            "charger": session.charger_id,
            "location": "" if location is None else f"{location.name}, {location.address}, {location.city}",
            "operator": operator.name,
            "started": f"{cdr.started_at.astimezone(ZoneInfo(session.time_zone)):%Y-%m-%d %H:%M} ({session.time_zone})",
            "duration": str(timedelta(seconds=int((cdr.ended_at - cdr.started_at).total_seconds()))),
            "energy_kwh": f"{cdr.energy_wh / 1000:.3f}",
            "cost": str(cdr.captured),
            "tax": str(cdr.captured_tax) if cdr.captured_tax and cdr.captured_tax.amount else "",
            "released": str(released) if released.amount else "",
        },
    )


def _queue_refusal(uow: UnitOfWork, *, order: GuestOrder) -> None:
    operator = identity.get_organization(uow.ctx, order.operator_id)
    notifications.queue_mail(
        uow,
        dedupe_key=f"guest_refused:{order.session_id}",
        to=order.email,
        template="guest_refused",
        sender=identity.mail_sender(uow.ctx, operator),
        data={"charger": order.charger_id, "why": order.refusal or "", "reserved": str(order.amount)},
    )
