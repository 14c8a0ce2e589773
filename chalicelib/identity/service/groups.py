"""The groups of an organisation: built-in ones, its own copies of them, and those it made.

Whoever changes what a group may do gives it to everybody in the group: nobody ticks what they do not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.identity.model import Organization, UserGroup, shown_name
from chalicelib.identity.model.users import MAX_GROUPS
from chalicelib.identity.permissions import (
    ADMIN_GROUPS,
    ALL_PERMISSIONS,
    GROUPS,
    Group,
    built_in,
    check_beyond,
    check_keys,
    check_ticks,
    giveable,
)
from chalicelib.identity.service.names import change_name, free_name, take_name
from chalicelib.identity.store import (
    GROUP_PREFIX,
    USER_GROUPS,
    USERS,
    UserGroupRow,
    group_key,
    organization_key,
    user_key,
    walk_users,
)
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, invalid, not_found
from chalicelib.kernel.revisions import check_revision
from chalicelib.kernel.unit_of_work import UnitOfWork

_SCOPE = "user_group"


@dataclass(frozen=True)
class KnownGroup:
    """A group as an organisation has it. `built_in`: the product brings it; `changed`: the organisation has a copy of
    its own. `revision` 0 is a built-in one as it came."""

    group: UserGroup
    built_in: bool
    changed: bool


def check_groups(ctx: Context, organization: Organization, group_ids: list[str]) -> list[str]:
    """Sorted, each once. Raises group.unknown (422) for one that the organisation has not."""
    own_id = organization.organization_id
    stored = USER_GROUPS.batch_get(ctx, [group_key(own_id, group_id) for group_id in dict.fromkeys(group_ids)])
    known = {group.group_id for group in stored}
    for position, group_id in enumerate(group_ids):
        if group_id not in known and _built_in(organization, group_id) is None:
            raise invalid("group.unknown", f"There is no group {group_id!r} here.", f"/groups/{position}")
    return sorted(set(group_ids))


def list_groups(ctx: Context, organization: Organization) -> list[KnownGroup]:
    """The built-in ones in their order, then those the organisation made, oldest first."""
    prefix = UserGroupRow.sk.startswith(GROUP_PREFIX)
    pk = organization_key(organization.organization_id)[0]
    stored = {group.group_id: group for group in USER_GROUPS.query_all(ctx, pk, prefix, consistent=True)}
    known = [_known(organization, group, stored.pop(group.group_id, None)) for group in built_in(organization.kind)]
    return known + [KnownGroup(group, False, False) for group in stored.values()]


def get_group(ctx: Context, organization: Organization, group_id: str) -> KnownGroup:
    """Raises user_group.not_found (404)."""
    stored = USER_GROUPS.get(ctx, *group_key(organization.organization_id, group_id))
    original = _built_in(organization, group_id)
    if original is not None:
        return _known(organization, original, stored)
    if stored is None:
        raise not_found("user_group", group_id)
    return KnownGroup(stored, False, False)


def reach(ctx: Context, actor: Actor) -> frozenset[str]:
    """What somebody may give to others: see `permissions.giveable`. An API key gives no more than it was given."""
    kind = actor.organization_kind or ""
    user = None if actor.kind != "person" or actor.user_id is None else USERS.get(ctx, *user_key(actor.user_id))
    held = frozenset(name for name in ALL_PERMISSIONS if actor.may(name))
    return giveable(kind, held, () if user is None else user.groups)


def create_group(
    uow: UnitOfWork, organization: Organization, actor: Actor, *, name: str, description: str, permissions: list[str]
) -> KnownGroup:
    """Raises permission.unknown, permission.not_for_kind, name.empty (422), permission.beyond_own (403),
    user_group.too_many (409); the commit name.taken (409)."""
    ctx = uow.ctx
    ticked = check_ticks(permissions, organization.kind)
    check_beyond(ticked, reach(ctx, actor), actor.organization_kind or "")
    known = list_groups(ctx, organization)
    if sum(not group.built_in for group in known) >= MAX_GROUPS:
        raise conflict("user_group.too_many", f"An organisation has at most {MAX_GROUPS} groups of its own.")
    group = UserGroup(
        organization_id=organization.organization_id,
        group_id=ctx.new_id("grp"),
        name=_free_among(shown_name(name), known),
        permissions=sorted(ticked),
        created_at=ctx.now(),
        description=description,
    )
    uow.create(USER_GROUPS, group)
    take_name(uow, group.organization_id, _SCOPE, group.name, group.group_id)
    return KnownGroup(group, False, False)


def change_group(
    uow: UnitOfWork,
    organization: Organization,
    known: KnownGroup,
    actor: Actor,
    changes: Mapping[str, Any],
    expected: int | None,
) -> KnownGroup:
    """Sets `name`, `description` or `permissions`. A built-in group becomes the organisation's own copy.

    `expected`: the revision that was read. Raises user_group.changed (412), user_group.keys (422) besides the errors
    of `create_group`. Only what is newly ticked must be one's own: who mends a name gives nothing. From the
    administrators nobody takes what they do not hold.
    """
    group = known.group
    check_revision(expected, group.revision, "user_group")
    permissions = frozenset(group.permissions)
    if "permissions" in changes:
        permissions = check_ticks(changes["permissions"], organization.kind)
    check_keys(group.group_id, organization.kind, permissions)
    given = permissions - set(group.permissions)
    taken = set(group.permissions) - permissions if group.group_id == ADMIN_GROUPS[organization.kind] else frozenset()
    check_beyond(given | taken, reach(uow.ctx, actor), actor.organization_kind or "")
    name = shown_name(changes.get("name", group.name))
    if name != group.name:
        others = [other for other in list_groups(uow.ctx, organization) if other.group.group_id != group.group_id]
        _free_among(name, others)
    changed = replace(
        group,
        name=name,
        description=changes.get("description", group.description),
        permissions=sorted(permissions),
    )
    if changed == group:
        return known
    changed = replace(changed, revision=group.revision + 1)
    unchanged = UserGroupRow.revision == group.revision if group.revision else UserGroupRow.pk.does_not_exist()
    uow.put(USER_GROUPS, changed, condition=unchanged, on_conflict=StaleRead("The group"))
    if not known.built_in:
        change_name(uow, group.organization_id, _SCOPE, group.name, changed.name, group.group_id)
    return KnownGroup(changed, known.built_in, known.built_in)


def remove_group(
    uow: UnitOfWork, organization: Organization, known: KnownGroup, actor: Actor, expected: int | None
) -> KnownGroup | None:
    """A group of the organisation's own goes, None; one that is built in is again what it was.

    Raises user_group.changed (412), user_group.in_use (409) while somebody is in it, user_group.built_in (409) for a
    built-in one that was not changed, permission.beyond_own (403) when the built-in one may more.
    """
    group = known.group
    check_revision(expected, group.revision, "user_group")
    original = _built_in(organization, group.group_id)
    if original is not None and not known.changed:
        raise conflict("user_group.built_in", "A built-in group stays; leave it empty.")
    if original is not None:
        given_back = original.granted_to(organization.kind) - set(group.permissions)
        check_beyond(given_back, reach(uow.ctx, actor), actor.organization_kind or "")
    elif _is_used(uow.ctx, group):
        raise conflict("user_group.in_use", "There are users in this group.")
    else:
        free_name(uow, group.organization_id, _SCOPE, group.name)
    uow.delete(
        USER_GROUPS,
        group_key(group.organization_id, group.group_id),
        condition=UserGroupRow.revision == group.revision,
        on_conflict=StaleRead("The group"),
    )
    return None if original is None else _known(organization, original, None)


def _known(organization: Organization, original: Group, stored: UserGroup | None) -> KnownGroup:
    if stored is not None:
        return KnownGroup(stored, True, True)
    group = UserGroup(
        organization_id=organization.organization_id,
        group_id=original.group_id,
        name=original.name,
        permissions=sorted(original.granted_to(organization.kind)),
        created_at=organization.created_at,
        description=original.description,
        revision=0,
    )
    return KnownGroup(group, True, False)


def _built_in(organization: Organization, group_id: str) -> Group | None:
    group = GROUPS.get(group_id)
    return group if group is not None and organization.kind in group.kinds else None


def _free_among(name: str, known: Sequence[KnownGroup]) -> str:
    """Built-in groups hold no row of their names. Raises name.taken (409)."""
    if any(other.group.name.casefold() == name.casefold() for other in known):
        raise conflict("name.taken", f"There is already one with the name {name!r} here.", "/name")
    return name


def _is_used(ctx: Context, group: UserGroup) -> bool:
    return any(group.group_id in user.groups for user, _ in walk_users(ctx, group.organization_id))
