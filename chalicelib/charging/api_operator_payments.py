"""Payments in a list, and what a whole list comes to: all for the platform's people, for an operator what guests paid
at its chargers and drivers for its top-up packages, also by groups of chargers.

Here and not with the payments, because payments know no chargers. Sums are of all that the filters select, never of a
page: a selection that is too large to be summed at once is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import msgspec

from chalicelib.chargers import service as chargers
from chalicelib.chargers.scope import owned_group
from chalicelib.identity.scope import check_works_everywhere, listed_operator
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Api, Moment, PageView, Request, Shape, check_moment, page_view
from chalicelib.kernel.money import Money
from chalicelib.payments import service as payments
from chalicelib.payments.api_operator.payments import (
    PaymentFilter,
    PaymentView,
    RefundView,
    page_of_payments,
    payment_view,
    refund_view,
)
from chalicelib.payments.model import Payment, Refund
from chalicelib.payments.model.refunds import RefundStateName

api = Api("payments", "operator")

MAX_SUMMED = 10_000
"""Payments that one request looks at: a hundred round trips for their keys and a hundred for themselves, some two
seconds."""
_PAGE = 200


class PaymentQuery(PaymentFilter):
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class RefundQuery(PaymentQuery):
    """The filters of payments are of those that were paid back; `requested_from` inclusive and `requested_to` exclusive
    of the refunds themselves."""

    refund_state: RefundStateName | None = None
    requested_from: Moment | None = None
    requested_to: Moment | None = None


class ListedRefundView(RefundView):
    """With what the payment was for, and where."""

    purpose: str
    purpose_id: str
    payer_id: str
    operator_id: str | None
    charger_id: str | None
    location_id: str | None


class PaymentTotalView(Shape):
    """Of one currency. `count` are all payments of the selection, `paid_count` those of which money was taken: these
    come to `gross`. `refunded` of it was paid back, or is on its way, and `vat` is in what is left. `net` = `gross` -
    `refunded` - `fee`; of `fee_missing_count` of them the provider has not told its fee yet, or told it in another
    currency."""

    currency: str
    count: int
    paid_count: int
    gross: Money
    fee: Money
    net: Money
    vat: Money
    refunded: Money
    fee_missing_count: int


class PaymentTotalsView(Shape):
    """One line per currency; none where the filters select nothing."""

    totals: list[PaymentTotalView]


@dataclass
class PaymentSum:
    count: int = 0
    paid: int = 0
    gross: int = 0
    fee: int = 0
    vat: int = 0
    refunded: int = 0
    fee_missing: int = 0

    def add(self, payment: Payment) -> None:
        self.count += 1
        self.refunded += payment.refunded.amount if payment.refunded else 0
        if payment.captured is None:
            return
        self.paid += 1
        self.gross += payment.captured.amount
        self.vat += payment.tax.amount if payment.tax else 0
        if payment.fee is None or payment.net is None:
            self.fee_missing += 1
        else:
            self.fee += payment.fee.amount


@api.get("/v1/payments", "payments:read")
def list_payments(req: Request, query: PaymentQuery) -> PageView[PaymentView]:
    """Payments, newest first."""
    wanted, charger_ids = _at(req, query)
    page = page_of_payments(req, wanted, charger_ids=charger_ids, limit=query.limit, cursor=query.cursor)
    return page_view(page, payment_view)


@api.get("/v1/refunds", "payments:read")
def list_refunds(req: Request, query: RefundQuery) -> PageView[ListedRefundView]:
    """Refunds, by payment: those of the newest payment first.

    A payment's refunds stand on one page, which may be a few longer than `limit` for that.
    """
    wanted, charger_ids = _at(req, query)
    is_wanted = _refund_filter(query)
    cursor, limit = query.cursor, query.limit
    while True:
        page = page_of_payments(req, wanted, charger_ids=charger_ids, first=_has_refunds, limit=limit, cursor=cursor)
        found: list[ListedRefundView] = []
        for number, payment in enumerate(page.data):
            of_payment = [refund for refund in _refunds_of(req.ctx, payment) if is_wanted(refund)]
            if number and len(found) + len(of_payment) > query.limit:
                limit = number  # once more, up to the payment before this one
                break
            found += [_listed(refund, payment) for refund in of_payment]
        else:
            return PageView(data=found, has_more=page.next_cursor is not None, next_cursor=page.next_cursor)


@api.get("/v1/payments/totals", "payments:read")
def get_payment_totals(req: Request, query: PaymentFilter) -> PaymentTotalsView:
    """What the payments come to that `GET /v1/payments` lists by these filters, by currency.

    Looks at 10,000 payments at most (422 payments.too_many: choose a shorter stretch of time).
    """
    sums = sum_payments(req, query)
    return PaymentTotalsView(totals=[_total_view(currency, sums[currency]) for currency in sorted(sums)])


def sum_payments(
    req: Request, query: PaymentFilter, *, most: int = MAX_SUMMED, page_size: int = _PAGE
) -> dict[str, PaymentSum]:
    """By currency. Raises payments.too_many beyond `most` payments that are looked at, also those that the filters
    leave out."""
    wanted, charger_ids = _at(req, query)
    sums: dict[str, PaymentSum] = {}
    looked_at = 0

    def is_within(_: Payment) -> bool:
        nonlocal looked_at
        looked_at += 1
        if looked_at > most:
            detail = f"These are more than {most} payments: choose a shorter stretch of time."
            raise invalid("payments.too_many", detail, "/date_from")
        return True

    cursor: str | None = None
    while True:
        page = page_of_payments(req, wanted, charger_ids=charger_ids, first=is_within, limit=page_size, cursor=cursor)
        for payment in page.data:
            sums.setdefault(payment.amount.currency, PaymentSum()).add(payment)
        cursor = page.next_cursor
        if cursor is None:
            return sums


def _at(req: Request, query: PaymentFilter) -> tuple[PaymentFilter, frozenset[str] | None]:
    """What is wanted, and at which chargers: None, wherever. A group is of one operator, who need not be named then.
    Raises forbidden, organization.not_found, charger_group.not_found."""
    check_works_everywhere(req)
    if query.charger_group_id is None:
        return query, None
    group = owned_group(req, query.charger_group_id)
    if query.operator_id is not None and listed_operator(req, query.operator_id) != group.operator_id:
        raise not_found("charger_group", group.group_id)
    ids = chargers.charger_ids_within(req.ctx, group)
    return msgspec.structs.replace(query, operator_id=group.operator_id), ids


def _has_refunds(payment: Payment) -> bool:
    """Asked for, whatever became of them."""
    return payment.refunded is not None


def _refunds_of(ctx: Context, payment: Payment) -> Iterator[Refund]:
    """All of them, newest first."""
    cursor: str | None = None
    while True:
        page = payments.list_refunds(ctx, payment.payment_id, limit=200, cursor=cursor)
        yield from page.data
        cursor = page.next_cursor
        if cursor is None:
            return


def _refund_filter(query: RefundQuery) -> Callable[[Refund], bool]:
    since = None if query.requested_from is None else check_moment(query.requested_from, "/requested_from")
    until = None if query.requested_to is None else check_moment(query.requested_to, "/requested_to")

    def keep(refund: Refund) -> bool:
        return (
            query.refund_state in (None, refund.state)
            and (since is None or refund.requested_at >= since)
            and (until is None or refund.requested_at < until)
        )

    return keep


def _listed(refund: Refund, payment: Payment) -> ListedRefundView:
    site = payment.site
    return ListedRefundView(
        **msgspec.structs.asdict(refund_view(refund)),
        purpose=payment.purpose,
        purpose_id=payment.purpose_id,
        payer_id=payment.payer_id,
        operator_id=payment.operator_id,
        charger_id=site.charger_id if site else None,
        location_id=site.location_id if site else None,
    )


def _total_view(currency: str, total: PaymentSum) -> PaymentTotalView:
    def money(amount: int) -> Money:
        return Money(amount, currency)

    return PaymentTotalView(
        currency=currency,
        count=total.count,
        paid_count=total.paid,
        gross=money(total.gross),
        fee=money(total.fee),
        net=money(total.gross - total.refunded - total.fee),
        vat=money(total.vat),
        refunded=money(total.refunded),
        fee_missing_count=total.fee_missing,
    )
