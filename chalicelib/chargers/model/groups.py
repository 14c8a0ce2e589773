"""Groups of chargers, and their sub-groups. Pure.

A group says who may charge from the phone at chargers that are not public, and is what chargers are found by. Where it
hangs never changes: `path` names the groups above it, the topmost first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chalicelib.kernel.errors import invalid

MAX_DEPTH: Final = 5


@dataclass(frozen=True)
class ChargerGroup:
    """`charger_count` and `subgroup_count` are of what is right below: they change with it, and a group that goes has
    none. `revision` counts what people changed."""

    group_id: str
    operator_id: str
    name: str
    created_at: datetime
    parent_id: str | None = None
    path: list[str] = field(default_factory=list)
    description: str | None = None
    charger_count: int = 0
    subgroup_count: int = 0
    revision: int = 1

    @property
    def lineage(self) -> tuple[str, ...]:
        """The groups above it and itself."""
        return (*self.path, self.group_id)


@dataclass(frozen=True)
class GroupMember:
    """A driver who may charge at the chargers of a group and of its sub-groups, public or not."""

    group_id: str
    driver_id: str
    added_at: datetime


def path_below(parent: ChargerGroup | None) -> list[str]:
    """The path of a new sub-group. Raises charger_group.too_deep (422)."""
    path = [] if parent is None else list(parent.lineage)
    if len(path) >= MAX_DEPTH:
        raise invalid("charger_group.too_deep", f"Groups are at most {MAX_DEPTH} deep.", "/parent_id")
    return path
