"""Holds of charging sessions and what becomes of them: reserve, settle, release.

Called by charging. Where a session names an `enterprise_id`, its credit stands for the wallet, and the wallet is not
touched. Nothing is committed here. Invariants: a wallet never goes below zero; a session's hold ends once.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import income_account
from chalicelib.wallets import model
from chalicelib.wallets.model import Settlement
from chalicelib.wallets.service.funds import available, of_what_was_read, reservable


def place_session_hold(
    uow: UnitOfWork,
    *,
    driver_id: str,
    session_id: str,
    amount: Money,
    expires_at: datetime,
    enterprise_id: str | None = None,
    known: Money | None = None,
) -> None:
    """Reserves money for a charging session: two writes. `expires_at`: when even the longest session is over; a hold
    that is open later is reported by the nightly proof. `known`: what is `reservable`, where it was just read.

    Raises wallet.disputed, ledger.insufficient_funds, ledger.hold_amount, ledger.entry_conflict (the session has its
    hold).
    """
    hold = model.session_hold(driver_id, session_id, amount, enterprise_id)
    try:
        ledger.place_hold(uow, hold, source_id=session_id, expires_at=expires_at, known=known)
    except DomainError as error:
        if error.code != "ledger.account_blocked":
            raise
        detail = "A bank took a payment into this wallet back, and not all of it is made good: no charge can begin."
        raise conflict("wallet.disputed", detail) from error


def hold_what_is_there(
    uow: UnitOfWork,
    *,
    driver_id: str,
    session_id: str,
    most: Money,
    expires_at: datetime,
    enterprise_id: str | None = None,
    known: Money | None = None,
) -> Money:
    """As `place_session_hold`, of no more than the payer has: returns how much that is, perhaps nothing."""
    free = reservable(uow.ctx, driver_id, most.currency, enterprise_id=enterprise_id) if known is None else known
    held = min(most, free)
    if held.amount > 0:
        with of_what_was_read():
            place_session_hold(
                uow,
                driver_id=driver_id,
                session_id=session_id,
                amount=held,
                expires_at=expires_at,
                enterprise_id=enterprise_id,
                known=free,
            )
    return held


def extend_session_hold(
    uow: UnitOfWork,
    *,
    driver_id: str,
    session_id: str,
    held: Money,
    most: Money,
    enterprise_id: str | None = None,
) -> Money:
    """Reserves more for a charging session that runs, `most` and no more than the payer has: returns how much that is,
    perhaps nothing. Three writes. Raises ledger.hold_not_open."""
    free = available(uow.ctx, driver_id, most.currency, enterprise_id=enterprise_id)
    by = min(most, free)
    if by.amount <= 0:
        return Money.zero(most.currency)
    with of_what_was_read():
        hold = model.session_hold(driver_id, session_id, held, enterprise_id)
        ledger.extend_hold(uow, hold, by, source_id=session_id, known=free)
    return by


def settle_session(
    uow: UnitOfWork,
    *,
    driver_id: str,
    session_id: str,
    held: Money,
    cost: Money,
    operator_id: str,
    business_day: str,
    beyond_hold: bool = False,
    most_beyond: Money | None = None,
    enterprise_id: str | None = None,
) -> Settlement:
    """Takes a session's cost out of its hold and gives the rest back: three writes.

    What is above the hold is taken from the payer if `beyond_hold`, as far as it goes and no more than `most_beyond`,
    and is else `uncollected`. Nothing held, nothing written. Raises ledger.hold_not_open.
    """
    if held.amount == 0:
        zero = Money.zero(cost.currency)
        return Settlement(captured=zero, refunded=zero, uncollected=cost)
    draws = beyond_hold and cost > held
    free = Money.zero(held.currency)
    if draws:
        free = available(uow.ctx, driver_id, held.currency, enterprise_id=enterprise_id)
        free = free if most_beyond is None else min(free, most_beyond)
    settlement = model.settle(held, cost, free)
    with of_what_was_read():
        ledger.capture_hold(
            uow,
            model.session_hold(driver_id, session_id, held, enterprise_id),
            taken=settlement.captured,
            to_account_id=income_account(operator_id, held.currency),
            source_id=session_id,
            business_day=business_day,
        )
    return settlement


def release_session_hold(
    uow: UnitOfWork,
    *,
    driver_id: str,
    session_id: str,
    held: Money,
    reason: str = "not_delivered",
    enterprise_id: str | None = None,
) -> None:
    """Gives all of a session's hold back: three writes. Nothing held, nothing written. Raises ledger.hold_not_open."""
    if held.amount:
        hold = model.session_hold(driver_id, session_id, held, enterprise_id)
        ledger.release_hold(uow, hold, source_id=session_id, reason=reason)
