"""Groups of users, and what they may do."""

from __future__ import annotations

from chalicelib.identity.api_operator.common import (
    api,
)
from chalicelib.identity.permissions import built_in
from chalicelib.kernel.http import Request, Shape


class UserGroupView(Shape):
    group_id: str
    name: str
    permissions: list[str]


class UserGroupsView(Shape):
    data: list[UserGroupView]


@api.get("/v1/user-groups", permission="users:read")
def list_user_groups(req: Request) -> UserGroupsView:
    """The groups that users of one's own organisation may be in."""
    kind = req.actor.organization_kind or ""
    return UserGroupsView(
        data=[
            UserGroupView(
                group_id=group.group_id,
                name=group.name,
                permissions=sorted(group.granted_to(kind)),
            )
            for group in built_in(kind)
        ]
    )
