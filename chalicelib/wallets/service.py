"""Use cases of wallets: what a driver may spend, holds of charging sessions, top-ups, adjustments.

Called by charging (holds and their settlement), the wallets' own endpoints and consumers. Nothing is committed
here. Invariants: a wallet never goes below zero; a session's hold ends once; a top-up is credited once. Where a
session names an `enterprise_id`, its credit stands for the wallet, and the wallet is not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.identity.model.settings import check_topup
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, income_account, wallet_account
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment
from chalicelib.wallets import model
from chalicelib.wallets.model import (
    TOPUP_LIFECYCLE,
    Direction,
    EventType,
    Settlement,
    TopUp,
    WalletCurrency,
)
from chalicelib.wallets.store import TOPUPS, WALLET_CURRENCIES, TopUpRow, WalletCurrencyRow, topup_pk, wallet_pk

MAX_CURRENCIES = 50


def available(
    ctx: Context, driver_id: str, currency: str, *, enterprise_id: str | None = None, consistent: bool = True
) -> Money:
    """What the payer may spend now: the balance, from which holds are already gone."""
    return ledger.balance(ctx, model.paying_account(driver_id, currency, enterprise_id), consistent=consistent)


def place_session_hold(
    uow: UnitOfWork,
    *,
    driver_id: str,
    session_id: str,
    amount: Money,
    expires_at: datetime,
    enterprise_id: str | None = None,
) -> None:
    """Reserves money for a charging session: two writes. `expires_at`: when even the longest session is over; a hold
    that is open later is reported by the nightly proof.

    Raises ledger.insufficient_funds, ledger.hold_amount, ledger.entry_conflict (the session has its hold).
    """
    hold = model.session_hold(driver_id, session_id, amount, enterprise_id)
    ledger.place_hold(uow, hold, source_id=session_id, expires_at=expires_at)


def hold_what_is_there(
    uow: UnitOfWork,
    *,
    driver_id: str,
    session_id: str,
    most: Money,
    expires_at: datetime,
    enterprise_id: str | None = None,
) -> Money:
    """As `place_session_hold`, of no more than the payer has: returns how much that is, perhaps nothing."""
    held = min(most, available(uow.ctx, driver_id, most.currency, enterprise_id=enterprise_id))
    if held.amount > 0:
        with _of_what_was_read():
            place_session_hold(
                uow,
                driver_id=driver_id,
                session_id=session_id,
                amount=held,
                expires_at=expires_at,
                enterprise_id=enterprise_id,
            )
    return held


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
    with _of_what_was_read():
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


def balances(ctx: Context, driver_id: str) -> list[Money]:
    """What the driver may spend, per currency; the platform's own currency is always among them."""
    return [available(ctx, driver_id, currency) for currency in _currencies(ctx, driver_id)]


def expect_unmoved(uow: UnitOfWork, driver_id: str) -> list[Money]:
    """As `balances`, on the condition that nothing moves them until the commit: StaleRead then."""
    return [
        ledger.expect_unmoved(uow, wallet_account(driver_id, currency)) for currency in _currencies(uow.ctx, driver_id)
    ]


def expect_untouched(uow: UnitOfWork, driver_id: str, currencies: Iterable[str]) -> bool:
    """Whether no money was ever in the driver's wallets, those of `currencies` among them, on the condition that none
    is until the commit."""
    accounts = [wallet_account(driver_id, each) for each in {*_currencies(uow.ctx, driver_id), *currencies}]
    return all(ledger.expect_untouched(uow, account_id) for account_id in sorted(accounts))


def has_open_hold(ctx: Context, driver_id: str, since: datetime) -> bool:
    """Whether a charge that was begun since then has money of the driver's; strongly consistent, unlike lists of
    sessions."""
    accounts = (wallet_account(driver_id, currency) for currency in _currencies(ctx, driver_id))
    return any(ledger.has_open_hold(ctx, account_id, since) for account_id in accounts)


def _currencies(ctx: Context, driver_id: str) -> list[str]:
    page = WALLET_CURRENCIES.query(
        ctx, wallet_pk(driver_id), WalletCurrencyRow.sk.startswith("currency#"), consistent=True, limit=MAX_CURRENCIES
    )
    return sorted({wallet.currency for wallet in page.data} | {ctx.settings.default_currency})


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
    wallet = wallet_account(driver_id, currency)

    def keep(entry: Entry) -> bool:
        amount = entry.home_amount
        if amount == 0 or (event_type is not None and entry.kind != event_type):
            return False
        return direction == "all" or (amount > 0) == (direction == "income")

    return ledger.list_entries(ctx, wallet, date_from=date_from, date_to=date_to, keep=keep, limit=limit, cursor=cursor)


