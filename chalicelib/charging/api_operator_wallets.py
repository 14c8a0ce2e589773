"""The lines of wallets as operators read them, with the orders that they are of: those of one driver, and those of the
operator's own business (the "local transaction record").

Here and not with the wallets, because wallets know no charging sessions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from chalicelib.charging.api_driver_wallet import orders_of
from chalicelib.charging.views import Payer
from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.scope import OperatorPageQuery, check_works_everywhere, listed_operator, may_see
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import YEARS, Api, PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money, check_currency
from chalicelib.kernel.spans import FirstDay, LastDay
from chalicelib.ledger.model import PERIODIC, Entry, account_class, account_owner, business_day
from chalicelib.wallets import service as wallets
from chalicelib.wallets import views
from chalicelib.wallets.scope import visible_wallet
from chalicelib.wallets.views import OrderFacts, TransactionQuery, TransactionView

api = Api("wallets", "operator")

MAX_DAYS = 31

LocalType = Literal["income", "expense"]
LocalState = Literal["consumption", "manual_entry", "correction", "payment_refund", "reversal", "voucher"]

_STATES: dict[str, LocalState] = {
    "manual_entry": "manual_entry",
    "correction": "correction",
    "payment_refund": "payment_refund",
    "reversal": "reversal",
    "voucher": "voucher",
}
"""By the kind of the entry; all others are about what a charge cost."""


class LocalQuery(OperatorPageQuery):
    """Business days of the operator, both included; today by default, at most 31. `currency`: the operator's own unless
    named."""

    date_from: FirstDay | None = None
    date_to: LastDay | None = None
    type: LocalType | None = None
    state: LocalState | None = None
    driver_id: str | None = None
    currency: str | None = None


class LocalTransactionView(Shape):
    """`amount` as the driver feels it: above zero (`income`) what the operator's people or its vouchers put into the
    wallet, below (`expense`) what a charge cost. `paid_by`: the driver's wallet, an enterprise, or a guest's card.
    `entered_by`: whose login put it in or took it out at the counter, `entered_by_name` as that one is called now."""

    transaction_id: str
    type: LocalType
    state: LocalState
    amount: Money
    occurred_at: datetime
    business_day: str
    paid_by: Payer
    driver_id: str | None
    driver_name: str | None
    entered_by: str | None
    entered_by_name: str | None
    charging_session_id: str | None
    order_no: str | None
    charger_id: str | None
    reason: str | None


@dataclass(frozen=True)
class People:
    """Who the lines of a page are of: names by driver, who entered which entry, and what those are called."""

    drivers: Mapping[str, str]
    entered_by: Mapping[str, str]
    names: Mapping[str, str]


@api.get("/v1/wallets/{driver_id}/transactions", "wallets:read")
def list_wallet_transactions(req: Request, driver_id: str, query: TransactionQuery) -> PageView[TransactionView]:
    """What came into a driver's wallet and went out of it, newest first. Of what other operators did, the amounts only:
    no charge, no order, no reason."""
    page = views.find_transactions(req.ctx, visible_wallet(req, driver_id), query)
    orders = orders_of(req.ctx, page.data)
    return page_view(page, lambda entry: _line_as_seen(req, entry, orders.get(entry.source_id)))


@api.get("/v1/wallet-transactions", "wallets:read")
def list_local_transactions(req: Request, query: LocalQuery) -> PageView[LocalTransactionView]:
    """What an operator's people put into wallets by hand or took out, and what its chargers earned, newest first."""
    check_works_everywhere(req)
    operator = identity.get_organization(req.ctx, listed_operator(req, query.operator_id))
    today = date.fromisoformat(business_day(req.ctx.now(), operator.time_zone))
    page = wallets.list_business(
        req.ctx,
        operator.organization_id,
        check_currency(query.currency or operator.currency),
        _days(query, today),
        keep=lambda entry: _is_wanted(entry, query),
        limit=query.limit,
        cursor=query.cursor,
    )
    orders, people = orders_of(req.ctx, page.data), people_of(req.ctx, operator.organization_id, page.data)
    return page_view(page, lambda entry: local_view(entry, orders.get(entry.source_id), people))


