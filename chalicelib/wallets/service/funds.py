"""What a driver has: per currency, on conditions, and whether a charge keeps some of it.

Called by charging, drivers' leaving, the wallets' own endpoints. Nothing is committed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import wallet_account
from chalicelib.wallets import model
from chalicelib.wallets.model import WalletCurrency
from chalicelib.wallets.store import WALLET_CURRENCIES, WalletCurrencyRow, wallet_pk

MAX_CURRENCIES = 50


def available(
    ctx: Context, driver_id: str, currency: str, *, enterprise_id: str | None = None, consistent: bool = True
) -> Money:
    """What the payer may spend now: the balance, from which holds are already gone."""
    return ledger.balance(ctx, model.paying_account(driver_id, currency, enterprise_id), consistent=consistent)


def reservable(
    ctx: Context, driver_id: str, currency: str, *, enterprise_id: str | None = None, consistent: bool = True
) -> Money:
    """What a charge may begin with: as `available`, and nothing of a wallet that is disputed."""
    return ledger.reservable(ctx, model.paying_account(driver_id, currency, enterprise_id), consistent=consistent)


def is_disputed(ctx: Context, driver_id: str, currency: str) -> bool:
    """Whether a bank took a payment into the wallet back, and what is missing is not made good: it begins no charge."""
    return ledger.is_blocked(ctx, wallet_account(driver_id, currency))


def balances(ctx: Context, driver_id: str) -> list[Money]:
    """What the driver may spend, per currency; the platform's own currency is always among them."""
    return [available(ctx, driver_id, currency) for currency in currencies_of(ctx, driver_id)]


def expect_unmoved(uow: UnitOfWork, driver_id: str) -> list[Money]:
    """As `balances`, on the condition that nothing moves them until the commit: StaleRead then."""
    return [
        ledger.expect_unmoved(uow, wallet_account(driver_id, currency))
        for currency in currencies_of(uow.ctx, driver_id)
    ]


def expect_untouched(uow: UnitOfWork, driver_id: str, currencies: Iterable[str]) -> bool:
    """Whether no money was ever in the driver's wallets, those of `currencies` among them, on the condition that none
    is until the commit."""
    accounts = [wallet_account(driver_id, each) for each in {*currencies_of(uow.ctx, driver_id), *currencies}]
    return all(ledger.expect_untouched(uow, account_id) for account_id in sorted(accounts))


def has_open_hold(ctx: Context, driver_id: str, since: datetime) -> bool:
    """Whether a charge that was begun since then has money of the driver's; strongly consistent, unlike lists of
    sessions."""
    accounts = (wallet_account(driver_id, currency) for currency in currencies_of(ctx, driver_id))
    return any(ledger.has_open_hold(ctx, account_id, since) for account_id in accounts)


def currencies_of(ctx: Context, driver_id: str) -> list[str]:
    page = WALLET_CURRENCIES.query(
        ctx, wallet_pk(driver_id), WalletCurrencyRow.sk.startswith("currency#"), consistent=True, limit=MAX_CURRENCIES
    )
    return sorted({wallet.currency for wallet in page.data} | {ctx.settings.default_currency})


def remember_currency(uow: UnitOfWork, driver_id: str, currency: str) -> None:
    uow.put(WALLET_CURRENCIES, WalletCurrency(driver_id, currency))


@contextmanager
def of_what_was_read() -> Iterator[None]:
    """For amounts that were cut to the balance: too little now means that somebody was faster, and is no refusal (a
    charger's frame that is refused is not stored)."""
    try:
        yield
    except DomainError as error:
        if error.code != "ledger.insufficient_funds":
            raise
        raise StaleRead("The balance") from error
