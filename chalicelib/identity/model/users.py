"""Users: people who work for an organisation, what they may do and where. Pure.

What a user may do comes from the groups, in the bounds of the organisation's kind (`permissions.py`). A user may be
narrowed to regions and vending points: then what stands elsewhere is not there for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from chalicelib.kernel.errors import conflict, forbidden, invalid

UserState = Literal["active", "inactive"]

_USER_NAME: Final = re.compile(r"[A-Za-z0-9._-]{3,40}")
MAX_GROUPS: Final = 100
"""Of an organisation, besides the built-in ones."""


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
    state: UserState = "active"
    user_name: str | None = None
    phone: str | None = None
    region_ids: list[str] = field(default_factory=list)
    vending_point_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class UserName:
    """Finds a user by the name that they chose to sign in with; there is one of each, without regard to case."""

    user_name: str
    user_id: str


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


def user_name_key(user_name: str) -> str:
    return user_name.casefold()


def check_user_name(user_name: str, pointer: str = "/user_name") -> str:
    """Latin letters and digits only: two names that look alike are the same name. Never mistaken for an address, which
    has an @. Raises user.user_name (422)."""
    if not _USER_NAME.fullmatch(user_name):
        raise invalid(
            "user.user_name", "A user name has 3 to 40 letters, digits, dots, dashes or underscores.", pointer
        )
    return user_name


def check_narrowing(
    organization_kind: str,
    region_lineages: Iterable[tuple[str, ...]],
    vending_point_ids: Iterable[str],
    by: tuple[frozenset[str] | None, frozenset[str] | None],
) -> None:
    """May somebody who is narrowed to `by` (regions, vending points; None: not narrowed) have a user work at these?
    `region_lineages`: each region with those above it; nothing at all means everywhere.

    Raises user.not_narrowable (422), forbidden (403) for a user who would see more than who makes or changes them.
    """
    lineages, points = list(region_lineages), list(vending_point_ids)
    if (lineages or points) and organization_kind != "operator":
        raise invalid("user.not_narrowable", "Only users of an operator are narrowed to places.", "/region_ids")
    own_regions, own_points = by
    beyond_regions = own_regions is not None and (
        not lineages or any(own_regions.isdisjoint(lineage) for lineage in lineages)
    )
    beyond_points = own_points is not None and (not points or not own_points.issuperset(points))
    if beyond_regions or beyond_points:
        raise forbidden("You are narrowed to some places; those you look after must be within them.")


def check_not_oneself(user: User, by: str, changed: Iterable[str]) -> None:
    """Nobody (`by`: a user id) takes their own rights away, or gives themselves other places, so that an organisation
    always keeps somebody who may give them. Raises user.own_rights (409)."""
    if by == user.user_id and OWN_RIGHTS.intersection(changed):
        raise conflict("user.own_rights", "You cannot change your own groups, places or state.")


OWN_RIGHTS: Final = frozenset({"groups", "state", "region_ids", "vending_point_ids"})
