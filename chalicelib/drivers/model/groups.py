"""Groups of drivers: an operator puts drivers together who pay a price of their own. Pure.

A driver is in one group of an operator at most, so that there is never a question which of two prices it is. The
driver's row says which (`Driver.groups`), and all of the driver's id tokens carry a copy: a start reads nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DriverGroup:
    """`member_count` changes with the members, and a group that goes has none. `revision` counts what people
    changed."""

    group_id: str
    operator_id: str
    name: str
    created_at: datetime
    description: str | None = None
    member_count: int = 0
    revision: int = 1


@dataclass(frozen=True)
class DriverGroupEntry:
    """An operator's list names the group; its own row has the rest."""

    operator_id: str
    group_id: str


@dataclass(frozen=True)
class DriverGroupMember:
    group_id: str
    driver_id: str
    added_at: datetime


def groups_at(groups: Mapping[str, str], operator_id: str) -> tuple[str, ...]:
    """The groups of this operator's that a driver is in, nearest first: of a driver's `groups`, or an id token's."""
    group_id = groups.get(operator_id)
    return () if group_id is None else (group_id,)
