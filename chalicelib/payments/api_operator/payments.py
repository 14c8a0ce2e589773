"""Payments as the backoffice reads them. The platform's people see all; an operator what guests paid at its chargers.

Top-ups are the platform's: drivers pay the platform. Who works at some places only sees none. Refunds are asked for
above, by what was paid for; here they are read, and tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.identity.scope import OperatorPageQuery, check_works_everywhere, listed_operator, may_see
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Moment, PageQuery, PageView, Request, Shape, check_moment, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page
from chalicelib.payments import service
from chalicelib.payments.api_operator.common import api
from chalicelib.payments.model import CaptureMode, Payment, PaymentState, Purpose, Refund

SHOWN_REFUNDS = 100
_DAY = timedelta(days=1)


class PaymentQuery(OperatorPageQuery):
    """`day` is one UTC day, `date_from` inclusive and `date_to` exclusive a stretch of time. The platform's people who
    name neither these nor a payer nor an operator see today's, and at most 92 days at once."""

    payer_id: str | None = None
    day: date | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    state: PaymentState | None = None
    purpose: Purpose | None = None
    method: str | None = None
    location_id: str | None = None
    charger_id: str | None = None


class PaymentView(Shape):
    """`authorized` is reserved on the payer's card; `captured` (also `gross`), `fee` (also `commission`: what the
    provider keeps), `net` and `method` are there once it is paid and the provider told. `vat` is contained in `gross`,
    where something was delivered for it. `refunded` was paid back or is on its way, `refundable` what still may be.
    `failure` is the provider's code. `payer_country` is the card's, the charger's country and state are the site's."""

    payment_id: str
    state: PaymentState
    provider: str
    purpose: str
    purpose_id: str
    payer_id: str
    amount: Money
    currency: str
    capture: CaptureMode
    created_at: datetime
    changed_at: datetime
    authorized: Money | None
    authorization_expires_at: datetime | None
    captured: Money | None
    fee: Money | None
    gross: Money | None
    commission: Money | None
    net: Money | None
    vat: Money | None
    refunded: Money
    refundable: Money
    method: str | None
    payer_country: str | None
    operator_id: str | None
    charger_id: str | None
    location_id: str | None
    charger_country: str | None
    charger_state: str | None
    provider_ref: str | None
    payment_ref: str | None
    failure: str | None


class RefundView(Shape):
    """`state`: requested (the provider has not answered), pending (on its way), succeeded, failed."""

    refund_id: str
    payment_id: str
    state: str
    amount: Money
    reason: str
    requested_by: str
    requested_at: datetime
    changed_at: datetime
    refund_ref: str | None
    failure: str | None


class PaymentDetail(PaymentView):
    """With its refunds, newest first, at most 100."""

    refunds: list[RefundView]


@api.get("/v1/payments", "payments:read")
def list_payments(req: Request, query: PaymentQuery) -> PageView[PaymentView]:
    """Payments, newest first."""
    check_works_everywhere(req)
    page = _of_all(req, query) if req.actor.is_platform and query.operator_id is None else _of_operator(req, query)
    return page_view(page, _view)


@api.get("/v1/payments/{payment_id}", "payments:read")
def get_payment(req: Request, payment_id: str) -> PaymentDetail:
    """One payment with what the provider says of it."""
    payment = _visible(req, payment_id)
    refunds = service.list_refunds(req.ctx, payment_id, limit=SHOWN_REFUNDS).data
    return PaymentDetail(**_values(payment), refunds=[_refund_view(refund) for refund in refunds])


@api.get("/v1/payments/{payment_id}/refunds", "payments:read")
def list_payment_refunds(req: Request, payment_id: str, query: PageQuery) -> PageView[RefundView]:
    """What of a payment went back to its payer, newest first."""
    payment = _visible(req, payment_id)
    page = service.list_refunds(req.ctx, payment.payment_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, _refund_view)


@api.post(
    "/v1/payments/{payment_id}/refunds/{refund_id}/retry",
    permission="payments:refund",
    status=202,
    idempotency_key=True,
)
def retry_refund(req: Request, payment_id: str, refund_id: str) -> RefundView:
    """Try a guest's refund that failed again. One into a wallet is there again: ask for a new one."""
    payment = _visible(req, payment_id)
    before = service.require_refund(req.ctx, payment_id, refund_id)
    after = service.retry_refund(req.uow, payment_id, refund_id)
    req.audit("refund", refund_id, owner_id=payment.operator_id, before=_refund_view(before), after=_refund_view(after))
    return _refund_view(after)


