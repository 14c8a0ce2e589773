"""Adjustments by hand: cash that an operator's people took for a wallet, and what they take back out of it.

Called by the operators' endpoint. Nothing is committed here. Invariant: an operator takes back no more than is left of
what it put in, per driver and currency, however many of its people try at once: the counter has a condition in the same
transaction. What is left is read from the wallet's entries, when somebody takes cash back: no charge writes anything
for it. A charge that is captured in the same moment comes after the deduction.
"""

from __future__ import annotations

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.identity.model.settings import check_topup
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, wallet_account
from chalicelib.wallets import model
from chalicelib.wallets.model import CashLeft, Direction
from chalicelib.wallets.model.credit import wrong_currency
from chalicelib.wallets.service.credit import note_credit, take_credit
from chalicelib.wallets.service.funds import remember_currency
from chalicelib.wallets.service.telling import tell_topup
from chalicelib.wallets.store import (
    CASH_BALANCES,
    CASH_LEFT,
    TOPUP_RECORDS,
    CashBalanceRow,
    cash_key,
    cash_left_key,
)

FOLDED_AT_ONCE = 50
"""Moves that are worth keeping what they come to, so that they are not read again."""


def adjust_wallet(
    uow: UnitOfWork,
    *,
    entry_id: str,
    driver_id: str,
    operator_id: str,
    direction: Direction,
    amount: Money,
    reason: str,
    business_day: str,
    entered_by: str | None = None,
) -> Entry:
    """Books cash that an operator took for a wallet, or value it takes out, with the reason. The platform, named as
    the operator, may take out what was not cash: that is a correction, on its own account.

    Raises wallet.amount_invalid, wallet.amount_out_of_bounds, wallet.deduct_exceeds_cash, operator.credit_exhausted,
    currency.invalid, adjustment.currency, ledger.insufficient_funds, ledger.entry_conflict.
    """
    if direction == "top_up":
        check_topup(identity.payments_of(uow.ctx, operator_id), amount)
    entry = model.adjustment_entry(
        entry_id=entry_id,
        driver_id=driver_id,
        operator_id=operator_id,
        direction=direction,
        amount=amount,
        reason=reason,
        business_day=business_day,
        now=uow.ctx.now(),
    )
    if direction == "top_up":
        _check_own_currency(uow.ctx, operator_id, amount)
    if not ledger.post(uow, entry):
        return entry
    _count_cash(uow, driver_id, operator_id, Money(entry.home_amount, entry.currency))
    if direction == "top_up":
        take_credit(uow, operator_id, amount)
    else:
        note_credit(uow, operator_id, -amount)
    records = model.adjustment_records(entry, driver_id, entered_by, PLATFORM_ID)
    for record in records:
        uow.put(TOPUP_RECORDS, record)
    tell_topup(uow, records)
    if direction == "top_up":
        remember_currency(uow, driver_id, amount.currency)
    return entry


def _check_own_currency(ctx: Context, operator_id: str, amount: Money) -> None:
    """The platform sets what an operator may owe in that one's currency; what was taken in another one before may
    still be given back."""
    operator = None if operator_id == PLATFORM_ID else identity.find_organization(ctx, operator_id)
    if operator is not None and amount.currency != operator.currency:
        raise wrong_currency(operator.currency)


def cash_taken(ctx: Context, driver_id: str, operator_id: str, currency: str) -> Money:
    """What an operator took from a driver in cash, less what it took back out of the wallet."""
    known = CASH_BALANCES.get(ctx, *cash_key(driver_id, operator_id, currency))
    return Money(0 if known is None else known.net, currency)


def cash_left(ctx: Context, driver_id: str, operator_id: str, currency: str) -> Money:
    """How much of what an operator took from a driver in cash is neither spent nor taken back."""
    state, _ = look_at_cash(ctx, driver_id, currency)
    net = cash_taken(ctx, driver_id, operator_id, currency).amount
    return Money(_may_be_taken(state, operator_id, net), currency)


def look_at_cash(ctx: Context, driver_id: str, currency: str) -> tuple[CashLeft, int]:
    """What is left of whose cash, and how many moves were read for it. Goes on where somebody has looked before, unless
    an entry came in between since (ids are made before they are committed): the count tells."""
    account_id = wallet_account(driver_id, currency)
    known = CASH_LEFT.get(ctx, *cash_left_key(driver_id, currency))
    moves = ledger.count_of_postings(ctx, account_id)
    if known is not None:
        state = model.folded(known, ledger.entries_after(ctx, account_id, known.through))
        if state.moves == moves:
            return state, state.moves - known.moves
    state = model.folded(CashLeft(driver_id, currency), ledger.entries_of_account(ctx, account_id))
    return state, state.moves


def _may_be_taken(state: CashLeft, operator_id: str, net: int) -> int:
    """`net` does not know of cash from before it was counted."""
    return max(min(state.of(operator_id), net - state.spent_of(operator_id)), 0)


def _count_cash(uow: UnitOfWork, driver_id: str, operator_id: str, moved: Money) -> None:
    """Read first, so that too much is told at once; the condition then only fails when somebody was faster."""
    condition = None
    if moved.amount < 0 and operator_id != PLATFORM_ID:
        state, fresh = look_at_cash(uow.ctx, driver_id, moved.currency)
        net = cash_taken(uow.ctx, driver_id, operator_id, moved.currency).amount
        left = _may_be_taken(state, operator_id, net)
        if left + moved.amount < 0:
            raise model.deduct_exceeds_cash(Money(left, moved.currency))
        # What is spent stays spent, whoever takes out or puts in at the same time.
        condition = CashBalanceRow.net >= state.spent_of(operator_id) - moved.amount
        if fresh >= FOLDED_AT_ONCE:
            uow.put(CASH_LEFT, state)
    uow.update(
        CASH_BALANCES,
        cash_key(driver_id, operator_id, moved.currency),
        [
            CashBalanceRow.driver_id.set(driver_id),
            CashBalanceRow.operator_id.set(operator_id),
            CashBalanceRow.currency.set(moved.currency),
            CashBalanceRow.net.add(moved.amount),
        ],
        condition=condition,
        on_conflict=StaleRead("The cash"),
        name="cash",
    )
