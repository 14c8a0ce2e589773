"""Groups of chargers and their members.

What a group has right below it is counted in its row, in the commits that change it: so nothing comes into a group
while it is being removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from pynamodb.expressions.update import Action

from chalicelib.chargers.model import Charger, ChargerGroup, GroupMember
from chalicelib.chargers.model.groups import path_below
from chalicelib.chargers.service.finding import walk_chargers
from chalicelib.chargers.store.groups import (
    GROUP_PREFIX,
    GROUPS,
    MEMBER_PREFIX,
    MEMBERS,
    GroupRow,
    MemberRow,
    group_key,
    group_pk,
    member_key,
)
from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.pages import Page, Step, page_of
from chalicelib.kernel.table import actions_of
from chalicelib.kernel.unit_of_work import UnitOfWork

_MOST_REMOVED: Final = 80
"""Members that go with their group in one commit."""


def add_group(uow: UnitOfWork, group: ChargerGroup, parent: ChargerGroup | None) -> ChargerGroup:
    """A group, below `parent` if given. Raises charger_group.too_deep (422); the commit name.taken (409)."""
    group = replace(group, parent_id=None if parent is None else parent.group_id, path=path_below(parent))
    uow.create(GROUPS, group)
    identity.take_name(uow, group.operator_id, _scope(group), group.name, group.group_id)
    if parent is not None:
        _count(uow, parent.group_id, GroupRow.subgroup_count.add(1))
    return group


def change_group(uow: UnitOfWork, group: ChargerGroup, changes: Mapping[str, Any]) -> ChargerGroup:
    """Applies changes by field name (None removes), if nobody changed it since it was read. The commit raises
    name.taken (409)."""
    if not changes:
        return group
    changes = {**changes, "revision": group.revision + 1}
    uow.update(
        GROUPS,
        group_key(group.group_id),
        actions_of(GroupRow, changes),
        condition=GroupRow.revision == group.revision,
        on_conflict=StaleRead("The group"),
    )
    changed = replace(group, **changes)
    identity.change_name(uow, group.operator_id, _scope(group), group.name, changed.name, group.group_id)
    return changed


def remove_group(uow: UnitOfWork, group: ChargerGroup) -> None:
    """Removes a group with its memberships. Raises charger_group.in_use (409) while it has chargers, sub-groups or
    too many members."""
    in_use = conflict("charger_group.in_use", "Take the chargers and sub-groups out of this group first.")
    if group.charger_count or group.subgroup_count:
        raise in_use
    uow.delete(
        GROUPS,
        group_key(group.group_id),
        condition=(GroupRow.charger_count == 0) & (GroupRow.subgroup_count == 0) & GroupRow.pk.exists(),
        on_conflict=in_use,
    )
    identity.free_name(uow, group.operator_id, _scope(group), group.name)
    if group.parent_id is not None:
        _count(uow, group.parent_id, GroupRow.subgroup_count.add(-1))
    members = list(islice(_walk_members(uow.ctx, group.group_id, None), _MOST_REMOVED + 1))
    if len(members) > _MOST_REMOVED:
        raise conflict(
            "charger_group.in_use", f"This group has more than {_MOST_REMOVED} drivers; take them out first."
        )
    for member, _ in members:
        uow.delete(MEMBERS, member_key(group.group_id, member.driver_id))


def get_group(ctx: Context, group_id: str) -> ChargerGroup | None:
    return GROUPS.get(ctx, *group_key(group_id))


def list_groups(
    ctx: Context,
    operator_id: str,
    *,
    keep: Callable[[ChargerGroup], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[ChargerGroup]:
    """An operator's groups and sub-groups, oldest first: those above always before those below."""
    return page_of(_walk(ctx, operator_id, cursor), limit, keep)


