"""Balance transactions: what moved on our Stripe balance, for the reconciliation.

Used by `StripeProvider`. Streams: a page at a time is in memory. What Stripe or its people made by themselves (the
release after a partial capture, a dispute, a refund by hand) does not carry our ids: those are asked for. Sources:
docs.stripe.com/api/balance_transactions, /reports/balance-transaction-types, /reports/reporting-categories.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.payments.providers.port import Movement, MovementKind
from chalicelib.payments.providers.stripe.captures import find_payment_id
from chalicelib.payments.providers.stripe.client import (
    PAGE_SIZE,
    PAYMENT_ID,
    PAYOUT_ID,
    REFUND_ID,
    RELEASE_CATEGORY,
    metadata_of,
    provider_errors,
)
from chalicelib.payments.providers.stripe.units import from_stripe_units

if TYPE_CHECKING:
    import stripe

_KINDS: dict[str, MovementKind] = {
    "charge": "payment",
    "payment": "payment",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund",
    "payment_failure_refund": "refund",
    "transfer": "transfer",
    "transfer_cancel": "transfer",
    "transfer_failure": "transfer",
    "transfer_refund": "transfer",
    "payout": "payout",
    "payout_cancel": "payout",
    "payout_failure": "payout",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "fee",
}
_DISPUTES = ("dispute", "dispute_reversal")  # reporting categories: their type is only "adjustment"


def list_movements(client: stripe.StripeClient, date_from: datetime, date_to: datetime) -> Iterator[Movement]:
    with provider_errors():
        pages = client.v1.balance_transactions.list(
            {
                "created": {"gte": int(date_from.timestamp()), "lt": int(date_to.timestamp())},
                "limit": PAGE_SIZE,
                "expand": ["data.source"],
            }
        )
        for line in pages.auto_paging_iter():
            yield _read_movement(client, line)


def _read_movement(client: stripe.StripeClient, line: stripe.BalanceTransaction) -> Movement:
    source = line.source
    metadata = metadata_of(source)
    payment_id = metadata.get(PAYMENT_ID)
    payment_ref = getattr(source, "payment_intent", None)
    if payment_id is None and isinstance(payment_ref, str):
        payment_id = find_payment_id(client, payment_ref)
    return Movement(
        movement_ref=line.id,
        kind=_kind(line),
        amount=from_stripe_units(line.amount, line.currency),
        fee=from_stripe_units(line.fee, line.currency) if line.fee else None,
        created_at=datetime.fromtimestamp(line.created, UTC),
        source_ref=source if isinstance(source, str) else getattr(source, "id", None),
        payment_id=payment_id,
        refund_id=metadata.get(REFUND_ID),
        payout_id=metadata.get(PAYOUT_ID),
    )


def _kind(line: stripe.BalanceTransaction) -> MovementKind:
    if line.reporting_category == RELEASE_CATEGORY:
        return "payment"
    return "dispute" if line.reporting_category in _DISPUTES else _KINDS.get(line.type, "other")
