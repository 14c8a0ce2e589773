"""The groups of an organisation: built-in ones, its own copies of them, and those it made."""

from __future__ import annotations

from chalicelib.identity.model import Organization
from chalicelib.identity.permissions import GROUPS
from chalicelib.identity.store import USER_GROUPS, group_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid


def check_groups(ctx: Context, organization: Organization, group_ids: list[str]) -> list[str]:
    """Sorted, each once. Raises group.unknown (422) for one that the organisation has not."""
    own_id = organization.organization_id
    stored = USER_GROUPS.batch_get(ctx, [group_key(own_id, group_id) for group_id in group_ids])
    known = {group.group_id for group in stored}
    for position, group_id in enumerate(group_ids):
        is_built_in = group_id in GROUPS and organization.kind in GROUPS[group_id].kinds
        if group_id not in known and not is_built_in:
            raise invalid("group.unknown", f"There is no group {group_id!r} here.", f"/groups/{position}")
    return sorted(set(group_ids))
