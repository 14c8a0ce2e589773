"""Rows of payments: the payments, and the provider's notifications that were acted upon. Private to this folder.

`unresolved` is there only while a payment is undecided: its index is the work list of the reconciliation.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.payments.model import Payment, SeenEvent

TABLE = table_name("payments")
UNRESOLVED = "unresolved"


class PaymentsByPayer(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_payer"
        projection = KeysOnlyProjection()

    payer_id = UnicodeAttribute(hash_key=True)
    payment_id = UnicodeAttribute(range_key=True)


class PaymentsByDay(GlobalSecondaryIndex[Any]):
    """`created_day` is the UTC day, as providers cut their lists."""

    class Meta:
        index_name = "by_day"
        projection = KeysOnlyProjection()

    created_day = UnicodeAttribute(hash_key=True)
    payment_id = UnicodeAttribute(range_key=True)


class UnresolvedPayments(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "unresolved"
        projection = KeysOnlyProjection()

    unresolved = UnicodeAttribute(hash_key=True)
    payment_id = UnicodeAttribute(range_key=True)


class PaymentRow(Row):
    class Meta:
        table_name = TABLE

    payment_id = UnicodeAttribute()
    state = UnicodeAttribute()
    provider = UnicodeAttribute()
    purpose = UnicodeAttribute()
    purpose_id = UnicodeAttribute()
    payer_id = UnicodeAttribute()
    amount = MoneyAttribute()
    description = UnicodeAttribute()
    success_url = UnicodeAttribute()
    cancel_url = UnicodeAttribute()
    created_at = MomentAttribute()
    checkout_expires_at = MomentAttribute()
    changed_at = MomentAttribute()
    payer_email = UnicodeAttribute(null=True)
    provider_ref = UnicodeAttribute(null=True)
    redirect_url = UnicodeAttribute(null=True)
    captured = MoneyAttribute(null=True)
    fee = MoneyAttribute(null=True)
    payment_ref = UnicodeAttribute(null=True)
    method = UnicodeAttribute(null=True)
    failure = UnicodeAttribute(null=True)
    failure_detail = UnicodeAttribute(null=True)
    created_day = UnicodeAttribute()
    unresolved = UnicodeAttribute(null=True)
    by_payer = PaymentsByPayer()
    by_day = PaymentsByDay()
    unresolved_payments = UnresolvedPayments()


class SeenEventRow(Row):
    class Meta:
        table_name = TABLE

    provider = UnicodeAttribute()
    event_id = UnicodeAttribute()
    provider_type = UnicodeAttribute()
    payment_id = UnicodeAttribute(attr_name="about_payment")
    received_at = MomentAttribute()


def payment_pk(payment_id: str) -> str:
    return f"payment#{payment_id}"


def event_pk(provider: str, event_id: str) -> str:
    return f"event#{provider}#{event_id}"


def _index_keys(payment: Payment) -> dict[str, Any]:
    return {
        "created_day": payment.created_at.date().isoformat(),
        "unresolved": UNRESOLVED if payment.is_unresolved else None,
    }


PAYMENTS: Table[Payment] = Table(
    PaymentRow, Payment, key=lambda payment: (payment_pk(payment.payment_id), "payment"), extra=_index_keys
)
SEEN_EVENTS: Table[SeenEvent] = Table(
    SeenEventRow, SeenEvent, key=lambda event: (event_pk(event.provider, event.event_id), "event")
)
