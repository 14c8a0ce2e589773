"""Merge patches onto rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.table import Table, actions_of
from chalicelib.kernel.unit_of_work import UnitOfWork


def set_named(
    uow: UnitOfWork,
    table: Table[Any],
    key: tuple[str, str],
    changes: Mapping[str, Any],
    condition: Condition | None = None,
) -> None:
    """Only what was named is written, None clears: two people who edit different fields do not undo each other."""
    if changes:
        exists = table.row.pk.exists()
        unchanged = exists if condition is None else exists & condition
        uow.update(table, key, actions_of(table.row, changes), condition=unchanged, on_conflict=StaleRead("The row"))