def people_of(ctx: Context, operator_id: str, entries: Sequence[Entry]) -> People:
    """Three round trips for a page."""
    entered_by = wallets.entered_by(ctx, operator_id, entries)
    found = drivers.get_drivers(ctx, (driver_id for entry in entries if (driver_id := _driver(entry)) is not None))
    return People(
        drivers={driver_id: driver.full_name for driver_id, driver in found.items()},
        entered_by=entered_by,
        names=identity.names_of_users(ctx, entered_by.values()),
    )


def local_view(entry: Entry, order: OrderFacts | None, people: People) -> LocalTransactionView:
    amount, entered_by = _amount(entry), people.entered_by.get(entry.entry_id)
    return LocalTransactionView(
        transaction_id=entry.entry_id,
        type="income" if amount > 0 else "expense",
        state=_state(entry),
        amount=Money(amount, entry.currency),
        occurred_at=entry.occurred_at,
        business_day=entry.business_day or "",
        paid_by=_payer(entry),
        driver_id=_driver(entry),
        driver_name=people.drivers.get(_driver(entry) or ""),
        entered_by=entered_by,
        entered_by_name=people.names.get(entered_by or ""),
        charging_session_id=views.session_of(entry),
        order_no=order.order_no if order else None,
        charger_id=order.charger_id if order else None,
        reason=entry.note,
    )


def _line_as_seen(req: Request, entry: Entry, order: OrderFacts | None) -> TransactionView:
    operators = {
        account_owner(posting.account_id) for posting in entry.postings if account_class(posting.account_id) in PERIODIC
    }
    if order is not None:
        operators.add(order.operator_id)
    if not operators or any(may_see(req, operator_id) for operator_id in operators):
        return views.transaction_view(entry, order)
    return msgspec.structs.replace(views.transaction_view(entry), charging_session_id=None, reason=None, package=None)


def _days(query: LocalQuery, today: date) -> list[str]:
    """The latest first. Raises period.too_long, period.reversed, date.distant (422)."""
    last = query.date_to or max(today, query.date_from or today)
    first = query.date_from or min(today, last)
    if first.year not in YEARS or last.year not in YEARS:
        raise invalid("date.distant", f"The year is from {YEARS[0]} to {YEARS[-1]}.", "/date_from")
    count = (last - first).days + 1
    if count < 1:
        raise invalid("period.reversed", "The period ends before it begins.", "/date_to")
    if count > MAX_DAYS:
        raise invalid("period.too_long", f"At most {MAX_DAYS} days at once.", "/date_from")
    return [(last - timedelta(days=number)).isoformat() for number in range(count)]


def _is_wanted(entry: Entry, query: LocalQuery) -> bool:
    amount = _amount(entry)
    return (
        amount != 0
        and query.type in (None, "income" if amount > 0 else "expense")
        and query.state in (None, _state(entry))
        and query.driver_id in (None, _driver(entry))
    )


def _amount(entry: Entry) -> int:
    """What the operator's cash and income got, with the sign of the other side."""
    classes = ("cash", "income")
    return -sum(posting.amount for posting in entry.postings if account_class(posting.account_id) in classes)


def _state(entry: Entry) -> LocalState:
    """What a charge cost goes one way; what comes back of it is a correction."""
    return _STATES.get(entry.kind, "consumption" if _amount(entry) < 0 else "correction")


def _payer(entry: Entry) -> Payer:
    home = account_class(entry.home_account_id)
    return "wallet" if home == "wallet" else "enterprise" if home == "enterprise" else "card"


def _driver(entry: Entry) -> str | None:
    return account_owner(entry.home_account_id) if _payer(entry) == "wallet" else None
