"""What people see of a wallet: shapes that the driver's and the operator's endpoints share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.identity.model import check_time_zone
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import Moment, PageQuery, Shape, check_span
from chalicelib.kernel.money import Money, check_currency
from chalicelib.kernel.pages import Page
from chalicelib.kernel.spans import MonthText, Span, month_of, month_span, months_before, overlap
from chalicelib.ledger.model import Entry
from chalicelib.wallets import service
from chalicelib.wallets.model import EventType, MonthTotal, bonus_in, label_of

MAX_MONTHS = 36


class WalletView(Shape):
    """`balances`: what may be spent now, one per currency; reserved money is already gone from it."""

    driver_id: str
    balances: list[Money]


class TransactionQuery(PageQuery):
    """`type`: only what came in, or what went out. `event_type` bonus: the lines of which a part is a bonus. `month` as
    it is lived in `time_zone` (IANA), within `date_from` and `date_to`. `currency`: the platform's own unless named."""

    type: Literal["all", "income", "expenditure"] = "all"
    event_type: EventType | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    month: MonthText | None = None
    time_zone: str = "UTC"
    currency: str | None = None


class TransactionView(Shape):
    """`amount` is signed: what came into the wallet; `bonus` the part of it that was a gift. `label` is how people read
    `event_type`. `order_no` and `charger_id` are of the charge, `package` is the name of the top-up package. Of a
    voucher, `reason` is what its batch is called."""

    transaction_id: str
    event_type: str
    label: str
    amount: Money
    occurred_at: datetime
    bonus: Money | None = None
    charging_session_id: str | None = None
    order_no: str | None = None
    charger_id: str | None = None
    topup_id: str | None = None
    package: str | None = None
    voucher_id: str | None = None
    refund_id: str | None = None
    dispute_id: str | None = None
    reason: str | None = None


class VoucherCodeRequest(Shape):
    """`code` as it is printed; blanks, dashes and case do not matter."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class MonthsQuery(Shape):
    """`until`: the last month, by default the present one; `months` before it, itself counted. As lived in
    `time_zone` (IANA)."""

    until: MonthText | None = None
    months: Annotated[int, msgspec.Meta(ge=1, le=MAX_MONTHS)] = 12
    time_zone: str = "UTC"
    currency: str | None = None


class MonthView(Shape):
    """`income` came in, `expenditure` (zero or below) went out, `net` is their sum. What was reserved for a charge went
    out, and what was given back of it came in."""

    month: str
    income: Money
    expenditure: Money
    net: Money


class MonthsView(Shape):
    """Newest first; months in which nothing moved are left out."""

    driver_id: str
    currency: str
    time_zone: str
    data: list[MonthView]


@dataclass(frozen=True)
class OrderFacts:
    """What a line says of the charge that it is of, to those who may see it."""

    order_no: str
    charger_id: str
    operator_id: str


def wallet_view(ctx: Context, driver_id: str) -> WalletView:
    return WalletView(driver_id=driver_id, balances=service.balances(ctx, driver_id))


def find_transactions(ctx: Context, driver_id: str, query: TransactionQuery) -> Page[Entry]:
    """A page of what moved a wallet, newest first."""
    date_from, date_to = span_of(query.month, query.time_zone, (query.date_from, query.date_to))
    return service.list_transactions(
        ctx,
        driver_id,
        check_currency(query.currency or ctx.settings.default_currency),
        direction=query.type,
        event_type=query.event_type,
        date_from=date_from,
        date_to=date_to,
        limit=query.limit,
        cursor=query.cursor,
    )


def span_of(month: str | None, time_zone: str, within: Span) -> Span:
    """A month of a zone, if one is named, and what is `within`. Raises time_zone.unknown, moment.distant,
    period.reversed, period.disjoint (422)."""
    zone = check_time_zone(time_zone)
    span = overlap(check_span(*within), (None, None) if month is None else month_span(month, zone))
    if month is not None and span[0] is not None and span[1] is not None and span[0] >= span[1]:
        raise invalid("period.disjoint", "No moment of the month lies between the dates.", "/month")
    return span


def transaction_view(entry: Entry, order: OrderFacts | None = None) -> TransactionView:
    source, bonus = entry.source_id, bonus_in(entry)
    is_topup = source.startswith("top_")
    return TransactionView(
        transaction_id=entry.entry_id,
        event_type=entry.kind,
        label=label_of(entry),
        amount=Money(entry.home_amount, entry.currency),
        occurred_at=entry.occurred_at,
        bonus=Money(bonus, entry.currency) if bonus else None,
        charging_session_id=session_of(entry),
        order_no=order.order_no if order else None,
        charger_id=order.charger_id if order else None,
        topup_id=source if is_topup else None,
        package=entry.note if is_topup else None,
        voucher_id=source if entry.kind == "voucher" else None,
        refund_id=source if entry.kind == "payment_refund" else None,
        dispute_id=source if entry.kind == "dispute" else None,
        reason=None if is_topup else entry.note,
    )


def session_of(entry: Entry) -> str | None:
    """The charging session that an entry is of."""
    return entry.source_id if entry.source_id.startswith("ses_") else None


def months_view(ctx: Context, driver_id: str, query: MonthsQuery) -> MonthsView:
    zone = check_time_zone(query.time_zone)
    currency = check_currency(query.currency or ctx.settings.default_currency)
    until = query.until or month_of(ctx.now(), zone)
    date_from, _ = month_span(months_before(until, query.months - 1), zone)
    _, date_to = month_span(until, zone)
    totals = service.list_months(ctx, driver_id, currency, zone, date_from=date_from, date_to=date_to)
    return MonthsView(
        driver_id=driver_id,
        currency=currency,
        time_zone=zone,
        data=[_month_view(total, currency) for total in totals],
    )


def _month_view(total: MonthTotal, currency: str) -> MonthView:
    income, expenditure = Money(total.income, currency), Money(total.expenditure, currency)
    return MonthView(month=total.month, income=income, expenditure=expenditure, net=income + expenditure)
