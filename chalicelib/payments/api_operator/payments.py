"""One payment as the backoffice reads it, and how a list of them is picked. The platform's people see all; an operator
what guests paid at its chargers, and what drivers paid for its top-up packages.

Top-ups are the platform's: drivers pay the platform, and may spend it at all operators. Who gives a bonus for one sees
it, and does nothing with it. Who works at some places only sees none. The list itself stands
above (`charging/api_operator_payments.py`), which knows groups of chargers. Refunds are asked for above, by what was
paid for; here they are read, and tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from chalicelib.identity.scope import check_works_everywhere, listed_operator, may_see
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Moment, PageQuery, PageView, Request, Shape, check_moment, check_span, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page
from chalicelib.kernel.spans import Span
from chalicelib.payments import service
from chalicelib.payments.api_operator.common import api
from chalicelib.payments.api_operator.disputes import DisputeView, dispute_view
from chalicelib.payments.model import CaptureMode, PaidBack, Payment, PaymentState, Purpose, Refund

SHOWN_REFUNDS = 100
_DAY = timedelta(days=1)


class PaymentFilter(Shape):
    """`day` is one UTC day, `date_from` inclusive and `date_to` exclusive a stretch of time. The platform's people who
    name neither these nor a payer nor an operator see today's, and at most 92 days at once. `charger_group_id`: paid
    for at a charger that is now in this group of the operator's, or below it."""

    operator_id: str | None = None
    payer_id: str | None = None
    day: date | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    state: PaymentState | None = None
    purpose: Purpose | None = None
    method: str | None = None
    currency: str | None = None
    location_id: str | None = None
    charger_id: str | None = None
    charger_group_id: str | None = None
    charger_country: str | None = None
    charger_state: str | None = None
    disputed: bool | None = None
    paid_back: PaidBack | None = None


class PaymentView(Shape):
    """`authorized` is reserved on the payer's card; `gross` (what was captured), `fee` (the provider's commission),
    `net` = `gross` - `refunded` - `fee` and `method` are there once it is paid and the provider told. `refunded` was
    paid back or is on its way (`paid_back`: none, partial, full), `refundable` what still may be. `vat` is contained in
    what is left of `gross`, where something was delivered for it. `operator_id`: whose charger it was paid at, or whose
    top-up package was bought.
    `disputed`: the payer's bank has taken it back, or is about to. `failure` is the provider's code. `payer_country` is
    the card's, the charger's country and state are the site's."""

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
    gross: Money | None
    fee: Money | None
    net: Money | None
    vat: Money | None
    refunded: Money
    paid_back: PaidBack
    refundable: Money
    disputed: bool
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
    """With its refunds, newest first, at most 100, and its disputes, oldest first."""

    refunds: list[RefundView]
    disputes: list[DisputeView]


@api.get("/v1/payments/{payment_id}", "payments:read")
def get_payment(req: Request, payment_id: str) -> PaymentDetail:
    """One payment with what the provider says of it."""
    payment = _visible(req, payment_id)
    refunds = service.list_refunds(req.ctx, payment_id, limit=SHOWN_REFUNDS).data
    return PaymentDetail(
        **_values(payment),
        refunds=[refund_view(refund) for refund in refunds],
        disputes=[dispute_view(dispute) for dispute in service.disputes_of(req.ctx, payment)],
    )


@api.get("/v1/payments/{payment_id}/refunds", "payments:read")
def list_payment_refunds(req: Request, payment_id: str, query: PageQuery) -> PageView[RefundView]:
    """What of a payment went back to its payer, newest first."""
    payment = _visible(req, payment_id)
    page = service.list_refunds(req.ctx, payment.payment_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, refund_view)


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
    req.audit("refund", refund_id, owner_id=payment.operator_id, before=refund_view(before), after=refund_view(after))
    return refund_view(after)


