"""Rows of disputes, and the lists of them. Private to payments.

A dispute has a partition of its own; `payment_id` is in the index of what has to be looked at while it is unfinished.
What the other indexes are keyed by has other names here: a dispute is none of a payer's or an operator's payments.
"""

from __future__ import annotations

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.payments.model import Dispute, ListedDispute

TABLE = table_name("payments")
UNFINISHED_DISPUTES = "dispute"


class DisputeRow(Row):
    class Meta:
        table_name = TABLE

    dispute_id = UnicodeAttribute()
    dispute_ref = UnicodeAttribute()
    payment_id = UnicodeAttribute()
    provider = UnicodeAttribute()
    purpose = UnicodeAttribute()
    purpose_id = UnicodeAttribute()
    payer_id = UnicodeAttribute(attr_name="disputed_by")
    state = UnicodeAttribute()
    amount = MoneyAttribute()
    opened_at = MomentAttribute()
    noted_at = MomentAttribute()
    changed_at = MomentAttribute()
    asked_at = MomentAttribute()
    operator_id = UnicodeAttribute(attr_name="at_operator", null=True)
    reason = UnicodeAttribute(null=True)
    respond_by = MomentAttribute(null=True)
    closed_at = MomentAttribute(null=True)
    taken = ValueAttribute(dict[str, int])
    fees = ValueAttribute(dict[str, int])
    booked = ValueAttribute(list[str])
    withheld = NumberAttribute()
    bonus_withheld = NumberAttribute()
    recovered = NumberAttribute()
    borne = NumberAttribute()
    loser_id = UnicodeAttribute(null=True)
    is_blocking = BooleanAttribute()
    answered_at = MomentAttribute(null=True)
    settled_at = MomentAttribute(null=True)
    forgiven_at = MomentAttribute(null=True)
    revision = NumberAttribute()
    unresolved = UnicodeAttribute(null=True)


class ListedDisputeRow(Row):
    class Meta:
        table_name = TABLE

    listed_for = UnicodeAttribute()
    opened_at = MomentAttribute()
    dispute_id = UnicodeAttribute()


def dispute_pk(dispute_id: str) -> str:
    return f"dispute#{dispute_id}"


def disputes_pk(listed_for: str) -> str:
    return f"disputes#{listed_for}"


DISPUTES: Table[Dispute] = Table(
    DisputeRow,
    Dispute,
    key=lambda dispute: (dispute_pk(dispute.dispute_id), "dispute"),
    extra=lambda dispute: {"unresolved": UNFINISHED_DISPUTES if dispute.is_unfinished else None},
)
LISTED_DISPUTES: Table[ListedDispute] = Table(
    ListedDisputeRow,
    ListedDispute,
    key=lambda entry: (disputes_pk(entry.listed_for), f"{entry.opened_at.isoformat()}#{entry.dispute_id}"),
)
