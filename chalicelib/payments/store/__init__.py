"""Rows of payments: the payments, their refunds, payouts and whom they are paid to, and the provider's notifications
that were acted upon. Private to this folder.

`unresolved` is there only while somebody has to look: its index holds the work lists of the reconciliation.
`operator_id` only where a payment was made at a charger, or for an operator's top-up package.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.ledger.model import Posting
from chalicelib.payments.model import (
    CaptureOrder,
    PayeeName,
    Payment,
    PaymentSite,
    Payout,
    PayoutAccount,
    Refund,
    SeenEvent,
    Work,
)

TABLE = table_name("payments")
WORK_LISTS: dict[Work, str] = {
    "undecided": "unresolved",
    "due": "due",
    "authorized": "authorized",
    "fee": "fee",
}
UNRESOLVED = WORK_LISTS["undecided"]
UNFINISHED_REFUNDS = "refund"
UNFINISHED_PAYOUTS = "payout"


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


class PaymentsByOperator(GlobalSecondaryIndex[Any]):
    """The payments made at an operator's chargers, and for its top-up packages."""

    class Meta:
        index_name = "by_operator"
        projection = KeysOnlyProjection()

    operator_id = UnicodeAttribute(hash_key=True)
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
    capture = UnicodeAttribute(default="automatic")
    site = ValueAttribute(PaymentSite, null=True)
    authorized = MoneyAttribute(null=True)
    authorization_expires_at = MomentAttribute(null=True)
    ending_told_at = MomentAttribute(null=True)
    country = UnicodeAttribute(null=True)
    order = ValueAttribute(CaptureOrder, null=True)
    refunded = MoneyAttribute(null=True)
    fee_given_up = BooleanAttribute(default=False)
    disputes = ValueAttribute(dict[str, str], null=True)
    offered_by = UnicodeAttribute(null=True)
    revision = NumberAttribute(default=0)
    created_day = UnicodeAttribute()
    operator_id = UnicodeAttribute(null=True)
    unresolved = UnicodeAttribute(null=True)
    by_payer = PaymentsByPayer()
    by_day = PaymentsByDay()
    by_operator = PaymentsByOperator()
    unresolved_payments = UnresolvedPayments()


class RefundRow(Row):
    """Beside its payment. While it is unfinished it is in the index of what has to be looked at."""

    class Meta:
        table_name = TABLE

    refund_id = UnicodeAttribute()
    payment_id = UnicodeAttribute()
    provider = UnicodeAttribute()
    amount = MoneyAttribute()
    reason = UnicodeAttribute()
    from_account_id = UnicodeAttribute()
    requested_by = UnicodeAttribute()
    requested_at = MomentAttribute()
    changed_at = MomentAttribute()
    state = UnicodeAttribute()
    business_day = UnicodeAttribute(null=True)
    beside = ValueAttribute(list[Posting])
    refund_ref = UnicodeAttribute(null=True)
    failure = UnicodeAttribute(null=True)
    attempt = NumberAttribute()
    unresolved = UnicodeAttribute(null=True)


class PayoutRow(Row):
    """While it is unfinished it is in the index of what has to be looked at, under its own id."""

    class Meta:
        table_name = TABLE

    payout_id = UnicodeAttribute()
    organization_id = UnicodeAttribute()
    provider = UnicodeAttribute()
    payee_ref = UnicodeAttribute()
    amount = MoneyAttribute()
    description = UnicodeAttribute()
    requested_at = MomentAttribute()
    changed_at = MomentAttribute()
    state = UnicodeAttribute()
    payout_ref = UnicodeAttribute(null=True)
    failure = UnicodeAttribute(null=True)
    arrives_at = MomentAttribute(null=True)
    unresolved = UnicodeAttribute(null=True)
    payment_id = UnicodeAttribute(null=True)


class PayoutAccountRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    provider = UnicodeAttribute()
    email = UnicodeAttribute()
    country = UnicodeAttribute()
    name = UnicodeAttribute()
    requested_at = MomentAttribute()
    changed_at = MomentAttribute()
    payee_ref = UnicodeAttribute(null=True)
    payouts_enabled = BooleanAttribute()
    revision = NumberAttribute()


class PayeeNameRow(Row):
    """A provider's notification names its account alone."""

    class Meta:
        table_name = TABLE

    provider = UnicodeAttribute()
    payee_ref = UnicodeAttribute()
    organization_id = UnicodeAttribute()


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


def refund_sk(refund_id: str) -> str:
    return f"refund#{refund_id}"


def payout_pk(payout_id: str) -> str:
    return f"payout#{payout_id}"


def payout_account_pk(organization_id: str) -> str:
    return f"payout_account#{organization_id}"


def payee_name_pk(provider: str, payee_ref: str) -> str:
    return f"payee#{provider}#{payee_ref}"


def event_pk(provider: str, event_id: str) -> str:
    return f"event#{provider}#{event_id}"


def _index_keys(payment: Payment) -> dict[str, Any]:
    return {
        "created_day": payment.created_at.date().isoformat(),
        "operator_id": payment.listed_for,
        "unresolved": None if payment.work is None else WORK_LISTS[payment.work],
    }


PAYMENTS: Table[Payment] = Table(
    PaymentRow, Payment, key=lambda payment: (payment_pk(payment.payment_id), "payment"), extra=_index_keys
)
REFUNDS: Table[Refund] = Table(
    RefundRow,
    Refund,
    key=lambda refund: (payment_pk(refund.payment_id), refund_sk(refund.refund_id)),
    extra=lambda refund: {"unresolved": UNFINISHED_REFUNDS if refund.is_unfinished else None},
)
PAYOUTS: Table[Payout] = Table(
    PayoutRow,
    Payout,
    key=lambda payout: (payout_pk(payout.payout_id), "payout"),
    extra=lambda payout: (
        {"unresolved": UNFINISHED_PAYOUTS, "payment_id": payout.payout_id} if payout.is_unfinished else {}
    ),
)
PAYOUT_ACCOUNTS: Table[PayoutAccount] = Table(
    PayoutAccountRow,
    PayoutAccount,
    key=lambda account: (payout_account_pk(account.organization_id), account.provider),
)
PAYEE_NAMES: Table[PayeeName] = Table(
    PayeeNameRow, PayeeName, key=lambda name: (payee_name_pk(name.provider, name.payee_ref), "payee")
)
SEEN_EVENTS: Table[SeenEvent] = Table(
    SeenEventRow, SeenEvent, key=lambda event: (event_pk(event.provider, event.event_id), "event")
)
