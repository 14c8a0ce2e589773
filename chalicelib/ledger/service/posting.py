"""Posting, holds, balances: how all other capabilities move money.

Writes are added to the caller's unit of work and land with the business fact that they belong to; nothing is
committed here. Invariants: an entry balances; a guarded account never goes below zero (a condition in the same
transaction); an id is one fact; nothing is reserved of a blocked account. A unit of work takes one change per guarded
account: DynamoDB refuses a second.
"""

from __future__ import annotations

from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, invalid
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import model
from chalicelib.ledger.model import Entry, EntryConflict, Hold, HoldNotOpen, PeriodicAccount
from chalicelib.ledger.service.reading import find_entry
from chalicelib.ledger.store import (
    BALANCES,
    ENTRIES,
    PERIODIC_ACCOUNTS,
    BalanceRow,
    EntryRow,
    PeriodicAccountRow,
    entry_sk,
    periodic_pk,
)

_ENDS_OF_SESSIONS = frozenset({"consumption", "refund", "capture"})
"""Kinds of entries that post income together with a CDR."""


def post(uow: UnitOfWork, entry: Entry, *, blocks: int = 0, keep: int = 0) -> bool:
    """Posts an entry; False (and no write) when this very entry is there already. `blocks`: as `block`, of the account
    that keeps a balance, in the same change of it. `keep`: what has to stay on it, where it may not go below zero.

    Raises ledger.entry_invalid, ledger.unbalanced, ledger.entry_conflict (the id is another fact's),
    ledger.insufficient_funds.
    """
    model.check_entry(entry)
    known = find_entry(uow.ctx, entry.home_account_id, entry.entry_id)
    if known is not None:
        if model.same_fact(known, entry):
            return False
        raise EntryConflict(entry.entry_id)
    _write(uow, entry, blocks=blocks, keep=keep)
    return True


def block(uow: UnitOfWork, account_id: str, blocks: int) -> None:
    """One reason more (1) or less (-1) for which nothing of a guarded account may be reserved. What is reserved may be
    extended, captured, released; money may come and go. The caller sees to it that each reason comes and goes once."""
    uow.update(
        BALANCES,
        (account_id, "balance"),
        [
            BalanceRow.account_id.set(account_id),
            BalanceRow.balance.add(0),
            BalanceRow.postings.add(0),
            BalanceRow.blocks.add(blocks),
        ],
        name="balance",
    )


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


def place_hold(
    uow: UnitOfWork, hold: Hold, *, source_id: str, expires_at: datetime, known: Money | None = None
) -> None:
    """Reserves `hold.amount` of its home account. Two writes: entry, balance. `known` is what is `reservable`, where
    the caller has just read it: that it still is so is a condition of the commit either way.

    Raises ledger.hold_amount (not positive), ledger.account_blocked, ledger.insufficient_funds, ledger.entry_conflict
    (held before).
    """
    if hold.amount.amount <= 0:
        raise invalid("ledger.hold_amount", "A hold is of more than nothing.", "/amount")
    entry = model.place_hold_entry(hold, source_id=source_id, expires_at=expires_at, now=uow.ctx.now())
    _write(uow, entry, unless_blocked=True, known=known)


def extend_hold(uow: UnitOfWork, hold: Hold, by: Money, *, source_id: str, known: Money | None = None) -> None:
    """Reserves `by` more of the home account in an open hold of `hold.amount`. Three writes: hold, entry, balance.
    `known` is the balance, where the caller has just read it.

    Raises ledger.hold_amount (not positive), ledger.hold_not_open, ledger.insufficient_funds.
    """
    if by.amount <= 0:
        raise invalid("ledger.hold_amount", "A hold is extended by more than nothing.", "/amount")
    _change_hold(uow, hold, [EntryRow.hold_amount.set((hold.amount + by).amount)])
    _write(uow, model.extend_hold_entry(hold, by, source_id=source_id, now=uow.ctx.now()), known=known)


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


def _write(
    uow: UnitOfWork,
    entry: Entry,
    *,
    blocks: int = 0,
    keep: int = 0,
    unless_blocked: bool = False,
    known: Money | None = None,
) -> None:
    uow.create(ENTRIES, entry, on_conflict=EntryConflict(entry.entry_id))
    account_id = entry.home_account_id
    if model.keeps_balance(account_id) and entry.home_amount:
        _move_balance(
            uow,
            account_id,
            entry.home_amount,
            guarded=model.is_guarded(account_id) or entry.kind in model.NEVER_BELOW_ZERO,
            blocks=blocks,
            keep=keep,
            unless_blocked=unless_blocked,
            known=known,
        )
    if entry.business_day is not None:
        _remember_accounts(uow, entry)


def _remember_accounts(uow: UnitOfWork, entry: Entry) -> None:
    """So that the settlement finds cash and bonuses in every currency, and income that no CDR tells of: the ends of
    sessions are not marked, so that they cost no read more. Written where it is not known yet: no row is hot."""
    marked_classes = model.PERIODIC if entry.kind not in _ENDS_OF_SESSIONS else model.PERIODIC - {"income"}
    marked = {write.request["Item"]["sk"]["S"] for write in uow.writes if write.name == PeriodicAccountRow.__name__}
    for posting in entry.postings:
        account_id = posting.account_id
        if model.account_class(account_id) not in marked_classes or account_id in marked:
            continue
        owner_pk = periodic_pk(model.account_owner(account_id))
        if PERIODIC_ACCOUNTS.get(uow.ctx, owner_pk, account_id, consistent=False) is None:
            uow.put(PERIODIC_ACCOUNTS, PeriodicAccount(account_id))


def _move_balance(
    uow: UnitOfWork,
    account_id: str,
    amount: int,
    *,
    guarded: bool,
    blocks: int = 0,
    keep: int = 0,
    unless_blocked: bool = False,
    known: Money | None = None,
) -> None:
    """Read first (unless that was done already: `known`), so that too little is told at once; the condition then only
    fails when somebody was faster."""
    condition: Condition | None = None
    if amount < 0 and guarded:
        there = _read_balance(uow.ctx, account_id, unless_blocked) if known is None else known.amount
        left = there + amount - keep
        if left < 0:
            # What is missing in a driver's wallet the driver may top up; the rest is nobody's to tell.
            is_wallet = model.account_class(account_id) == "wallet"
            missing = Money(-left, model.account_currency(account_id) or "")
            raise model.insufficient_funds(missing if is_wallet else None)
        condition = BalanceRow.balance >= keep - amount
        if unless_blocked:
            condition &= BalanceRow.blocks.does_not_exist() | (BalanceRow.blocks == 0)
    changes: list[Action] = [
        BalanceRow.account_id.set(account_id),
        BalanceRow.balance.add(amount),
        BalanceRow.postings.add(1),
    ]
    if blocks:
        changes.append(BalanceRow.blocks.add(blocks))
    uow.update(
        BALANCES,
        (account_id, "balance"),
        changes,
        condition=condition,
        on_conflict=StaleRead("The balance"),
        name="balance",
    )


def _read_balance(ctx: Context, account_id: str, unless_blocked: bool) -> int:
    row = BALANCES.get(ctx, account_id, "balance")
    if row is not None and row.blocks and unless_blocked:
        raise model.account_blocked()
    return 0 if row is None else row.balance


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
