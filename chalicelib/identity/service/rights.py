"""What a user may do at this moment: read from the groups, remembered for half a minute by a warm process.

So a right that was taken away, and a user or an organisation that was deactivated, end RIGHTS_AGE_S later at most,
whatever the access token still says.
"""

from __future__ import annotations

from typing import Final

from chalicelib.identity.model import NO_RIGHTS, Organization, Rights, User
from chalicelib.identity.permissions import GROUPS, effective
from chalicelib.identity.store import ORGANIZATIONS, USER_GROUPS, USERS, group_key, organization_key, user_key
from chalicelib.kernel.cache import Cache
from chalicelib.kernel.context import Context

RIGHTS_AGE_S: Final = 30.0


def rights_of(ctx: Context, user_id: str) -> Rights:
    """NO_RIGHTS for a user who is not active, or works for an organisation that is not."""
    return _remembered(ctx).get_or_load(user_id, lambda: _load(ctx, user_id)) or NO_RIGHTS


def forget_rights(ctx: Context, user_id: str) -> None:
    """They were changed: this process looks them up again at once."""
    _remembered(ctx).forget(user_id)


def is_working(ctx: Context, organization: Organization) -> bool:
    """May its people do anything? An agency works for its operator and stops with it. All others stand alone: an
    operator goes on charging cars whatever becomes of its dealer."""
    if organization.state != "active":
        return False
    if organization.kind != "agency" or organization.parent_id is None:
        return True
    operator = ORGANIZATIONS.get(ctx, *organization_key(organization.parent_id))
    return operator is not None and operator.state == "active"


def _remembered(ctx: Context) -> Cache[Rights]:
    return ctx.cache("identity.rights", size=10_000, ttl_s=RIGHTS_AGE_S)


def granted(ctx: Context, organization_id: str, organization_kind: str, group_ids: list[str]) -> frozenset[str]:
    """The union of what the groups grant, in the bounds of the kind; a group that no longer exists grants nothing."""
    stored = USER_GROUPS.batch_get(ctx, [group_key(organization_id, group_id) for group_id in group_ids])
    own = {group.group_id: frozenset(group.permissions) for group in stored}
    ticked = [
        own[group_id] if group_id in own else GROUPS[group_id].permissions
        for group_id in group_ids
        if group_id in own or (group_id in GROUPS and organization_kind in GROUPS[group_id].kinds)
    ]
    return effective(ticked, organization_kind)


def _load(ctx: Context, user_id: str) -> Rights:
    user = USERS.get(ctx, *user_key(user_id))
    organization = None if user is None else ORGANIZATIONS.get(ctx, *organization_key(user.organization_id))
    if user is None or user.state != "active" or organization is None or not is_working(ctx, organization):
        return NO_RIGHTS
    permissions = granted(ctx, user.organization_id, organization.kind, user.groups)
    return Rights(permissions, *_narrowed(user))


def _narrowed(user: User) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    return (
        frozenset(user.region_ids) if user.region_ids else None,
        frozenset(user.vending_point_ids) if user.vending_point_ids else None,
    )
