"""Read and write units as AWS counts them, and the ConsumedCapacity of an answer.

Writes: 1 KB steps of the larger of before and after, at least one. Reads: 4 KB steps, half when eventually
consistent. Transactions count double on the table, not on its indexes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.tables import Table

_WRITE_STEP_BYTES = 1024
_READ_STEP_BYTES = 4096
_MODES = frozenset({"NONE", "TOTAL", "INDEXES"})
NO_INDEXES: Mapping[str, float] = {}


class Units(NamedTuple):
    """Units on the table itself and on each index that was touched."""

    table: float
    indexes: Mapping[str, float] = NO_INDEXES

    @property
    def total(self) -> float:
        return self.table + sum(self.indexes.values()) if self.indexes else self.table

    def plus(self, other: Units) -> Units:
        indexes = dict(self.indexes)
        for name, units in other.indexes.items():
            indexes[name] = indexes.get(name, 0) + units
        return Units(self.table + other.table, indexes)


def write_units(size_bytes: int) -> int:
    return -(-size_bytes // _WRITE_STEP_BYTES) or 1


def read_units(size_bytes: int, *, consistent: bool) -> float:
    steps = -(-size_bytes // _READ_STEP_BYTES) or 1
    return float(steps) if consistent else steps / 2


def wanted(request: Mapping[str, Any]) -> str:
    """The request's ReturnConsumedCapacity."""
    mode = request.get("ReturnConsumedCapacity") or "NONE"
    if mode not in _MODES:
        raise validation(
            f"1 validation error detected: Value '{mode}' at 'returnConsumedCapacity' failed to satisfy "
            "constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
        )
    return str(mode)


def report(mode: str, table: Table, units: Units, kind: str = "") -> dict[str, Any]:
    """One ConsumedCapacity; `kind` Read or Write adds the split that transactions show."""
    answer: dict[str, Any] = {"TableName": table.name, "CapacityUnits": float(units.total)}
    if kind:
        answer[f"{kind}CapacityUnits"] = float(units.total)
    if mode != "INDEXES":
        return answer
    answer["Table"] = _entry(units.table, kind)
    for parameter, is_global in (("GlobalSecondaryIndexes", True), ("LocalSecondaryIndexes", False)):
        touched = {
            name: _entry(amount, kind)
            for name, amount in units.indexes.items()
            if table.indexes[name].is_global is is_global
        }
        if touched:
            answer[parameter] = touched
    return answer


def _entry(units: float, kind: str) -> dict[str, float]:
    entry = {"CapacityUnits": float(units)}
    if kind:
        entry[f"{kind}CapacityUnits"] = float(units)
    return entry
