"""What people see of a wallet: shapes that the driver's and the operator's endpoints share."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from chalicelib.identity.model import check_time_zone
from chalicelib.kernel.context import Context
from chalicelib.kernel.http import Moment, PageQuery, PageView, Shape, page_view
from chalicelib.kernel.money import Money, check_currency
from chalicelib.kernel.spans import MonthText, month_span, overlap
from chalicelib.ledger.model import Entry
from chalicelib.wallets import service
from chalicelib.wallets.model import LABELS, EventType


class WalletView(Shape):
    """`balances`: what may be spent now, one per currency; reserved money is already gone from it."""

    driver_id: str
    balances: list[Money]


class TransactionQuery(PageQuery):
    """`type`: only what came in, or what went out. `month` as it is lived in `time_zone` (IANA), within `date_from` and
    `date_to`. `currency`: the platform's own unless named."""

    type: Literal["all", "income", "expenditure"] = "all"
    event_type: EventType | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None
    month: MonthText | None = None
    time_zone: str = "UTC"
    currency: str | None = None


class TransactionView(Shape):
    """`amount` is signed: what came into the wallet. `label` is how people read `event_type`."""

    transaction_id: str
    event_type: str
    label: str
    amount: Money
    occurred_at: datetime
    charging_session_id: str | None = None
    topup_id: str | None = None
    reason: str | None = None


def wallet_view(ctx: Context, driver_id: str) -> WalletView:
    return WalletView(driver_id=driver_id, balances=service.balances(ctx, driver_id))


def transactions_view(ctx: Context, driver_id: str, query: TransactionQuery) -> PageView[TransactionView]:
    """A page of what moved a wallet, newest first."""
    zone = check_time_zone(query.time_zone)
    month = (None, None) if query.month is None else month_span(query.month, zone)
    date_from, date_to = overlap((query.date_from, query.date_to), month)
    page = service.list_transactions(
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
    return page_view(page, transaction_view)


def transaction_view(entry: Entry) -> TransactionView:
    source = entry.source_id
    return TransactionView(
        transaction_id=entry.entry_id,
        event_type=entry.kind,
        label=LABELS.get(entry.kind, entry.kind),
        amount=Money(entry.home_amount, entry.currency),
        occurred_at=entry.occurred_at,
        charging_session_id=source if source.startswith("ses_") else None,
        topup_id=source if source.startswith("top_") else None,
        reason=entry.note,
    )
