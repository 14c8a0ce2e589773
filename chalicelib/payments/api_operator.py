"""The platform's view of payments. Operators have no part in them: drivers pay the platform."""

from __future__ import annotations

from datetime import date, datetime

from chalicelib.kernel.errors import forbidden
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.payments import service
from chalicelib.payments.model import Payment

api = Api("payments", "operator")


class PaymentQuery(PageQuery):
    """The payments of one payer, or of one UTC day (today by default)."""

    payer_id: str | None = None
    day: date | None = None


class PaymentView(Shape):
    """`captured`, `fee`, `net`, `method` once it is paid and the provider told; `failure` is the provider's code."""

    payment_id: str
    state: str
    provider: str
    purpose: str
    purpose_id: str
    payer_id: str
    amount: Money
    created_at: datetime
    changed_at: datetime
    captured: Money | None = None
    fee: Money | None = None
    net: Money | None = None
    method: str | None = None
    provider_ref: str | None = None
    payment_ref: str | None = None
    failure: str | None = None


@api.get("/v1/payments", "payments:read")
def list_payments(req: Request, query: PaymentQuery) -> PageView[PaymentView]:
    """Payments, newest first."""
    _require_platform(req)
    if query.payer_id is not None:
        page = service.list_of_payer(req.ctx, query.payer_id, limit=query.limit, cursor=query.cursor)
    else:
        day = query.day or req.ctx.now().date()
        page = service.list_of_day(req.ctx, day.isoformat(), limit=query.limit, cursor=query.cursor)
    return page_view(page, _view)


@api.get("/v1/payments/{payment_id}", "payments:read")
def get_payment(req: Request, payment_id: str) -> PaymentView:
    """One payment with what the provider says of it."""
    _require_platform(req)
    return _view(service.require_payment(req.ctx, payment_id))


def _require_platform(req: Request) -> None:
    if not req.actor.is_platform:
        raise forbidden("Payments are seen by the platform's people.")


def _view(payment: Payment) -> PaymentView:
    same_currency = payment.captured and payment.fee and payment.captured.currency == payment.fee.currency
    return PaymentView(
        payment_id=payment.payment_id,
        state=payment.state,
        provider=payment.provider,
        purpose=payment.purpose,
        purpose_id=payment.purpose_id,
        payer_id=payment.payer_id,
        amount=payment.amount,
        created_at=payment.created_at,
        changed_at=payment.changed_at,
        captured=payment.captured,
        fee=payment.fee,
        net=payment.captured - payment.fee if same_currency and payment.captured and payment.fee else None,
        method=payment.method,
        provider_ref=payment.provider_ref,
        payment_ref=payment.payment_ref,
        failure=payment.failure,
    )