def group_lineage(ctx: Context, operator_id: str, group_id: str) -> tuple[str, ...]:
    """The groups above a group of the operator's and itself, the topmost first; empty for one that is not. Where a
    group hangs never changes, so a warm process asks once."""
    cache = ctx.cache("chargers.group_lineages", size=10_000)

    def load() -> tuple[str, ...] | None:
        group = get_group(ctx, group_id)
        return group.lineage if group is not None and group.operator_id == operator_id else None

    return cache.get_or_load((operator_id, group_id), load) or ()


def groups_within(ctx: Context, operator_id: str, group_id: str) -> frozenset[str]:
    """The ids of a group and of everything below it; empty for one that is not the operator's."""
    return frozenset(group.group_id for group, _ in _walk(ctx, operator_id, None) if group_id in group.lineage)


def charger_ids_within(ctx: Context, group: ChargerGroup) -> frozenset[str]:
    """The chargers that are now in a group or below it. Goes through all of the operator's: two round trips per 50."""
    groups = groups_within(ctx, group.operator_id, group.group_id)
    return frozenset(
        charger.charger_id for charger in walk_chargers(ctx, group.operator_id) if charger.group_id in groups
    )


def count_grouped(uow: UnitOfWork, group_id: str, change: int) -> None:
    """A charger comes into a group, or goes (-1). One group at most once in a unit of work."""
    _count(uow, group_id, GroupRow.charger_count.add(change))


def add_member(uow: UnitOfWork, group: ChargerGroup, driver_id: str) -> GroupMember:
    """Adds a driver, once: one who is a member already stays one since then."""
    known = get_member(uow.ctx, group.group_id, driver_id)
    if known is not None:
        return known
    member = GroupMember(group.group_id, driver_id, uow.ctx.now())
    uow.create(MEMBERS, member, on_conflict=StaleRead("The member"))
    uow.check(GROUPS, group_key(group.group_id), GroupRow.pk.exists(), not_found("charger_group", group.group_id))
    return member


def get_member(ctx: Context, group_id: str, driver_id: str) -> GroupMember | None:
    return MEMBERS.get(ctx, *member_key(group_id, driver_id))


def remove_member(uow: UnitOfWork, member: GroupMember) -> None:
    uow.delete(MEMBERS, member_key(member.group_id, member.driver_id))


def list_members(ctx: Context, group_id: str, *, limit: int, cursor: str | None) -> Page[GroupMember]:
    """The drivers of a group by id; those of the groups above it are not listed."""
    return page_of(_walk_members(ctx, group_id, cursor), limit)


def may_start(ctx: Context, charger: Charger, driver_id: str) -> bool:
    """May the driver charge there from the phone? At a public charger everybody; at another one the members of its
    group and of the groups above it."""
    if charger.charge_with_qr:
        return True
    group = None if charger.group_id is None else get_group(ctx, charger.group_id)
    if group is None or group.operator_id != charger.operator_id:
        return False
    return bool(MEMBERS.batch_get(ctx, [member_key(group_id, driver_id) for group_id in group.lineage]))


def _scope(group: ChargerGroup) -> str:
    """Among whose names a group's own is the only one: those right below one group, or at the top."""
    return f"charger_group#{group.parent_id or ''}"


def _walk(ctx: Context, operator_id: str, cursor: str | None) -> Iterator[Step[ChargerGroup]]:
    return GROUPS.walk(
        ctx, operator_id, GroupRow.sk2.startswith(GROUP_PREFIX), index=GroupRow.by_operator, cursor=cursor
    )


def _walk_members(ctx: Context, group_id: str, cursor: str | None) -> Iterator[Step[GroupMember]]:
    return MEMBERS.walk(ctx, group_pk(group_id), MemberRow.sk.startswith(MEMBER_PREFIX), cursor=cursor)


def _count(uow: UnitOfWork, group_id: str, action: Action) -> None:
    uow.update(
        GROUPS,
        group_key(group_id),
        [action],
        condition=GroupRow.pk.exists(),
        on_conflict=StaleRead("The group"),
        name="group count",
    )
