"""Rows of identity. Private to this folder.

What belongs to an organisation stands under its key. Organisations and users are listed through `by_organization`,
whose hash key is the organisation they belong to: a user's own, an organisation's parent. `store.logins` has the rows
of signing in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.identity.model import (
    AuditEvent,
    Organization,
    Region,
    TakenName,
    User,
    UserGroup,
    VendingPoint,
)
from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.identity.model.logos import Logo
from chalicelib.identity.model.settings import StoredSetting
from chalicelib.identity.model.users import UserName, user_name_key
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import Context, table_name
from chalicelib.kernel.pages import Step
from chalicelib.kernel.table import Row, Table

TABLE = table_name("identity")

ORGANIZATION_PREFIX = "org#"
USER_PREFIX = "user#"
GROUP_PREFIX = "group#"
REGION_PREFIX = "region#"
VENDING_POINT_PREFIX = "vending_point#"


class ByOrganization(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_organization"
        projection = KeysOnlyProjection()

    member_of = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class ByAuditedObject(GlobalSecondaryIndex[Any]):
    """The history of one object in the log of one organisation, in the order of time."""

    class Meta:
        index_name = "by_audited_object"
        projection = KeysOnlyProjection()

    audited_object = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class OrganizationRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    parent_id = UnicodeAttribute(null=True)
    path = ValueAttribute(list[str])
    name = UnicodeAttribute()
    email = UnicodeAttribute()
    currency = UnicodeAttribute()
    time_zone = UnicodeAttribute()
    language = UnicodeAttribute()
    created_at = MomentAttribute()
    country = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    address = UnicodeAttribute(null=True)
    bank_account = ValueAttribute(BankAccount, null=True)
    logo_digest = UnicodeAttribute(null=True)
    member_of = UnicodeAttribute(null=True)
    by_organization = ByOrganization()


class LogoRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    media_type = UnicodeAttribute()
    content = UnicodeAttribute()
    digest = UnicodeAttribute()


class SettingRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    name = UnicodeAttribute()
    value = ValueAttribute(dict[str, Any])
    revision = NumberAttribute()


class UserRow(Row):
    class Meta:
        table_name = TABLE

    user_id = UnicodeAttribute()
    organization_id = UnicodeAttribute()
    email = UnicodeAttribute()
    full_name = UnicodeAttribute()
    groups = ValueAttribute(list[str])
    language = UnicodeAttribute()
    created_at = MomentAttribute()
    state = UnicodeAttribute()
    user_name = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    region_ids = ValueAttribute(list[str])
    vending_point_ids = ValueAttribute(list[str])
    member_of = UnicodeAttribute()
    by_organization = ByOrganization()


class UserNameRow(Row):
    class Meta:
        table_name = TABLE

    user_name = UnicodeAttribute()
    user_id = UnicodeAttribute()


class UserGroupRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    group_id = UnicodeAttribute()
    name = UnicodeAttribute()
    permissions = ValueAttribute(list[str])
    created_at = MomentAttribute()
    description = UnicodeAttribute()
    revision = NumberAttribute()


class RegionRow(Row):
    class Meta:
        table_name = TABLE

    region_id = UnicodeAttribute()
    organization_id = UnicodeAttribute()
    level = UnicodeAttribute()
    name = UnicodeAttribute()
    created_at = MomentAttribute()
    parent_id = UnicodeAttribute(null=True)
    path = ValueAttribute(list[str])
    country_code = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    holds = NumberAttribute()
    member_of = UnicodeAttribute()
    by_organization = ByOrganization()


class VendingPointRow(Row):
    class Meta:
        table_name = TABLE

    vending_point_id = UnicodeAttribute()
    organization_id = UnicodeAttribute()
    name = UnicodeAttribute()
    created_at = MomentAttribute()
    region_id = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)
    contact_person = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    state = UnicodeAttribute()
    member_of = UnicodeAttribute()
    by_organization = ByOrganization()


class TakenNameRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    scope = UnicodeAttribute()
    key = UnicodeAttribute()
    holder_id = UnicodeAttribute()


class AuditEventRow(Row):
    class Meta:
        table_name = TABLE

    by_audited_object = ByAuditedObject()
    audit_id = UnicodeAttribute()
    owner_id = UnicodeAttribute()
    action = UnicodeAttribute()
    object_type = UnicodeAttribute()
    object_id = UnicodeAttribute()
    occurred_at = MomentAttribute()
    actor_kind = UnicodeAttribute()
    actor_id = UnicodeAttribute()
    actor_organization_id = UnicodeAttribute(null=True)
    api_key_id = UnicodeAttribute(null=True)
    source_ip = UnicodeAttribute()
    request_id = UnicodeAttribute()
    before = ValueAttribute(dict[str, Any])
    after = ValueAttribute(dict[str, Any])
    audited_object = UnicodeAttribute()


def organization_key(organization_id: str) -> tuple[str, str]:
    return f"{ORGANIZATION_PREFIX}{organization_id}", "org"


def user_key(user_id: str) -> tuple[str, str]:
    return f"{USER_PREFIX}{user_id}", "user"


def logo_key(organization_id: str) -> tuple[str, str]:
    return organization_key(organization_id)[0], "logo"


def setting_key(organization_id: str, name: str) -> tuple[str, str]:
    return organization_key(organization_id)[0], f"setting#{name}"


def user_name_row_key(user_name: str) -> tuple[str, str]:
    return f"user_name#{user_name_key(user_name)}", "user_name"


def group_key(organization_id: str, group_id: str) -> tuple[str, str]:
    return organization_key(organization_id)[0], f"{GROUP_PREFIX}{group_id}"


def region_key(region_id: str) -> tuple[str, str]:
    return f"{REGION_PREFIX}{region_id}", "region"


def vending_point_key(vending_point_id: str) -> tuple[str, str]:
    return f"{VENDING_POINT_PREFIX}{vending_point_id}", "vending_point"


def name_taken_key(organization_id: str, scope: str, key: str) -> tuple[str, str]:
    return organization_key(organization_id)[0], f"name#{scope}#{key}"


def audit_pk(owner_id: str) -> str:
    return f"audit#{owner_id}"


def audited_object(owner_id: str, object_type: str, object_id: str) -> str:
    return f"{owner_id}#{object_type}#{object_id}"


ORGANIZATIONS: Table[Organization] = Table(
    OrganizationRow,
    Organization,
    key=lambda organization: organization_key(organization.organization_id),
    extra=lambda organization: {"member_of": organization.parent_id},
)
USERS: Table[User] = Table(
    UserRow,
    User,
    key=lambda user: user_key(user.user_id),
    extra=lambda user: {"member_of": user.organization_id},
)
LOGOS: Table[Logo] = Table(LogoRow, Logo, key=lambda logo: logo_key(logo.organization_id))
SETTINGS: Table[StoredSetting] = Table(
    SettingRow, StoredSetting, key=lambda setting: setting_key(setting.organization_id, setting.name)
)
USER_NAMES: Table[UserName] = Table(UserNameRow, UserName, key=lambda name: user_name_row_key(name.user_name))
USER_GROUPS: Table[UserGroup] = Table(
    UserGroupRow, UserGroup, key=lambda group: group_key(group.organization_id, group.group_id)
)
REGIONS: Table[Region] = Table(
    RegionRow,
    Region,
    key=lambda region: region_key(region.region_id),
    extra=lambda region: {"member_of": region.organization_id},
)
VENDING_POINTS: Table[VendingPoint] = Table(
    VendingPointRow,
    VendingPoint,
    key=lambda point: vending_point_key(point.vending_point_id),
    extra=lambda point: {"member_of": point.organization_id},
)
TAKEN_NAMES: Table[TakenName] = Table(
    TakenNameRow,
    TakenName,
    key=lambda name: name_taken_key(name.organization_id, name.scope, name.key),
)
AUDIT_EVENTS: Table[AuditEvent] = Table(
    AuditEventRow,
    AuditEvent,
    key=lambda event: (audit_pk(event.owner_id), event.audit_id),
    extra=lambda event: {"audited_object": audited_object(event.owner_id, event.object_type, event.object_id)},
)


def walk_users(ctx: Context, organization_id: str, cursor: str | None = None) -> Iterator[Step[User]]:
    """The users of an organisation, oldest first."""
    within = ByOrganization.pk.startswith(USER_PREFIX)
    return USERS.walk(ctx, organization_id, within, index=UserRow.by_organization, cursor=cursor)
