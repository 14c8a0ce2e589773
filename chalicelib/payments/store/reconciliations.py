"""Rows of reconciliations: the days, and what provider and books disagree about. Private to payments.

A difference is one row; the lists of days and of what is open name it.
"""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.payments.model import (
    ByCurrency,
    DayDifference,
    Difference,
    HourSums,
    OpenDifference,
    Reconciliation,
)

TABLE = table_name("payments")
RECONCILIATIONS_PK = "reconciliations"
OPEN_DIFFERENCES_PK = "open_differences"


class ReconciliationRow(Row):
    class Meta:
        table_name = TABLE

    day = UnicodeAttribute()
    provider = UnicodeAttribute()
    state = UnicodeAttribute()
    started_at = MomentAttribute()
    requested_by = UnicodeAttribute(null=True)
    finished_at = MomentAttribute(null=True)
    hours = ValueAttribute(dict[str, HourSums])
    opened = NumberAttribute()
    settling = NumberAttribute()
    healed = NumberAttribute()
    revision = NumberAttribute()


class DifferenceRow(Row):
    class Meta:
        table_name = TABLE

    difference_id = UnicodeAttribute()
    provider = UnicodeAttribute()
    kind = UnicodeAttribute()
    item_id = UnicodeAttribute()
    state = UnicodeAttribute()
    parts = ValueAttribute(dict[str, ByCurrency])
    first_at = MomentAttribute()
    latest_at = MomentAttribute()
    found_at = MomentAttribute()
    changed_at = MomentAttribute()
    code = UnicodeAttribute(null=True)
    payment_id = UnicodeAttribute(attr_name="about_payment", null=True)
    refund_id = UnicodeAttribute(null=True)
    source_ref = UnicodeAttribute(null=True)
    opened_at = MomentAttribute(null=True)
    closed_at = MomentAttribute(null=True)
    closed_by = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    accepted = ValueAttribute(dict[str, int], null=True)
    healed_at = MomentAttribute(null=True)
    revision = NumberAttribute()


class DayDifferenceRow(Row):
    class Meta:
        table_name = TABLE

    provider = UnicodeAttribute()
    hour = UnicodeAttribute()
    difference_id = UnicodeAttribute()


class OpenDifferenceRow(Row):
    class Meta:
        table_name = TABLE

    provider = UnicodeAttribute()
    difference_id = UnicodeAttribute()


def reconciliation_sk(day: str, provider: str) -> str:
    return f"{day}#{provider}"


def difference_pk(difference_id: str) -> str:
    return f"difference#{difference_id}"


def day_pk(provider: str, day: str) -> str:
    return f"reconciliation#{provider}#{day}"


def hour_sk(hour: str, difference_id: str = "") -> str:
    """`hour` YYYY-MM-DDThh."""
    return f"difference#{hour}#{difference_id}"


RECONCILIATIONS: Table[Reconciliation] = Table(
    ReconciliationRow,
    Reconciliation,
    key=lambda day: (RECONCILIATIONS_PK, reconciliation_sk(day.day, day.provider)),
)
DIFFERENCES: Table[Difference] = Table(
    DifferenceRow, Difference, key=lambda difference: (difference_pk(difference.difference_id), "difference")
)
DAY_DIFFERENCES: Table[DayDifference] = Table(
    DayDifferenceRow,
    DayDifference,
    key=lambda entry: (day_pk(entry.provider, entry.hour[:10]), hour_sk(entry.hour, entry.difference_id)),
)
OPEN_DIFFERENCES: Table[OpenDifference] = Table(
    OpenDifferenceRow,
    OpenDifference,
    key=lambda entry: (OPEN_DIFFERENCES_PK, f"{entry.provider}#{entry.difference_id}"),
)