def _of_operator(req: Request, query: PaymentQuery) -> Page[Payment]:
    date_from, date_to = _span(query)
    return service.list_of_operator(
        req.ctx,
        listed_operator(req, query.operator_id),
        date_from=date_from,
        date_to=date_to,
        keep=_filter(query),
        limit=query.limit,
        cursor=query.cursor,
    )


def _of_all(req: Request, query: PaymentQuery) -> Page[Payment]:
    date_from, date_to = _span(query)
    if query.payer_id is not None:
        return service.list_of_payer(
            req.ctx,
            query.payer_id,
            keep=_filter(query, date_from, date_to),
            limit=query.limit,
            cursor=query.cursor,
        )
    end = date_to or max(req.ctx.now(), date_from or req.ctx.now()) + _DAY
    begin = date_from or _begin_of(req.ctx.now() if date_to is None else date_to - timedelta(microseconds=1))
    if (end - begin) > service.MAX_DAYS * _DAY:
        raise invalid("payments.range_too_long", f"At most {service.MAX_DAYS} days at once.", "/date_from")
    return service.list_of_days(req.ctx, begin, end, keep=_filter(query), limit=query.limit, cursor=query.cursor)


def _span(query: PaymentQuery) -> tuple[datetime | None, datetime | None]:
    if query.day is not None:
        begin = check_moment(datetime.combine(query.day, datetime.min.time(), UTC), "/day")
        return begin, begin + _DAY
    date_from = None if query.date_from is None else check_moment(query.date_from, "/date_from")
    date_to = None if query.date_to is None else check_moment(query.date_to, "/date_to")
    return date_from, date_to


def _begin_of(moment: datetime) -> datetime:
    """Of its UTC day."""
    return datetime.combine(moment.astimezone(UTC).date(), datetime.min.time(), UTC)


def _filter(
    query: PaymentQuery, date_from: datetime | None = None, date_to: datetime | None = None
) -> Callable[[Payment], bool]:
    wanted = {
        name: value
        for name in ("payer_id", "state", "purpose", "method")
        if (value := getattr(query, name)) is not None
    }
    places = {name: value for name in ("location_id", "charger_id") if (value := getattr(query, name)) is not None}

    def keep(payment: Payment) -> bool:
        return (
            all(getattr(payment, name) == value for name, value in wanted.items())
            and all(payment.site and getattr(payment.site, name) == value for name, value in places.items())
            and (date_from is None or payment.created_at >= date_from)
            and (date_to is None or payment.created_at < date_to)
        )

    return keep


def _visible(req: Request, payment_id: str) -> Payment:
    """Another organisation's payment is answered like one that is not there."""
    check_works_everywhere(req)
    payment = service.find_payment(req.ctx, payment_id)
    if payment is None or not may_see(req, payment.operator_id):
        raise not_found("payment", payment_id)
    return payment


def _view(payment: Payment) -> PaymentView:
    return PaymentView(**_values(payment))


def _values(payment: Payment) -> dict[str, Any]:
    same_currency = payment.captured and payment.fee and payment.captured.currency == payment.fee.currency
    site = payment.site
    own = (
        *("payment_id", "state", "provider", "purpose", "purpose_id", "payer_id", "amount", "capture"),
        *("created_at", "changed_at", "authorized", "authorization_expires_at", "captured", "fee", "method"),
        *("provider_ref", "payment_ref", "failure", "refundable", "operator_id"),
    )
    return {name: getattr(payment, name) for name in own} | {
        "currency": payment.amount.currency,
        "gross": payment.captured,
        "commission": payment.fee,
        "net": payment.captured - payment.fee if same_currency and payment.captured and payment.fee else None,
        "vat": payment.tax,
        "refunded": payment.refunded or Money.zero(payment.amount.currency),
        "payer_country": payment.country,
        "charger_id": site.charger_id if site else None,
        "location_id": site.location_id if site else None,
        "charger_country": site.country if site else None,
        "charger_state": site.state if site else None,
    }


def _refund_view(refund: Refund) -> RefundView:
    return RefundView(**{name: getattr(refund, name) for name in RefundView.__struct_fields__})
