"""What came into wallets: by the platform's payment page, by hand, by vouchers.

The platform sees all of it, an operator what its people entered and what came by its packages and vouchers.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.identity.scope import OperatorPageQuery, check_works_everywhere, listed_operator
from chalicelib.kernel.http import Moment, PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import MonthText
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment
from chalicelib.wallets import service, views
from chalicelib.wallets.api_operator.common import api
from chalicelib.wallets.model import TopUpRecord, TopUpSource


class TopUpQuery(OperatorPageQuery):
    """`month` as it is lived in `time_zone` (IANA), within `date_from` and `date_to`. `source`: online | manual |
    voucher."""

    driver_id: str | None = None
    source: TopUpSource | None = None
    package_id: str | None = None
    currency: str | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    month: MonthText | None = None
    time_zone: str = "UTC"


class TopUpRecordView(Shape):
    """`amount` was paid: online by the driver, or by hand at the counter (below zero: taken back out of the wallet);
    the wallet got `bonus` besides. Of a voucher it is what that is worth. `refunded`
    of a payment went back to its payer, or is on its way. `operator_id`: whose package or voucher it
    was, or whose people entered it."""

    record_id: str
    source: TopUpSource
    driver_id: str
    amount: Money
    refunded: Money
    bonus: Money | None
    occurred_at: datetime
    transaction_id: str
    operator_id: str | None
    topup_id: str | None
    payment_id: str | None
    package_id: str | None
    package: str | None
    voucher_id: str | None
    reason: str | None
    entered_by: str | None


@api.get("/v1/topups", "wallets:read")
def list_topups(req: Request, query: TopUpQuery) -> PageView[TopUpRecordView]:
    """Top-ups that reached a wallet, newest first."""
    check_works_everywhere(req)
    wanted = {"driver_id": query.driver_id, "source": query.source, "package_id": query.package_id}

    def keep(record: TopUpRecord) -> bool:
        is_such = all(value in (None, getattr(record, name)) for name, value in wanted.items())
        return is_such and query.currency in (None, record.amount.currency)

    page = service.list_topup_records(
        req.ctx,
        listed_operator(req, query.operator_id),
        span=views.span_of(query.month, query.time_zone, (query.date_from, query.date_to)),
        keep=keep,
        limit=query.limit,
        cursor=query.cursor,
    )
    paid = payments.payments_by_id(req.ctx, (record.payment_id for record in page.data if record.payment_id))
    return page_view(page, lambda record: record_view(record, paid.get(record.payment_id or "")))


def record_view(record: TopUpRecord, payment: Payment | None = None) -> TopUpRecordView:
    """`payment`: without it, nothing of a payment is known to have gone back."""
    return TopUpRecordView(
        record_id=record.record_id,
        source=record.source,
        driver_id=record.driver_id,
        amount=record.amount,
        refunded=(payment and payment.refunded) or Money.zero(record.amount.currency),
        bonus=record.bonus,
        occurred_at=record.occurred_at,
        transaction_id=record.transaction_id,
        operator_id=record.operator_id,
        topup_id=record.topup_id,
        payment_id=record.payment_id,
        package_id=record.package_id,
        package=record.package_name,
        voucher_id=record.voucher_id,
        reason=record.reason,
        entered_by=record.entered_by,
    )
