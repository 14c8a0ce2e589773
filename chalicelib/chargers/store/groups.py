"""Rows of groups of chargers and of their members, beside the chargers in their table."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.chargers.model import ChargerGroup, GroupMember
from chalicelib.chargers.store import CHARGERS_TABLE, ByOperator
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table

GROUP_PREFIX = "group#"
MEMBER_PREFIX = "member#"


class GroupRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    by_operator = ByOperator()
    operator_id = UnicodeAttribute()
    sk2 = UnicodeAttribute()
    group_id = UnicodeAttribute()
    name = UnicodeAttribute()
    created_at = MomentAttribute()
    parent_id = UnicodeAttribute(null=True)
    path = ValueAttribute(list[str])
    description = UnicodeAttribute(null=True)
    charger_count = NumberAttribute()
    subgroup_count = NumberAttribute()
    revision = NumberAttribute()


class MemberRow(Row):
    class Meta:
        table_name = CHARGERS_TABLE

    group_id = UnicodeAttribute()
    driver_id = UnicodeAttribute()
    added_at = MomentAttribute()


def group_pk(group_id: str) -> str:
    return f"{GROUP_PREFIX}{group_id}"


def group_key(group_id: str) -> tuple[str, str]:
    return (group_pk(group_id), "group")


def member_key(group_id: str, driver_id: str) -> tuple[str, str]:
    return (group_pk(group_id), f"{MEMBER_PREFIX}{driver_id}")


GROUPS: Table[ChargerGroup] = Table(
    GroupRow,
    ChargerGroup,
    key=lambda group: group_key(group.group_id),
    extra=lambda group: {"sk2": f"{GROUP_PREFIX}{group.group_id}"},
)
MEMBERS: Table[GroupMember] = Table(
    MemberRow, GroupMember, key=lambda member: member_key(member.group_id, member.driver_id)
)
