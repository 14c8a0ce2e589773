"""Posting, holds, balances: how all other capabilities move money.

Writes are added to the caller's unit of work and land with the business fact that they belong to; nothing is
committed here. Invariants: an entry balances; a guarded account never goes below zero (a condition in the same
transaction); an id is one fact. A unit of work takes one change per guarded account: DynamoDB refuses a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.kernel import ids
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, invalid, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import model
from chalicelib.ledger.model import Entry, EntryConflict, Hold, HoldNotOpen, PeriodicAccount
from chalicelib.ledger.store import (
    BALANCES,
    ENTRIES,
    PERIODIC_ACCOUNTS,
    PROOFS,
    PROOFS_PK,
    BalanceRow,
    EntryRow,
    PeriodicAccountRow,
    ProofRow,
    entry_sk,
    periodic_pk,
)

_DISTANT_PAST = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_DISTANT_FUTURE = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


def post(uow: UnitOfWork, entry: Entry) -> bool:
    """Posts an entry; False (and no write) when this very entry is there already.

    Raises ledger.entry_invalid, ledger.unbalanced, ledger.entry_conflict (the id is another fact's),
    ledger.insufficient_funds.
    """
    model.check_entry(entry)
    known = find_entry(uow.ctx, entry.home_account_id, entry.entry_id)
    if known is not None:
        if model.same_fact(known, entry):
            return False
        raise EntryConflict(entry.entry_id)
    _write(uow, entry)
    return True


def reverse(uow: UnitOfWork, original: Entry, *, business_day: str | None = None, note: str | None = None) -> Entry:
    """Posts the mirror image of an entry, once. `business_day` is that of the reversal.

    Raises ledger.not_reversible, ledger.already_reversed, ledger.insufficient_funds.
    """
    entry = model.check_entry(model.reversal_of(original, now=uow.ctx.now(), business_day=business_day, note=note))
    uow.update(
        ENTRIES,
        (original.home_account_id, entry_sk(original.entry_id)),
        [EntryRow.reversed_by.set(entry.entry_id)],
        condition=EntryRow.pk.exists() & EntryRow.reversed_by.does_not_exist(),
        on_conflict=model.already_reversed(original.entry_id),
        name="reversed entry",
    )
    _write(uow, entry)
    return entry


def place_hold(uow: UnitOfWork, hold: Hold, *, source_id: str, expires_at: datetime) -> None:
    """Reserves `hold.amount` of its home account. Two writes: entry, balance.

    Raises ledger.hold_amount (not positive), ledger.insufficient_funds, ledger.entry_conflict (held before).
    """
    if hold.amount.amount <= 0:
        raise invalid("ledger.hold_amount", "A hold is of more than nothing.", "/amount")
    _write(uow, model.place_hold_entry(hold, source_id=source_id, expires_at=expires_at, now=uow.ctx.now()))


def extend_hold(uow: UnitOfWork, hold: Hold, by: Money, *, source_id: str) -> None:
    """Reserves `by` more of the home account in an open hold of `hold.amount`. Three writes: hold, entry, balance.

    Raises ledger.hold_amount (not positive), ledger.hold_not_open, ledger.insufficient_funds.
    """
    if by.amount <= 0:
        raise invalid("ledger.hold_amount", "A hold is extended by more than nothing.", "/amount")
    _change_hold(uow, hold, [EntryRow.hold_amount.set((hold.amount + by).amount)])
    _write(uow, model.extend_hold_entry(hold, by, source_id=source_id, now=uow.ctx.now()))


def capture_hold(
    uow: UnitOfWork, hold: Hold, *, taken: Money, to_account_id: str, source_id: str, business_day: str
) -> Entry:
    """Closes a hold: `taken` goes to `to_account_id`, the rest back home. Nothing taken is a release.

    More than was held comes out of the home account. Three writes: hold, entry, balance (two when all was taken).
    Raises ledger.hold_not_open, ledger.insufficient_funds.
    """
    if taken.amount < 0:
        raise invalid("ledger.capture_amount", "Less than nothing cannot be captured.", "/amount")
    return _close_hold(
        uow,
        hold,
        "captured" if taken.amount else "released",
        "captured",
        model.close_hold_entry(
            hold,
            taken=taken,
            to_account_id=to_account_id,
            source_id=source_id,
            business_day=business_day,
            now=uow.ctx.now(),
        ),
    )


def release_hold(uow: UnitOfWork, hold: Hold, *, source_id: str, reason: str) -> Entry:
    """Gives all of a hold back; `reason` says why (`expired`, `refused`...). Raises ledger.hold_not_open."""
    entry = model.close_hold_entry(
        hold,
        taken=Money.zero(hold.amount.currency),
        to_account_id=hold.home_account_id,
        source_id=source_id,
        business_day=None,
        now=uow.ctx.now(),
    )
    return _close_hold(uow, hold, "released", reason, entry)


def balance(ctx: Context, account_id: str, *, consistent: bool = True) -> Money:
    """What an account that keeps a balance holds. One read of 1 unit, half of it when `consistent` is False."""
    currency = model.account_currency(model.check_account_id(account_id))
    if currency is None or not model.keeps_balance(account_id):
        raise invalid("ledger.no_balance", f"{account_id!r} keeps no balance; its entries are summed.", "/account_id")
    known = BALANCES.get(ctx, account_id, "balance", consistent=consistent)
    return Money(known.balance if known else 0, currency)


def expect_unmoved(uow: UnitOfWork, account_id: str) -> Money:
    """What a guarded account holds, on the condition that nobody moves it until the commit: StaleRead then."""
    currency = model.account_currency(model.check_account_id(account_id)) or ""
    known = BALANCES.get(uow.ctx, account_id, "balance")
    unmoved = BalanceRow.pk.does_not_exist() if known is None else BalanceRow.postings == known.postings
    uow.check(BALANCES, (account_id, "balance"), unmoved, StaleRead("The balance"), name="balance")
    return Money(0 if known is None else known.balance, currency)


def expect_untouched(uow: UnitOfWork, account_id: str) -> bool:
    """Whether nothing was ever posted to a guarded account, on the condition that nothing is until the commit."""
    uow.check(
        BALANCES, (account_id, "balance"), BalanceRow.pk.does_not_exist(), StaleRead("The balance"), name="balance"
    )
    return BALANCES.get(uow.ctx, account_id, "balance") is None


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
    """The currencies of an organisation's cash or promotion accounts (`account_class`) that were ever posted to.
    Strongly consistent."""
    known = PERIODIC_ACCOUNTS.query_all(
        ctx, periodic_pk(owner_id), PeriodicAccountRow.sk.startswith(f"{account_class}:"), consistent=True
    )
    return {currency for account in known if (currency := model.account_currency(account.account_id))}


def list_proofs(ctx: Context, *, limit: int, cursor: str | None) -> Page[model.Proof]:
    """Nightly proofs, newest first."""
    return PROOFS.query(ctx, PROOFS_PK, ProofRow.sk.startswith("2"), newest_first=True, limit=limit, cursor=cursor)


def _write(uow: UnitOfWork, entry: Entry) -> None:
    uow.create(ENTRIES, entry, on_conflict=EntryConflict(entry.entry_id))
    account_id = entry.home_account_id
    if model.keeps_balance(account_id) and entry.home_amount:
        _move_balance(
            uow,
            account_id,
            entry.home_amount,
            guarded=model.is_guarded(account_id) or entry.kind in model.NEVER_BELOW_ZERO,
        )
    if entry.business_day is not None:
        _remember_accounts(uow, entry)


def _remember_accounts(uow: UnitOfWork, entry: Entry) -> None:
    """So that the settlement finds cash and bonuses in every currency (income needs no mark: its CDRs tell). Written
    where it is not known yet: no row is hot."""
    marked = {write.request["Item"]["sk"]["S"] for write in uow.writes if write.name == PeriodicAccountRow.__name__}
    for posting in entry.postings:
        account_id = posting.account_id
        if model.account_class(account_id) not in ("cash", "promotion") or account_id in marked:
            continue
        owner_pk = periodic_pk(model.account_owner(account_id))
        if PERIODIC_ACCOUNTS.get(uow.ctx, owner_pk, account_id, consistent=False) is None:
            uow.put(PERIODIC_ACCOUNTS, PeriodicAccount(account_id))


def _move_balance(uow: UnitOfWork, account_id: str, amount: int, *, guarded: bool) -> None:
    """Read first, so that too little is told at once; the condition then only fails when somebody was faster."""
    condition: Condition | None = None
    if amount < 0 and guarded:
        left = balance(uow.ctx, account_id) + Money(amount, model.account_currency(account_id) or "")
        if left.amount < 0:
            # What is missing in a driver's wallet the driver may top up; the rest is nobody's to tell.
            raise model.insufficient_funds(-left if model.account_class(account_id) == "wallet" else None)
        condition = BalanceRow.balance >= -amount
    uow.update(
        BALANCES,
        (account_id, "balance"),
        [BalanceRow.account_id.set(account_id), BalanceRow.balance.add(amount), BalanceRow.postings.add(1)],
        condition=condition,
        on_conflict=StaleRead("The balance"),
        name="balance",
    )


def _close_hold(uow: UnitOfWork, hold: Hold, state: str, reason: str, entry: Entry) -> Entry:
    _change_hold(uow, hold, [EntryRow.hold_state.set(state), EntryRow.hold_reason.set(reason)])
    _write(uow, entry)
    return entry


def _change_hold(uow: UnitOfWork, hold: Hold, changes: list[Action]) -> None:
    uow.update(
        ENTRIES,
        (hold.home_account_id, entry_sk(hold.entry_id)),
        changes,
        condition=(EntryRow.hold_state == "open") & (EntryRow.hold_amount == hold.amount.amount),
        on_conflict=HoldNotOpen(hold.entry_id),
        name="hold",
    )


def _between(date_from: datetime | None, date_to: datetime | None) -> Condition:
    if date_from is None and date_to is None:
        return EntryRow.sk.startswith("entry#")
    earliest = max(date_from or _DISTANT_PAST, _DISTANT_PAST)
    # DynamoDB refuses a range that ends before it begins; this one has nothing in it either.
    end = max(min(date_to or _DISTANT_FUTURE, _DISTANT_FUTURE), earliest)
    return EntryRow.sk.between(entry_sk(ids.lowest_id("ent", earliest)), entry_sk(ids.lowest_id("ent", end)))
