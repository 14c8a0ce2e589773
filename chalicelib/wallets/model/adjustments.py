"""What an operator's people book into a wallet by hand: cash taken for it, or given back out of it. Pure.

Invariant: an operator takes no more out of a driver's wallet than its own people put in as cash and is still there
(`cash`). Everything else in there was paid to the platform, and is not the operator's to take.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.money import Money
from chalicelib.ledger import model as ledger
from chalicelib.ledger.model import Entry, Posting
from chalicelib.wallets.model.topups import TopUpRecord, check_amount, record_id_of

Direction = Literal["top_up", "deduct"]


@dataclass(frozen=True)
class CashBalance:
    """What an operator took from a driver in cash for the wallet, less what it gave back: minor units."""

    driver_id: str
    operator_id: str
    currency: str
    net: int = 0


def deduct_exceeds_cash(left: Money) -> DomainError:
    detail = f"Of the cash that you took from this driver {left} is left, and no more can be taken out of the wallet."
    return conflict("wallet.deduct_exceeds_cash", detail, "/amount/amount")


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


def adjustment_records(entry: Entry, driver_id: str, entered_by: str | None, platform_id: str) -> list[TopUpRecord]:
    """The lines of an adjustment in the lists of the operator and of the platform."""
    record = TopUpRecord(
        record_id=record_id_of(entry),
        listed_for=platform_id,
        source="manual",
        driver_id=driver_id,
        amount=Money(entry.home_amount, entry.currency),
        occurred_at=entry.occurred_at,
        transaction_id=entry.entry_id,
        operator_id=entry.source_id,
        reason=entry.note,
        entered_by=entered_by,
    )
    return [replace(record, listed_for=owner) for owner in dict.fromkeys((platform_id, entry.source_id))]
