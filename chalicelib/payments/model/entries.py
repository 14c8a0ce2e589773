"""What payments post to the ledger. Pure.

Ids of a payment's own entries are derived from it, so that none is posted twice; those that stand in a wallet carry
the moment of their posting, by which its owner reads them. Transit accounts (`captures`, `refunds`) hold what the
provider has not confirmed yet.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import (
    Entry,
    Posting,
    captures_account,
    clearing_account,
    fees_account,
    refunds_account,
)
from chalicelib.payments.model.payments import CaptureOrder, Payment
from chalicelib.payments.model.refunds import Refund


def capture_entry_id(payment: Payment) -> str:
    return derived_id("ent", payment.created_at, payment.payment_id, "capture")


def capture_entry(payment: Payment, order: CaptureOrder, now: datetime) -> Entry:
    """A guest's session has ended: what it cost is income, and on its way."""
    home = captures_account(payment.provider, order.amount.currency)
    amount = order.amount.amount
    return Entry(
        entry_id=capture_entry_id(payment),
        home_account_id=home,
        kind="capture",
        currency=order.amount.currency,
        postings=[Posting(order.income_account_id, amount), Posting(home, -amount)],
        occurred_at=now,
        source_id=order.source_id,
        business_day=order.business_day,
    )


def captured_entry(payment: Payment, captured: Money, now: datetime) -> Entry:
    """The provider has taken the money: it owes it to us."""
    home = captures_account(payment.provider, captured.currency)
    clearing = clearing_account(payment.provider, captured.currency)
    return Entry(
        entry_id=derived_id("ent", payment.created_at, payment.payment_id, "captured"),
        home_account_id=home,
        kind="capture",
        currency=captured.currency,
        postings=[Posting(home, captured.amount), Posting(clearing, -captured.amount)],
        occurred_at=now,
        source_id=payment.payment_id,
    )


def fee_entry(payment: Payment, fee: Money, now: datetime) -> Entry:
    """What the provider kept, in the currency in which it keeps it."""
    home = fees_account(payment.provider, fee.currency)
    return Entry(
        entry_id=derived_id("ent", payment.created_at, payment.payment_id, "fee"),
        home_account_id=home,
        kind="fee",
        currency=fee.currency,
        postings=[Posting(home, -fee.amount), Posting(clearing_account(payment.provider, fee.currency), fee.amount)],
        occurred_at=now,
        source_id=payment.payment_id,
    )


def refund_entry(refund: Refund, now: datetime) -> Entry:
    """Asked for: out of the wallet, or out of income, and on its way."""
    transit = refunds_account(refund.provider, refund.amount.currency)
    taken = refund.amount.amount + sum(posting.amount for posting in refund.beside)
    return Entry(
        entry_id=derived_id("ent", now, refund.refund_id, "asked"),
        home_account_id=refund.from_account_id if refund.is_of_wallet else transit,
        kind="payment_refund",
        currency=refund.amount.currency,
        postings=[Posting(refund.from_account_id, -taken), Posting(transit, refund.amount.amount), *refund.beside],
        occurred_at=now,
        source_id=refund.refund_id,
        business_day=refund.business_day,
        note=refund.reason,
    )


def refunded_entry(refund: Refund, now: datetime, *, is_back: bool = False) -> Entry:
    """The provider has paid it back; `is_back`: it came back from the payer's bank."""
    transit = refunds_account(refund.provider, refund.amount.currency)
    amount = -refund.amount.amount if is_back else refund.amount.amount
    step = f"{'back' if is_back else 'paid'}-{refund.attempt}"
    return Entry(
        entry_id=derived_id("ent", refund.requested_at, refund.refund_id, step),
        home_account_id=transit,
        kind="payment_refund",
        currency=refund.amount.currency,
        postings=[
            Posting(transit, -amount),
            Posting(clearing_account(refund.provider, refund.amount.currency), amount),
        ],
        occurred_at=now,
        source_id=refund.refund_id,
    )


def returned_entry(refund: Refund, now: datetime, business_day: str | None) -> Entry:
    """It failed for good: the wallet has its money again, and a bonus that went with it."""
    asked = refund_entry(refund, now)
    return Entry(
        entry_id=derived_id("ent", now, refund.refund_id, "returned"),
        home_account_id=asked.home_account_id,
        kind="payment_refund",
        currency=asked.currency,
        postings=[Posting(posting.account_id, -posting.amount) for posting in asked.postings],
        occurred_at=now,
        source_id=refund.refund_id,
        business_day=business_day if refund.beside else None,
        note=refund.failure,
    )
