"""Adjustments by hand: cash that an operator's people took for a wallet, and what they take back out of it.

Called by the operators' endpoint. Nothing is committed here. Invariant: an operator takes back no more than it put in,
per driver and currency, however many of its people try at once: the counter has a condition in the same transaction.
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
from chalicelib.ledger.model import Entry
from chalicelib.wallets import model
from chalicelib.wallets.model import Direction
from chalicelib.wallets.service.credit import note_credit, take_credit
from chalicelib.wallets.service.funds import remember_currency
from chalicelib.wallets.store import CASH_BALANCES, TOPUP_RECORDS, CashBalanceRow, cash_key


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
    currency.invalid, ledger.insufficient_funds, ledger.entry_conflict.
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
    if not ledger.post(uow, entry):
        return entry
    _count_cash(uow, driver_id, operator_id, Money(entry.home_amount, entry.currency))
    if direction == "top_up":
        take_credit(uow, operator_id, amount)
    else:
        note_credit(uow, operator_id, -amount)
    for record in model.adjustment_records(entry, driver_id, entered_by, PLATFORM_ID):
        uow.put(TOPUP_RECORDS, record)
    if direction == "top_up":
        remember_currency(uow, driver_id, amount.currency)
    return entry


def cash_taken(ctx: Context, driver_id: str, operator_id: str, currency: str) -> Money:
    """What an operator took from a driver in cash, less what it took back out of the wallet."""
    known = CASH_BALANCES.get(ctx, *cash_key(driver_id, operator_id, currency))
    return Money(0 if known is None else known.net, currency)


def _count_cash(uow: UnitOfWork, driver_id: str, operator_id: str, moved: Money) -> None:
    """Read first, so that too much is told at once; the condition then only fails when somebody was faster."""
    condition = None
    if moved.amount < 0 and operator_id != PLATFORM_ID:
        net = cash_taken(uow.ctx, driver_id, operator_id, moved.currency)
        if net.amount + moved.amount < 0:
            raise model.deduct_exceeds_cash(net)
        condition = CashBalanceRow.net >= -moved.amount
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
