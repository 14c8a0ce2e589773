"""What is in accounts, and what was posted to them: read for all other capabilities, and for what is posted.

Invariant: nothing is written here. Lists are streamed, or pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from pynamodb.expressions.condition import Condition

from chalicelib.kernel import ids
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, page_of
from chalicelib.ledger import model
from chalicelib.ledger.model import Entry
from chalicelib.ledger.store import (
    BALANCES,
    ENTRIES,
    PERIODIC_ACCOUNTS,
    PROOFS,
    PROOFS_PK,
    EntryRow,
    PeriodicAccountRow,
    ProofRow,
    entry_sk,
    periodic_pk,
)

_DISTANT_PAST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_DISTANT_FUTURE = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


def is_blocked(ctx: Context, account_id: str, *, consistent: bool = True) -> bool:
    known = BALANCES.get(ctx, account_id, "balance", consistent=consistent)
    return known is not None and bool(known.blocks)


def reservable(ctx: Context, account_id: str, *, consistent: bool = True) -> Money:
    """What of a guarded account a hold may be placed on: nothing of one that is blocked. One read."""
    known = BALANCES.get(ctx, account_id, "balance", consistent=consistent)
    currency = model.account_currency(model.check_account_id(account_id)) or ""
    return Money(0 if known is None or known.blocks else known.balance, currency)


def balance(ctx: Context, account_id: str, *, consistent: bool = True) -> Money:
    """What an account that keeps a balance holds. One read of 1 unit, half of it when `consistent` is False."""
    currency = model.account_currency(model.check_account_id(account_id))
    if currency is None or not model.keeps_balance(account_id):
        raise invalid("ledger.no_balance", f"{account_id!r} keeps no balance; its entries are summed.", "/account_id")
    known = BALANCES.get(ctx, account_id, "balance", consistent=consistent)
    return Money(known.balance if known else 0, currency)


def has_open_hold(ctx: Context, account_id: str, since: datetime) -> bool:
    """Whether something that was made since then still lies in a hold. Strongly consistent."""
    entries = ENTRIES.query_all(ctx, account_id, _between(since, None), consistent=True)
    return any(entry.hold_state == "open" for entry in entries)


def balances(ctx: Context, account_ids: Sequence[str]) -> dict[str, Money]:
    """What guarded accounts hold, by account id: for a page of a list, in one round trip per hundred."""
    currencies = {account_id: model.account_currency(model.check_account_id(account_id)) for account_id in account_ids}
    known = BALANCES.batch_get(ctx, [(account_id, "balance") for account_id in currencies])
    amounts = {balance.account_id: balance.balance for balance in known}
    return {
        account_id: Money(amounts.get(account_id, 0), currency)
        for account_id, currency in currencies.items()
        if currency is not None and model.keeps_balance(account_id)
    }


def find_entry(ctx: Context, home_account_id: str, entry_id: str) -> Entry | None:
    return ENTRIES.get(ctx, home_account_id, entry_sk(entry_id))


def require_entry(ctx: Context, home_account_id: str, entry_id: str) -> Entry:
    entry = find_entry(ctx, home_account_id, entry_id)
    if entry is None:
        raise not_found("ledger_entry", entry_id)
    return entry


def list_entries(
    ctx: Context,
    account_id: str,
    *,
    date_from: datetime | None = None,
    date_to: datetime | None = None,
    keep: Callable[[Entry], bool] | None = None,
    newest_first: bool = True,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Entry]:
    """A page of the entries stored under an account (all that touch it, where it is guarded or payable).

    `date_from` inclusive, `date_to` exclusive; `keep` filters, see `kernel.pages.page_of`.
    """
    steps = ENTRIES.walk(ctx, account_id, _between(date_from, date_to), newest_first=newest_first, cursor=cursor)
    return page_of(steps, limit, keep)


def entries_of_account(ctx: Context, account_id: str) -> Iterator[Entry]:
    """All entries stored under an account, oldest first, in bounded memory. Strongly consistent."""
    return ENTRIES.query_all(ctx, account_id, EntryRow.sk.startswith("entry#"), consistent=True)


def entries_after(ctx: Context, account_id: str, entry_id: str) -> Iterator[Entry]:
    """Those whose ids follow `entry_id`, oldest first. Strongly consistent. What was made earlier may still come in
    with a lower id: `count_of_postings` tells."""
    return ENTRIES.query_all(
        ctx, account_id, EntryRow.sk.between(entry_sk(f"{entry_id}!"), entry_sk("~")), consistent=True
    )


def count_of_postings(ctx: Context, account_id: str) -> int:
    """How many entries have moved the balance of an account that keeps one."""
    known = BALANCES.get(ctx, account_id, "balance")
    return 0 if known is None else known.postings


def entries_between(ctx: Context, account_id: str, date_from: datetime, date_to: datetime) -> Iterator[Entry]:
    """Those that were made from `date_from` until before `date_to`, oldest first. Strongly consistent."""
    return ENTRIES.query_all(ctx, account_id, _between(date_from, date_to), consistent=True)


def entries_of_period(ctx: Context, account_id: str, day: str) -> Iterator[Entry]:
    """All entries of an income or cash account on a business day (YYYY-MM-DD), oldest first, in bounded memory.

    From an index: eventually consistent, so a day is summed after it is over. What is beside the postings (hold
    state, reversal mark) is not in it.
    """
    return ENTRIES.query_all(ctx, model.period_of(account_id, day), index=EntryRow.by_period)


def walk_period(ctx: Context, account_id: str, day: str, *, before: str | None = None) -> Iterator[Entry]:
    """The same, newest first, a round trip per hundred. `before`: only those whose ids are lower."""
    earlier = None if before is None else EntryRow.entry_id < before
    return ENTRIES.query_all(
        ctx, model.period_of(account_id, day), earlier, index=EntryRow.by_period, newest_first=True, limit=100
    )


def page_of_period(
    ctx: Context, account_id: str, day: str, *, limit: int = 50, cursor: str | None = None
) -> Page[Entry]:
    """The same as a page, newest first."""
    return ENTRIES.query(
        ctx,
        model.period_of(account_id, day),
        index=EntryRow.by_period,
        newest_first=True,
        limit=limit,
        cursor=cursor,
    )


def cleared_between(ctx: Context, provider: str, date_from: datetime, date_to: datetime) -> Iterator[Entry]:
    """What was posted to a provider's clearing accounts from `date_from` until before `date_to` of one UTC day, oldest
    first, in bounded memory. From an index, like `entries_of_period`."""
    last = date_to - timedelta(milliseconds=1)
    span = EntryRow.occurred_at.between(date_from, last)
    return ENTRIES.query_all(ctx, model.cleared_of(provider, date_from), span, index=EntryRow.by_clearing)


def total_of_period(ctx: Context, account_id: str, day: str) -> Money:
    """What an income or cash account gained on a business day. DomainError ledger.account_invalid for others."""
    currency = model.account_currency(model.check_account_id(account_id))
    if currency is None or model.account_class(account_id) not in model.PERIODIC:
        raise invalid("ledger.no_period", f"{account_id!r} is not summed per day.", "/account_id")
    return Money(model.sum_of(entries_of_period(ctx, account_id, day), account_id), currency)


def currencies_of(ctx: Context, owner_id: str, account_class: str) -> set[str]:
    """The currencies of an organisation's accounts of a class that is summed per day, as far as they are marked
    (`PeriodicAccount`). Strongly consistent."""
    known = PERIODIC_ACCOUNTS.query_all(
        ctx, periodic_pk(owner_id), PeriodicAccountRow.sk.startswith(f"{account_class}:"), consistent=True
    )
    return {currency for account in known if (currency := model.account_currency(account.account_id))}


def list_proofs(ctx: Context, *, limit: int, cursor: str | None) -> Page[model.Proof]:
    """Nightly proofs, newest first."""
    return PROOFS.query(ctx, PROOFS_PK, ProofRow.sk.startswith("2"), newest_first=True, limit=limit, cursor=cursor)


def _between(date_from: datetime | None, date_to: datetime | None) -> Condition:
    if date_from is None and date_to is None:
        return EntryRow.sk.startswith("entry#")
    earliest = max(date_from or _DISTANT_PAST, _DISTANT_PAST)
    # DynamoDB refuses a range that ends before it begins; this one has nothing in it either.
    end = max(min(date_to or _DISTANT_FUTURE, _DISTANT_FUTURE), earliest)
    return EntryRow.sk.between(entry_sk(ids.lowest_id("ent", earliest)), entry_sk(ids.lowest_id("ent", end)))
