"""Top-ups, settlements of charging sessions, what the driver reads: the shapes and rules of wallets. Pure.

A wallet is the ledger account `wallet:<driver>:<currency>`; a driver has one per currency. Amounts are minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.kernel import ids
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money, check_currency
from chalicelib.ledger import model as ledger
from chalicelib.ledger.model import Entry, Hold, Posting

MAX_TOPUP = 1_000_000
"""Minor units of one top-up or adjustment: a slip of the finger shall not move a house."""

Direction = Literal["top_up", "deduct"]
EventType = Literal["top_up", "consumption", "refund", "manual_entry"]

LABELS = {
    "top_up": "Top-up",
    "consumption": "Consumption",
    "refund": "Refunded",
    "manual_entry": "Manual entry",
    "reversal": "Reversal",
}
"""How people read the kinds of entries that touch a wallet."""

TOPUP_LIFECYCLE = Lifecycle(
    noun="topup",
    initial="pending",
    transitions={
        ("pending", "paid"): "credited",
        ("pending", "failed"): "failed",
        # The provider took the money after all: what came in is the driver's.
        ("failed", "paid"): "credited",
        ("failed", "failed"): "failed",
    },
)


@dataclass(frozen=True)
class TopUp:
    """A driver's wish to pay money in, and what became of it."""

    topup_id: str
    driver_id: str
    payment_id: str
    amount: Money
    state: str
    created_at: datetime
    credited_at: datetime | None = None
    failure: str | None = None


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


def check_amount(amount: Money) -> Money:
    """Returns an amount that may be topped up or adjusted. Raises wallet.amount_invalid, currency.invalid."""
    check_currency(amount.currency)
    if not 0 < amount.amount <= MAX_TOPUP:
        raise invalid("wallet.amount_invalid", f"The amount must be 1 to {MAX_TOPUP} minor units.", "/amount/amount")
    return amount


def topup_entry(topup: TopUp, *, provider: str, now: datetime) -> Entry:
    """The provider owes us what the driver may now spend."""
    currency, amount = topup.amount.currency, topup.amount.amount
    wallet = ledger.wallet_account(topup.driver_id, currency)
    return Entry(
        entry_id=ids.derived_id("ent", now, topup.topup_id),
        home_account_id=wallet,
        kind="top_up",
        currency=currency,
        postings=[Posting(wallet, amount), Posting(ledger.clearing_account(provider, currency), -amount)],
        occurred_at=now,
        source_id=topup.topup_id,
    )


def adjustment_entry(
    *,
    entry_id: str,
    driver_id: str,
    operator_id: str,
    direction: Direction,
    amount: Money,
    reason: str,
    business_day: str,
    now: datetime,
) -> Entry:
    """An operator took cash for a wallet, or took value out of it: the other side is the operator's cash account."""
    check_amount(amount)
    signed = amount.amount if direction == "top_up" else -amount.amount
    wallet = ledger.wallet_account(driver_id, amount.currency)
    cash = ledger.cash_account(operator_id, amount.currency)
    return Entry(
        entry_id=entry_id,
        home_account_id=wallet,
        kind="manual_entry",
        currency=amount.currency,
        postings=[Posting(wallet, signed), Posting(cash, -signed)],
        occurred_at=now,
        source_id=operator_id,
        business_day=business_day,
        note=reason,
    )
