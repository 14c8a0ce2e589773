"""What a charging session does to whoever pays for it: a hold, and how it ends. Pure.

A wallet is the ledger account `wallet:<driver>:<currency>`; a driver has one per currency. Where an enterprise pays,
its credit stands for the wallet.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.kernel.money import Money
from chalicelib.ledger import model as ledger
from chalicelib.ledger.model import Hold


@dataclass(frozen=True)
class WalletCurrency:
    """Says that a driver has a wallet in this currency."""

    driver_id: str
    currency: str


@dataclass(frozen=True)
class Settlement:
    """What became of a session's cost: `captured + uncollected` is the cost; `refunded` of the hold went back."""

    captured: Money
    refunded: Money
    uncollected: Money


def paying_account(driver_id: str, currency: str, enterprise_id: str | None = None) -> str:
    """The one account that pays for a session: the driver's wallet, or the credit of an enterprise."""
    if enterprise_id is None:
        return ledger.wallet_account(driver_id, currency)
    return ledger.enterprise_account(enterprise_id, currency)


def session_hold(driver_id: str, session_id: str, amount: Money, enterprise_id: str | None = None) -> Hold:
    """The hold of a charging session in the account that pays for it. ValueError for an id that is not a prefixed
    ULID."""
    account_id = paying_account(driver_id, amount.currency, enterprise_id)
    return Hold(ledger.hold_id(account_id, session_id), account_id, ledger.hold_account(session_id), amount)


def settle(held: Money, cost: Money, available: Money) -> Settlement:
    """Cost against hold: no more than was held plus what is `available` (nothing, for a charge by amount)."""
    zero = Money.zero(held.currency)
    captured = max(zero, min(cost, held + max(zero, available)))
    return Settlement(captured, max(zero, held - captured), max(zero, cost - captured))
