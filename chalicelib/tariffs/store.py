"""Rows of tariffs: immutable versions, heads, assignments. Private to this folder.

Assignments are keyed by operator first: they are listed without an index, and nobody can assign a price to another
operator's charger.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.money import CostRounding
from chalicelib.kernel.table import Row, Table
from chalicelib.tariffs.model import Price, TariffAssignment, TariffElement, TariffHead, TariffVersion

TARIFFS_TABLE = table_name("tariffs")


class ByOperator(GlobalSecondaryIndex[Any]):
    """Heads only: versions store their operator under another name."""

    class Meta:
        index_name = "by_operator"
        projection = KeysOnlyProjection()

    operator_id = UnicodeAttribute(hash_key=True)
    tariff_id = UnicodeAttribute(range_key=True)


class TariffHeadRow(Row):
    class Meta:
        table_name = TARIFFS_TABLE

    by_operator = ByOperator()
    operator_id = UnicodeAttribute()
    tariff_id = UnicodeAttribute()
    version = NumberAttribute()
    updated_at = MomentAttribute()
    deleted_at = MomentAttribute()


class TariffVersionRow(Row):
    class Meta:
        table_name = TARIFFS_TABLE

    tariff_id = UnicodeAttribute(attr_name="version_of")
    operator_id = UnicodeAttribute(attr_name="version_operator")
    version = NumberAttribute()
    name = UnicodeAttribute()
    currency = UnicodeAttribute()
    tax_included = BooleanAttribute()
    elements = ValueAttribute(tuple[TariffElement, ...])
    created_at = MomentAttribute()
    rounding = ValueAttribute(CostRounding)
    purpose = UnicodeAttribute()
    min_price = ValueAttribute(Price)
    max_price = ValueAttribute(Price)
    idle_grace_s = NumberAttribute()


class TariffAssignmentRow(Row):
    class Meta:
        table_name = TARIFFS_TABLE

    operator_id = UnicodeAttribute(attr_name="assigning_operator")
    kind = UnicodeAttribute()
    target_id = UnicodeAttribute()
    tariff_id = UnicodeAttribute(attr_name="assigned_tariff")
    assigned_at = MomentAttribute()
    purpose = UnicodeAttribute()


def head_key(tariff_id: str) -> tuple[str, str]:
    return (f"tariff#{tariff_id}", "head")


def version_key(tariff_id: str, version: int) -> tuple[str, str]:
    return (f"tariff#{tariff_id}", f"v#{version:06d}")


def assignments_pk(operator_id: str) -> str:
    return f"assignment#{operator_id}"


def assignment_key(operator_id: str, kind: str, target_id: str, purpose: str = "selling") -> tuple[str, str]:
    """Charger ids are compared without case, like everywhere."""
    target = f"{kind}:{target_id.lower() if kind == 'charger' else target_id}"
    return (assignments_pk(operator_id), target if purpose == "selling" else f"{purpose}#{target}")


HEADS: Table[TariffHead] = Table(TariffHeadRow, TariffHead, key=lambda head: head_key(head.tariff_id))
VERSIONS: Table[TariffVersion] = Table(
    TariffVersionRow, TariffVersion, key=lambda tariff: version_key(tariff.tariff_id, tariff.version)
)
ASSIGNMENTS: Table[TariffAssignment] = Table(
    TariffAssignmentRow,
    TariffAssignment,
    key=lambda assignment: assignment_key(
        assignment.operator_id, assignment.kind, assignment.target_id, assignment.purpose
    ),
)
