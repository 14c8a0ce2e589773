"""Groups of drivers and their members.

A group's members are counted in its row, in the commits that change them: so nobody comes into a group while it is
being removed. Who is in a group is written on the driver's row and id tokens, guarded by the driver's revision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.drivers.model import Driver, app_token
from chalicelib.drivers.model.groups import DriverGroup, DriverGroupEntry, DriverGroupMember
from chalicelib.drivers.service.profiles import save_driver
from chalicelib.drivers.store import (
    DRIVER_GROUP_ENTRIES,
    DRIVER_GROUP_MEMBERS,
    DRIVER_GROUPS,
    ID_TOKENS,
    DriverGroupEntryRow,
    DriverGroupMemberRow,
    DriverGroupRow,
    IdTokenRow,
    driver_group_entry_key,
    driver_group_key,
    driver_groups_pk,
    group_member_key,
    group_members_pk,
    token_key,
)
from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.searching import has_words
from chalicelib.kernel.table import actions_of
from chalicelib.kernel.unit_of_work import UnitOfWork

_NAMES = "driver_group"


def add_driver_group(uow: UnitOfWork, group: DriverGroup) -> DriverGroup:
    """The commit raises name.taken (409)."""
    uow.create(DRIVER_GROUPS, group)
    uow.create(DRIVER_GROUP_ENTRIES, DriverGroupEntry(group.operator_id, group.group_id))
    identity.take_name(uow, group.operator_id, _NAMES, group.name, group.group_id)
    return group


def find_driver_group(ctx: Context, group_id: str) -> DriverGroup | None:
    return DRIVER_GROUPS.get(ctx, *driver_group_key(group_id))


def list_driver_groups(
    ctx: Context, operator_id: str, *, words: str, limit: int, cursor: str | None
) -> Page[DriverGroup]:
    """An operator's groups, oldest first. Every one of `words` occurs in the name."""
    entries = DRIVER_GROUP_ENTRIES.walk(
        ctx, driver_groups_pk(operator_id), DriverGroupEntryRow.sk.startswith("group#"), cursor=cursor
    )
    found = follow(ctx, entries, DRIVER_GROUPS, lambda entry: driver_group_key(entry.group_id))
    return page_of(found, limit, lambda group: has_words(words, group.name))


def change_driver_group(uow: UnitOfWork, group: DriverGroup, changes: Mapping[str, Any]) -> DriverGroup:
    """Applies changes by field name (None removes), if nobody changed it since it was read. The commit raises
    name.taken (409)."""
    if not changes:
        return group
    changes = {**changes, "revision": group.revision + 1}
    uow.update(
        DRIVER_GROUPS,
        driver_group_key(group.group_id),
        actions_of(DriverGroupRow, changes),
        condition=DriverGroupRow.revision == group.revision,
        on_conflict=StaleRead("The group"),
    )
    changed = replace(group, **changes)
    identity.change_name(uow, group.operator_id, _NAMES, group.name, changed.name, group.group_id)
    return changed


def remove_driver_group(uow: UnitOfWork, group: DriverGroup) -> None:
    """Raises driver_group.in_use (409) while drivers are in it: each of them would pay another price."""
    in_use = conflict("driver_group.in_use", "Take the drivers out of this group first.")
    if group.member_count:
        raise in_use
    uow.delete(
        DRIVER_GROUPS,
        driver_group_key(group.group_id),
        condition=(DriverGroupRow.member_count == 0) & DriverGroupRow.pk.exists(),
        on_conflict=in_use,
    )
    uow.delete(DRIVER_GROUP_ENTRIES, driver_group_entry_key(group.operator_id, group.group_id), name="entry")
    identity.free_name(uow, group.operator_id, _NAMES, group.name)


# -- who is in it -------------------------------------------------------------------------------------------------


def find_group_member(ctx: Context, group_id: str, driver_id: str) -> DriverGroupMember | None:
    return DRIVER_GROUP_MEMBERS.get(ctx, *group_member_key(group_id, driver_id))


def list_group_members(ctx: Context, group_id: str, *, limit: int, cursor: str | None) -> Page[DriverGroupMember]:
    return page_of(_walk_members(ctx, group_id, cursor), limit)


def add_group_member(uow: UnitOfWork, group: DriverGroup, driver: Driver) -> DriverGroupMember:
    """Puts the driver into the group; one who is in it already stays since then. What runs keeps its price.

    Raises driver_group.elsewhere (409): a driver is in one group of an operator.
    """
    present = driver.groups.get(group.operator_id)
    if present == group.group_id:
        known = find_group_member(uow.ctx, group.group_id, driver.driver_id)
        if known is not None:
            return known
    elif present is not None:
        raise conflict("driver_group.elsewhere", "The driver is in another group of yours.")
    member = DriverGroupMember(group.group_id, driver.driver_id, uow.ctx.now())
    _name_groups(uow, driver, {**driver.groups, group.operator_id: group.group_id})
    uow.create(DRIVER_GROUP_MEMBERS, member, on_conflict=StaleRead("The member"))
    _count(uow, group.group_id, 1)
    return member


def remove_group_member(uow: UnitOfWork, group: DriverGroup, driver: Driver) -> None:
    """Raises driver_group_member.not_found."""
    if driver.groups.get(group.operator_id) != group.group_id:
        raise not_found("driver_group_member", driver.driver_id)
    _name_groups(uow, driver, {owner: name for owner, name in driver.groups.items() if owner != group.operator_id})
    _forget_member(uow, group.group_id, driver.driver_id)


def leave_groups(uow: UnitOfWork, driver: Driver) -> None:
    """For a driver who goes. Writes the memberships only; the caller writes the driver, and the id tokens."""
    for group_id in driver.groups.values():
        _forget_member(uow, group_id, driver.driver_id)


def _forget_member(uow: UnitOfWork, group_id: str, driver_id: str) -> None:
    uow.delete(
        DRIVER_GROUP_MEMBERS,
        group_member_key(group_id, driver_id),
        condition=DriverGroupMemberRow.pk.exists(),
        on_conflict=StaleRead("The member"),
    )
    _count(uow, group_id, -1)


def _walk_members(ctx: Context, group_id: str, cursor: str | None) -> Iterator[Any]:
    prefix = DriverGroupMemberRow.sk.startswith("member#")
    return DRIVER_GROUP_MEMBERS.walk(ctx, group_members_pk(group_id), prefix, cursor=cursor)


def _name_groups(uow: UnitOfWork, driver: Driver, groups: dict[str, str]) -> None:
    """On the driver's row and on all id tokens, guarded by the driver's revision."""
    for id_token in (*driver.id_tokens, app_token(driver.driver_id)):
        uow.update(
            ID_TOKENS,
            token_key(id_token),
            [IdTokenRow.driver_groups.set(groups)],
            condition=IdTokenRow.driver_id == driver.driver_id,
            name="id token",
        )
    save_driver(uow, driver, replace(driver, groups=groups))


def _count(uow: UnitOfWork, group_id: str, by: int) -> None:
    uow.update(
        DRIVER_GROUPS,
        driver_group_key(group_id),
        [DriverGroupRow.member_count.add(by)],
        condition=DriverGroupRow.pk.exists(),
        on_conflict=StaleRead("The group"),
        name="group count",
    )