def begin_topup(
    uow: UnitOfWork, *, topup_id: str, payment_id: str, driver_id: str, amount: Money, payer_email: str | None = None
) -> tuple[TopUp, Payment]:
    """Makes a top-up and its payment, or finds the ones of these ids (a request that is tried again).

    Raises wallet.amount_invalid, wallet.amount_out_of_bounds, currency.invalid.
    """
    known = TOPUPS.get(uow.ctx, topup_pk(topup_id), "topup")
    if known is not None:
        return known, payments.require_payment(uow.ctx, known.payment_id)
    model.check_amount(amount)
    check_topup(identity.payments_of(uow.ctx, PLATFORM_ID), amount)
    payment = payments.create_payment(
        uow,
        payment_id=payment_id,
        purpose="topup",
        purpose_id=topup_id,
        payer_id=driver_id,
        amount=amount,
        description="Wallet top-up",
        payer_email=payer_email,
    )
    topup = TopUp(
        topup_id=topup_id,
        driver_id=driver_id,
        payment_id=payment_id,
        amount=amount,
        state=TOPUP_LIFECYCLE.initial,
        created_at=uow.ctx.now(),
    )
    uow.create(TOPUPS, topup)
    _remember_currency(uow, driver_id, amount.currency)
    return topup, payment


def credit_topup(uow: UnitOfWork, topup_id: str, *, provider: str) -> bool:
    """Puts the money of a paid top-up into the wallet; False when it was there already. Raises topup.not_found."""
    topup = require_topup(uow.ctx, topup_id)
    if topup.state == "credited":
        return False
    now = uow.ctx.now()
    credited = replace(topup, state=TOPUP_LIFECYCLE.next(topup.state, "paid"), credited_at=now, failure=None)
    _save(uow, topup, credited)
    ledger.post(uow, model.topup_entry(topup, provider=provider, now=now))
    return True


def fail_topup(uow: UnitOfWork, topup_id: str, *, failure: str) -> None:
    """Nothing was paid. A top-up that is credited stays so (events overtake each other)."""
    topup = require_topup(uow.ctx, topup_id)
    if TOPUP_LIFECYCLE.allows(topup.state, "failed"):
        _save(uow, topup, replace(topup, state=TOPUP_LIFECYCLE.next(topup.state, "failed"), failure=failure))


def require_topup(ctx: Context, topup_id: str) -> TopUp:
    topup = TOPUPS.get(ctx, topup_pk(topup_id), "topup")
    if topup is None:
        raise not_found("topup", topup_id)
    return topup


def list_topups(ctx: Context, driver_id: str, *, limit: int, cursor: str | None) -> Page[TopUp]:
    """A driver's top-ups, newest first."""
    return page_of(TOPUPS.walk(ctx, driver_id, index=TopUpRow.by_driver, newest_first=True, cursor=cursor), limit)


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
) -> Entry:
    """Books cash that an operator took for a wallet, or value it takes out, with the reason.

    Raises wallet.amount_invalid, wallet.amount_out_of_bounds, currency.invalid, ledger.insufficient_funds,
    ledger.entry_conflict.
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
    ledger.post(uow, entry)
    if direction == "top_up":
        _remember_currency(uow, driver_id, amount.currency)
    return entry


@contextmanager
def _of_what_was_read() -> Iterator[None]:
    """For amounts that were cut to the balance: too little now means that somebody was faster, and is no refusal (a
    charger's frame that is refused is not stored)."""
    try:
        yield
    except DomainError as error:
        if error.code != "ledger.insufficient_funds":
            raise
        raise StaleRead("The balance") from error


def _remember_currency(uow: UnitOfWork, driver_id: str, currency: str) -> None:
    uow.put(WALLET_CURRENCIES, WalletCurrency(driver_id, currency))


def _save(uow: UnitOfWork, before: TopUp, after: TopUp) -> None:
    uow.put(TOPUPS, after, condition=TopUpRow.state == before.state, on_conflict=StaleRead("The top-up"))
