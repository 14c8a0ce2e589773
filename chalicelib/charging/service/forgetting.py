"""Who a guest was is forgotten some time after the charge: the e-mail address on the order and on the payment, and the
mails to it. What was charged and paid stays on record, without a name.

Called by the job `forget-guests`. Invariants: a guest is forgotten by one commit; an operator's mark says up to which
moment nobody is left, and only grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from chalicelib.charging.model.guests import GuestsForgotten
from chalicelib.charging.service.guests import find_order
from chalicelib.charging.store.guests import GUEST_ORDERS, GUESTS_FORGOTTEN, GuestOrderRow, forgotten_key
from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.notifications import service as notifications
from chalicelib.payments import service as payments
from chalicelib.payments.model import AUTHORIZATION_LIFETIME, Payment

MAX_REFUND_MAILS: Final = 50
"""Of one payment: a session is corrected less often."""


def forget_before(ctx: Context, operator_id: str) -> datetime:
    """Guests who ordered before this moment are to be forgotten: the longest charge that a card can pay is over then
    for as long as the operator says."""
    kept = timedelta(days=identity.guests_of(ctx, operator_id).keep_days)
    return ctx.now() - kept - AUTHORIZATION_LIFETIME


def guests_to_forget(ctx: Context, operator_id: str, before: datetime) -> Iterator[Payment]:
    """By their payments, oldest first, from the operator's mark on."""
    mark = GUESTS_FORGOTTEN.get(ctx, *forgotten_key(operator_id))
    return payments.guest_payments(ctx, operator_id, None if mark is None else mark.before, before)


def forget_guest(uow: UnitOfWork, session_id: str, payment_id: str) -> bool:
    """False where that was done already."""
    order = find_order(uow.ctx, session_id)
    if order is not None and order.email:
        uow.put(
            GUEST_ORDERS,
            replace(order, email=""),
            condition=GuestOrderRow.state == order.state,
            on_conflict=StaleRead("The guest's order"),
        )
        for template in ("guest_receipt", "guest_refused"):
            notifications.forget_mail(uow, f"{template}:{session_id}")
        for refund in payments.list_refunds(uow.ctx, payment_id, limit=MAX_REFUND_MAILS).data:
            notifications.forget_mail(uow, f"guest_refunded:{refund.refund_id}")
    payments.forget_payer(uow, payment_id)
    return bool(uow.writes)


def mark_forgotten(uow: UnitOfWork, operator_id: str, before: datetime) -> None:
    """Nobody who ordered before is left. An earlier mark than the one that there is changes nothing."""
    mark = GUESTS_FORGOTTEN.get(uow.ctx, *forgotten_key(operator_id))
    if mark is None or mark.before < before:
        uow.put(GUESTS_FORGOTTEN, GuestsForgotten(operator_id, before))
