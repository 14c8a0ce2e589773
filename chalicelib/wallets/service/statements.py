"""What moved a wallet, as people read it: lines, and sums per month.

Called by the endpoints of charging, which know the orders that lines are of, and by the wallets' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from heapq import merge

from chalicelib.kernel.context import Context
from chalicelib.kernel.pages import Page, Step, cursor_invalid, decode_cursor, page_of
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, cash_account, income_account, wallet_account
from chalicelib.wallets import model
from chalicelib.wallets.model import EventType, MonthTotal


def list_transactions(
    ctx: Context,
    driver_id: str,
    currency: str,
    *,
    direction: str = "all",
    event_type: EventType | None = None,
    date_from: datetime | None = None,
    date_to: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Entry]:
    """The ledger entries that moved a wallet, newest first. `direction`: all | income | expenditure."""

    def keep(entry: Entry) -> bool:
        is_income = entry.home_amount > 0
        return model.is_event(entry, event_type) and direction in ("all", "income" if is_income else "expenditure")

    wallet = wallet_account(driver_id, currency)
    return ledger.list_entries(ctx, wallet, date_from=date_from, date_to=date_to, keep=keep, limit=limit, cursor=cursor)


def list_months(
    ctx: Context, driver_id: str, currency: str, zone: str, *, date_from: datetime, date_to: datetime
) -> list[MonthTotal]:
    """What came into a wallet and went out of it per month as it is lived in `zone`, newest first. Streamed."""
    entries = ledger.entries_between(ctx, wallet_account(driver_id, currency), date_from, date_to)
    return model.month_totals(entries, zone)


def list_business(
    ctx: Context,
    operator_id: str,
    currency: str,
    days: Sequence[str],
    *,
    keep: Callable[[Entry], bool],
    limit: int,
    cursor: str | None,
) -> Page[Entry]:
    """What drivers paid at an operator's chargers, and what its people took from them in cash, newest first. `days`:
    business days (YYYY-MM-DD), the latest first. From an index: the last second may be missing."""
    accounts = (cash_account(operator_id, currency), income_account(operator_id, currency))
    return page_of(_of_days(ctx, accounts, days, cursor), limit, keep)


def _of_days(ctx: Context, accounts: Sequence[str], days: Sequence[str], cursor: str | None) -> Iterator[Step[Entry]]:
    """A cursor is the business day and the entry that were shown last."""
    last_day: str | None = None
    last_entry: str | None = None
    if cursor is not None:
        place = decode_cursor(cursor)
        last_day, last_entry = place.get("day", {}).get("S"), place.get("entry", {}).get("S")
        if not last_day or not last_entry:
            raise cursor_invalid()
    for day in days:
        if last_day is not None and day > last_day:
            continue
        before = last_entry if day == last_day else None
        of_day = (ledger.walk_period(ctx, account_id, day, before=before) for account_id in accounts)
        for entry in merge(*of_day, key=lambda entry: entry.entry_id, reverse=True):
            yield entry, {"day": {"S": day}, "entry": {"S": entry.entry_id}}
