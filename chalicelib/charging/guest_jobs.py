"""Guests' payments and what follows: consumers of the events of payments whose purpose is `guest`; and the job that
forgets who guests were.

Events come at least once and in any order: the order's state, or the CDR, in the same commit as the effect, decides.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from chalice import Blueprint, Cron

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.charging.receipts import lines_in_words, seller_in_one_line
from chalicelib.charging.service import forgetting, guests
from chalicelib.charging.service.correcting import write_off, write_off_disputed
from chalicelib.charging.service.requesting import cancel_or_stop
from chalicelib.identity import service as identity
from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.ids import moment_of
from chalicelib.kernel.log import logger
from chalicelib.kernel.money import Money
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.notifications import service as notifications
from chalicelib.notifications.model import Enclosure
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment, Refund

jobs = Blueprint(__name__)

PURPOSE = "guest"
MOST_FORGOTTEN = 1_000
"""Of an operator's guests in one run of the job; the next one goes on."""
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
        code, why = refusal.code, refusal.detail
        decide_and_commit(ctx, partial(guests.refuse_order, session_id=session_id, code=code, why=why))


def on_authorization_ending(ctx: Context, event: Event) -> None:
    """What is reserved on the card lapses soon: a charge that still runs is ended while it can be paid, and an order
    from which nothing began is over."""
    payment = _guest_payment(ctx, event)
    if payment is None:
        return

    def decide(uow: UnitOfWork) -> None:
        session = lookup.find_session(ctx, payment.purpose_id)
        if session is None:
            why = "The reservation on your card has run out."
            guests.refuse_order(uow, payment.purpose_id, "payment.authorization_ended", why)
        elif session.is_open:
            cancel_or_stop(uow, session, requested_by="authorization_ending")

    decide_and_commit(ctx, decide)


def on_payment_failed(ctx: Context, event: Event) -> None:
    """The card was refused, or nobody paid before the page ran out."""
    payment = _guest_payment(ctx, event)
    if payment is not None:
        decide_and_commit(ctx, partial(guests.fail_order, session_id=payment.purpose_id, payment_state=payment.state))


def on_payment_captured(ctx: Context, event: Event) -> None:
    """The card has paid: the guest gets the receipt."""
    payment = _guest_payment(ctx, event)
    if payment is None:
        return
    session = lookup.require_session(ctx, payment.purpose_id)
    order, cdr = guests.require_order(ctx, session.session_id), lookup.find_cdr(ctx, session.session_id)
    if cdr is not None and order.email:
        decide_and_commit(ctx, partial(_queue_receipt, order=order, session=session, cdr=cdr))


def on_payment_refunded(ctx: Context, event: Event) -> None:
    """The provider has paid something back: the guest is told, with the receipt as it is now."""
    payment = _guest_payment(ctx, event)
    if payment is None:
        return
    order = guests.require_order(ctx, payment.purpose_id)
    session = lookup.find_session(ctx, payment.purpose_id)
    if order.email and session is not None:
        refund = payments.require_refund(ctx, payment.payment_id, event.payload["refund_id"])
        decide_and_commit(ctx, partial(_queue_refunded, order=order, session=session, payment=payment, refund=refund))


def on_payment_released(ctx: Context, event: Event) -> None:
    """Nothing was taken: the guest is told why."""
    payment = _guest_payment(ctx, event)
    if payment is not None:
        order = guests.require_order(ctx, payment.purpose_id)
        if order.email:
            decide_and_commit(ctx, partial(_queue_refusal, order=order))


def on_capture_failed(ctx: Context, event: Event) -> None:
    """The provider will not pay what the session has cost: its income is taken back, by a credit CDR."""
    payment = _guest_payment(ctx, event)
    if payment is not None:
        decide_and_commit(ctx, partial(write_off, session_id=payment.purpose_id, payment_id=payment.payment_id))


def on_dispute_lost(ctx: Context, event: Event) -> None:
    """The payer's bank took back what the session has cost: the operator's income goes, by a credit CDR."""
    if event.payload["purpose"] == PURPOSE:
        decide_and_commit(ctx, partial(write_off_disputed, dispute_id=event.payload["dispute_id"]))


@jobs.schedule(Cron("25", "4", "*", "*", "?", "*"), name="forget-guests")
@task.entry
def forget_guests(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Forgets who the guests of long ago were. One guest's trouble does not stop the others: where it was, the next
    night begins."""
    done: Counter[str] = Counter()
    for operator in identity.list_operators(ctx):
        done += _forget_guests_of(ctx, operator.organization_id)
    if done["failed"]:
        raise RuntimeError(f"{done['failed']} guests not forgotten")
    return {"forgotten": done["forgotten"]}


def _forget_guests_of(ctx: Context, operator_id: str) -> Counter[str]:
    done: Counter[str] = Counter()
    before = reached = forgetting.forget_before(ctx, operator_id)
    for payment in islice(forgetting.guests_to_forget(ctx, operator_id, before), MOST_FORGOTTEN):
        done["seen"] += 1
        try:
            done["forgotten"] += decide_and_commit(
                ctx, partial(forgetting.forget_guest, session_id=payment.purpose_id, payment_id=payment.payment_id)
            )
        except Exception:
            done["failed"] += 1
            reached = min(reached, moment_of(payment.payment_id))
            logger.exception("guest not forgotten", extra={"payment_id": payment.payment_id})
    if done["seen"] == MOST_FORGOTTEN:
        reached = min(reached, moment_of(payment.payment_id))
    decide_and_commit(ctx, partial(forgetting.mark_forgotten, operator_id=operator_id, before=reached))
    return done


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
            "seller": seller_in_one_line(identity.invoicing_of(ctx, operator)) or operator.name,
            "started": f"{cdr.started_at.astimezone(ZoneInfo(session.time_zone)):%Y-%m-%d %H:%M} ({session.time_zone})",
            "duration": str(timedelta(seconds=int((cdr.ended_at - cdr.started_at).total_seconds()))),
            "energy_kwh": f"{cdr.energy_wh / 1000:.3f}",
            "lines": lines_in_words(cdr),
            "cost": str(cdr.captured),
            "tax": str(cdr.captured_tax) if cdr.captured_tax and cdr.captured_tax.amount else "",
            "released": str(released) if released.amount else "",
        },
        enclosures=[Enclosure("receipt", (session.session_id,))],
    )


def _queue_refunded(
    uow: UnitOfWork, *, order: GuestOrder, session: ChargingSession, payment: Payment, refund: Refund
) -> None:
    operator = identity.get_organization(uow.ctx, order.operator_id)
    nothing = Money.zero(refund.amount.currency)
    notifications.queue_mail(
        uow,
        dedupe_key=f"guest_refunded:{refund.refund_id}",
        to=order.email,
        template="guest_refunded",
        sender=identity.mail_sender(uow.ctx, operator),
        data={
            "order_no": session.order_no,
            "charger": session.charger_id,
            "seller": seller_in_one_line(identity.invoicing_of(uow.ctx, operator)) or operator.name,
            "amount": str(refund.amount),
            "refunded": str(payment.refunded or nothing),
            "cost": str(payment.kept or nothing),
            "tax": str(payment.tax) if payment.tax and payment.tax.amount else "",
        },
        enclosures=[Enclosure("receipt", (session.session_id,))],
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
