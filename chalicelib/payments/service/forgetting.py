"""Guests' payments of long ago, and what of them tells who paid. Called by charging, which knows when that is.

Amounts, references and fees stay: they are the books. The page's address goes with the e-mail address, which it may
show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.context import Context
from chalicelib.kernel.spans import id_span
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments.model import Payment
from chalicelib.payments.service.listing import require_payment
from chalicelib.payments.service.saving import save
from chalicelib.payments.store import PAYMENTS, PaymentRow


def guest_payments(ctx: Context, operator_id: str, date_from: datetime | None, date_to: datetime) -> Iterator[Payment]:
    """Those made at an operator's chargers from `date_from` until before `date_to`, oldest first, in bounded memory."""
    span = id_span("pay", (date_from, date_to))
    if span is None:
        return
    made = PaymentRow.payment_id.between(*span)
    for payment, _ in PAYMENTS.walk(ctx, operator_id, made, index=PaymentRow.by_operator):
        if payment.purpose == "guest":
            yield payment


def forget_payer(uow: UnitOfWork, payment_id: str) -> Payment:
    """Raises payment.not_found."""
    payment = require_payment(uow.ctx, payment_id)
    return save(uow, payment, replace(payment, payer_email=None, redirect_url=None))
