"""Rows of identity. Private to this folder.

What belongs to an organisation stands under its key. Organisations and users are listed through `by_organization`,
whose hash key is the organisation they belong to: a user's own, an organisation's parent. Rows that only guard
against guessing expire by themselves.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.identity.model import (
    Attempts,
    AuditEvent,
    Login,
    LoginPointer,
    Organization,
    Region,
    SignIn,
    User,
    UserGroup,
    VerificationCode,
    email_key,
)
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table

TABLE = table_name("identity")

GROUP_PREFIX = "group#"
REGION_PREFIX = "region#"


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
    member_of = UnicodeAttribute(null=True)
    by_organization = ByOrganization()


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


class LoginRow(Row):
    class Meta:
        table_name = TABLE

    login_id = UnicodeAttribute()
    email = UnicodeAttribute()
    created_at = MomentAttribute()
    password_hash = UnicodeAttribute(null=True)
    password_version = NumberAttribute()
    user_id = UnicodeAttribute(null=True)
    driver_id = UnicodeAttribute(null=True)


class LoginPointerRow(Row):
    class Meta:
        table_name = TABLE

    login_id = UnicodeAttribute()
    email = UnicodeAttribute()


class SignInRow(Row):
    class Meta:
        table_name = TABLE

    sign_in_id = UnicodeAttribute()
    login_id = UnicodeAttribute()
    email = UnicodeAttribute()
    password_version = NumberAttribute()
    created_at = MomentAttribute()
    rotated_at = MomentAttribute()
    expires_at = NumberAttribute()
    generation = NumberAttribute()


class AttemptsRow(Row):
    class Meta:
        table_name = TABLE

    subject = UnicodeAttribute()
    made = NumberAttribute()
    until = MomentAttribute()
    expires_at = NumberAttribute()


class VerificationCodeRow(Row):
    class Meta:
        table_name = TABLE

    email = UnicodeAttribute()
    purpose = UnicodeAttribute()
    tries = NumberAttribute()
    issued_at = MomentAttribute()
    valid_until = MomentAttribute()
    issued = NumberAttribute()
    window_ends_at = MomentAttribute()
    code_hash = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


def organization_key(organization_id: str) -> tuple[str, str]:
    return f"org#{organization_id}", "org"


def user_key(user_id: str) -> tuple[str, str]:
    return f"user#{user_id}", "user"


def group_key(organization_id: str, group_id: str) -> tuple[str, str]:
    return organization_key(organization_id)[0], f"{GROUP_PREFIX}{group_id}"


def region_key(organization_id: str, region_id: str) -> tuple[str, str]:
    return organization_key(organization_id)[0], f"{REGION_PREFIX}{region_id}"


def audit_pk(owner_id: str) -> str:
    return f"audit#{owner_id}"


def audited_object(owner_id: str, object_type: str, object_id: str) -> str:
    return f"{owner_id}#{object_type}#{object_id}"


def login_key(email: str) -> tuple[str, str]:
    return f"login#{email_key(email)}", "login"


def login_pointer_key(login_id: str) -> tuple[str, str]:
    return f"login_id#{login_id}", "login_id"


def sign_in_key(sign_in_id: str) -> tuple[str, str]:
    return f"sign_in#{sign_in_id}", "sign_in"


def attempts_key(subject: str) -> tuple[str, str]:
    return f"attempts#{subject}", "attempts"


def code_key(email: str, purpose: str) -> tuple[str, str]:
    return f"code#{email_key(email)}", f"code#{purpose}"


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
USER_GROUPS: Table[UserGroup] = Table(
    UserGroupRow, UserGroup, key=lambda group: group_key(group.organization_id, group.group_id)
)
REGIONS: Table[Region] = Table(
    RegionRow, Region, key=lambda region: region_key(region.organization_id, region.region_id)
)
AUDIT_EVENTS: Table[AuditEvent] = Table(
    AuditEventRow,
    AuditEvent,
    key=lambda event: (audit_pk(event.owner_id), event.audit_id),
    extra=lambda event: {"audited_object": audited_object(event.owner_id, event.object_type, event.object_id)},
)
LOGINS: Table[Login] = Table(LoginRow, Login, key=lambda login: login_key(login.email))
LOGIN_POINTERS: Table[LoginPointer] = Table(
    LoginPointerRow, LoginPointer, key=lambda pointer: login_pointer_key(pointer.login_id)
)
SIGN_INS: Table[SignIn] = Table(SignInRow, SignIn, key=lambda sign_in: sign_in_key(sign_in.sign_in_id))
ATTEMPTS: Table[Attempts] = Table(
    AttemptsRow,
    Attempts,
    key=lambda attempts: attempts_key(attempts.subject),
    extra=lambda attempts: {"expires_at": int(attempts.until.timestamp())},
)
CODES: Table[VerificationCode] = Table(
    VerificationCodeRow,
    VerificationCode,
    key=lambda code: code_key(code.email, code.purpose),
    extra=lambda code: {"expires_at": int(code.window_ends_at.timestamp())},
)