def page_of_payments(
    req: Request,
    query: PaymentFilter,
    *,
    charger_ids: frozenset[str] | None,
    first: Callable[[Payment], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Payment]:
    """Payments that are wanted, newest first. `charger_ids`: those of the group that the query names, None where it
    names none. `first` is asked about every payment that is looked at, before the filters are.

    Raises forbidden, organization.not_found, payments.range_too_long, moment.distant.
    """
    check_works_everywhere(req)
    date_from, date_to = _span(query)
    if query.operator_id is not None or not req.actor.is_platform:
        return service.list_of_operator(
            req.ctx,
            listed_operator(req, query.operator_id),
            date_from=date_from,
            date_to=date_to,
            keep=_filter(query, charger_ids, first),
            limit=limit,
            cursor=cursor,
        )
    if query.payer_id is not None:
        keep = _filter(query, charger_ids, first, (date_from, date_to))
        return service.list_of_payer(req.ctx, query.payer_id, keep=keep, limit=limit, cursor=cursor)
    end = date_to or max(req.ctx.now(), date_from or req.ctx.now()) + _DAY
    begin = date_from or _begin_of(req.ctx.now() if date_to is None else date_to - timedelta(microseconds=1))
    if (end - begin) > service.MAX_DAYS * _DAY:
        raise invalid("payments.range_too_long", f"At most {service.MAX_DAYS} days at once.", "/date_from")
    keep = _filter(query, charger_ids, first)
    return service.list_of_days(req.ctx, begin, end, keep=keep, limit=limit, cursor=cursor)


def _span(query: PaymentFilter) -> Span:
    if query.day is not None:
        begin = check_moment(datetime.combine(query.day, datetime.min.time(), UTC), "/day")
        return begin, begin + _DAY
    return check_span(query.date_from, query.date_to)


def _begin_of(moment: datetime) -> datetime:
    """Of its UTC day."""
    return datetime.combine(moment.astimezone(UTC).date(), datetime.min.time(), UTC)


_OF_PAYMENT: Final = ("payer_id", "state", "purpose", "method", "paid_back")
_OF_SITE: Final = (
    ("location_id", "location_id"),
    ("charger_id", "charger_id"),
    ("charger_country", "country"),
    ("charger_state", "state"),
)
"""Filters by where it was paid for, and what they are called there."""


def _filter(
    query: PaymentFilter,
    charger_ids: frozenset[str] | None,
    first: Callable[[Payment], bool] | None,
    span: Span = (None, None),
) -> Callable[[Payment], bool]:
    wanted = {name: value for name in _OF_PAYMENT if (value := getattr(query, name)) is not None}
    places = {of_site: value for name, of_site in _OF_SITE if (value := getattr(query, name)) is not None}
    date_from, date_to = span

    def keep(payment: Payment) -> bool:
        site = payment.site
        return (
            (first is None or first(payment))
            and all(getattr(payment, name) == value for name, value in wanted.items())
            and query.currency in (None, payment.amount.currency)
            and all(site and getattr(site, name) == value for name, value in places.items())
            and (charger_ids is None or (site is not None and site.charger_id in charger_ids))
            and query.disputed in (None, payment.is_disputed)
            and (date_from is None or payment.created_at >= date_from)
            and (date_to is None or payment.created_at < date_to)
        )

    return keep


def _visible(req: Request, payment_id: str) -> Payment:
    """Another organisation's payment is answered like one that is not there."""
    check_works_everywhere(req)
    payment = service.find_payment(req.ctx, payment_id)
    if payment is None or not may_see(req, payment.listed_for):
        raise not_found("payment", payment_id)
    return payment


def payment_view(payment: Payment) -> PaymentView:
    return PaymentView(**_values(payment))


def _values(payment: Payment) -> dict[str, Any]:
    site = payment.site
    own = (
        *("payment_id", "state", "provider", "purpose", "purpose_id", "payer_id", "amount", "capture"),
        *("created_at", "changed_at", "authorized", "authorization_expires_at", "fee", "net", "method"),
        *("provider_ref", "payment_ref", "failure", "refundable", "paid_back"),
    )
    return {name: getattr(payment, name) for name in own} | {
        "currency": payment.amount.currency,
        "operator_id": payment.listed_for,
        "gross": payment.captured,
        "vat": payment.tax,
        "disputed": payment.is_disputed,
        "refunded": payment.refunded or Money.zero(payment.amount.currency),
        "payer_country": payment.country,
        "charger_id": site.charger_id if site else None,
        "location_id": site.location_id if site else None,
        "charger_country": site.country if site else None,
        "charger_state": site.state if site else None,
    }


def refund_view(refund: Refund) -> RefundView:
    return RefundView(**{name: getattr(refund, name) for name in RefundView.__struct_fields__})
