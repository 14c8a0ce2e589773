"""Every permission there is, and the built-in groups that grant them. Pure.

An endpoint that names a permission which is not in this list fails tests/architecture/test_openapi.py, so that
nothing can be asked for that no group could grant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

OPERATOR_PERMISSIONS = frozenset(
    {
        "cdrs:read",
        "chargers:command",
        "chargers:read",
        "chargers:write",
        "drivers:read",
        "drivers:write",
        "id_tokens:read",
        "id_tokens:write",
        "ledger:read",
        "locations:read",
        "locations:write",
        "monitoring:read",
        "monitoring:write",
        "organizations:read",
        "organizations:write",
        "payments:read",
        "sessions:read",
        "sessions:write",
        "settlements:read",
        "tariffs:read",
        "tariffs:write",
        "users:read",
        "users:write",
        "wallets:read",
        "wallets:write",
    }
)

PLATFORM_PERMISSIONS = frozenset({"organizations:create"})
"""What only the platform's own people may do."""

ALL_PERMISSIONS = OPERATOR_PERMISSIONS | PLATFORM_PERMISSIONS


@dataclass(frozen=True)
class Group:
    """A named set of permissions, for users of organisations of one kind."""

    group_id: str
    name: str
    organization_kind: str
    permissions: frozenset[str]


GROUPS = {
    group.group_id: group
    for group in (
        Group("platform_admin", "Platform administrator", "platform", frozenset({"*"})),
        Group("operator_admin", "Operator administrator", "operator", OPERATOR_PERMISSIONS),
    )
}


def granted(group_ids: Iterable[str]) -> frozenset[str]:
    """The union of what the groups grant; a group that no longer exists grants nothing."""
    return frozenset().union(*(GROUPS[group_id].permissions for group_id in group_ids if group_id in GROUPS))
