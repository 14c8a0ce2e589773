"""Users: people who work for an organisation, what they may do and where. Pure.

What a user may do comes from the groups, in the bounds of the organisation's kind (`permissions.py`). A user may be
narrowed to regions and vending points: then what stands elsewhere is not there for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

UserState = Literal["active", "inactive"]


@dataclass(frozen=True)
class User:
    """`region_ids` and `vending_point_ids`: where the user works; empty is everywhere of the organisation."""

    user_id: str
    organization_id: str
    email: str
    full_name: str
    groups: list[str]
    language: str
    created_at: datetime
    state: str = "active"
    user_name: str | None = None
    phone: str | None = None
    region_ids: list[str] = field(default_factory=list)
    vending_point_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class UserGroup:
    """A named set of permissions of one organisation. One that has the id of a built-in group replaces it there.

    `revision` counts changes: whoever changes the group names the one that was read.
    """

    organization_id: str
    group_id: str
    name: str
    permissions: list[str]
    created_at: datetime
    description: str = ""
    revision: int = 1


@dataclass(frozen=True)
class Rights:
    """What a user may do at this moment, and where. `region_ids` None: everywhere."""

    permissions: frozenset[str]
    region_ids: frozenset[str] | None = None
    vending_point_ids: frozenset[str] | None = None


NO_RIGHTS = Rights(frozenset())
