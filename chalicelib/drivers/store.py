"""Rows of drivers, id tokens and operators' driver lists. Private to this folder.

A driver's cards are listed on the driver's row (strongly consistent, bounded), so only the operators' cards need an
index: rows of drivers' own cards have no `operator_id` and are not in it.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.drivers.model import ClaimCount, Driver, DriverLink, FormerOwner, IdToken, id_token_key
from chalicelib.drivers.model.enterprises import Enterprise, EnterpriseEntry, Member, Usage
from chalicelib.drivers.model.feedback import Feedback, FeedbackCount, FeedbackEntry, FeedbackMessage
from chalicelib.drivers.model.groups import DriverGroup, DriverGroupEntry, DriverGroupMember
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table

DRIVERS_TABLE = table_name("drivers")


class TokensByOperator(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "tokens_by_operator"
        projection = KeysOnlyProjection()

    operator_id = UnicodeAttribute(hash_key=True)
    id_token = UnicodeAttribute(range_key=True)


class LinksByDriver(GlobalSecondaryIndex[Any]):
    """On whose lists a driver is. A link's names are its own, so that no other row is in this index."""

    class Meta:
        index_name = "links_by_driver"
        projection = KeysOnlyProjection()

    linked_driver = UnicodeAttribute(hash_key=True)
    listing_operator = UnicodeAttribute(range_key=True)


class DriverRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    driver_id = UnicodeAttribute()
    email = UnicodeAttribute()
    full_name = UnicodeAttribute()
    created_at = MomentAttribute()
    state = UnicodeAttribute()
    revision = NumberAttribute()
    id_tokens = ValueAttribute(list[str])
    inactive_at = ValueAttribute(list[str])
    enterprises = ValueAttribute(dict[str, str])
    groups = ValueAttribute(dict[str, str])
    phone = UnicodeAttribute(null=True)
    language = UnicodeAttribute()
    receipts_by_email = BooleanAttribute()
    address = UnicodeAttribute(null=True)
    apartment = UnicodeAttribute(null=True)
    street = UnicodeAttribute(null=True)
    city = UnicodeAttribute(null=True)
    region = UnicodeAttribute(null=True)
    postal_code = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    deleted_at = MomentAttribute(null=True)


class IdTokenRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    tokens_by_operator = TokensByOperator()
    id_token = UnicodeAttribute()
    kind = UnicodeAttribute()
    status = UnicodeAttribute()
    created_at = MomentAttribute()
    driver_id = UnicodeAttribute(null=True)
    operator_id = UnicodeAttribute(null=True)
    driver_active = BooleanAttribute()
    refused_by = ValueAttribute(list[str])
    enterprises = ValueAttribute(dict[str, str])
    driver_groups = ValueAttribute(dict[str, str])
    expires_at = MomentAttribute(null=True, attr_name="valid_until")
    group_id = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    visual_number = UnicodeAttribute(null=True)
    claimable = BooleanAttribute()
    last_used_at = MomentAttribute(null=True)


class FormerOwnerRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    id_token = UnicodeAttribute()
    driver_id = UnicodeAttribute()
    until = MomentAttribute()


class ClaimCountRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    driver_id = UnicodeAttribute()
    since = MomentAttribute()
    made = NumberAttribute()


class DriverLinkRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    links_by_driver = LinksByDriver()
    operator_id = UnicodeAttribute(attr_name="listing_operator")
    driver_id = UnicodeAttribute(attr_name="linked_driver")
    linked_at = MomentAttribute()


class EnterpriseRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    enterprise_id = UnicodeAttribute()
    operator_id = UnicodeAttribute(attr_name="enterprise_of")
    name = UnicodeAttribute()
    email = UnicodeAttribute()
    currency = UnicodeAttribute()
    credit_limit = NumberAttribute()
    created_at = MomentAttribute()
    state = UnicodeAttribute()
    revision = NumberAttribute()
    language = UnicodeAttribute()
    payment_days = NumberAttribute()
    tax_number = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)
    city = UnicodeAttribute(null=True)
    postal_code = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)


class EnterpriseEntryRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    operator_id = UnicodeAttribute(attr_name="enterprise_of")
    enterprise_id = UnicodeAttribute()


class MemberRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    enterprise_id = UnicodeAttribute()
    driver_id = UnicodeAttribute()
    joined_at = MomentAttribute()
    monthly_limit = NumberAttribute(null=True)
    per_session_limit = NumberAttribute(null=True)
    valid_from = MomentAttribute(null=True)
    valid_until = MomentAttribute(null=True)
    id_tokens = ValueAttribute(list[str], null=True)
    wallet_fallback = BooleanAttribute()


class UsageRow(Row):
    """`used` is changed by ADD, never put."""

    class Meta:
        table_name = DRIVERS_TABLE

    enterprise_id = UnicodeAttribute()
    driver_id = UnicodeAttribute()
    month = UnicodeAttribute()
    used = NumberAttribute()


class DriverGroupRow(Row):
    """`member_count` is changed by ADD with the members."""

    class Meta:
        table_name = DRIVERS_TABLE

    group_id = UnicodeAttribute(attr_name="driver_group")
    operator_id = UnicodeAttribute(attr_name="group_of")
    name = UnicodeAttribute()
    created_at = MomentAttribute()
    description = UnicodeAttribute(null=True)
    member_count = NumberAttribute()
    revision = NumberAttribute()


class DriverGroupEntryRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    operator_id = UnicodeAttribute(attr_name="group_of")
    group_id = UnicodeAttribute(attr_name="driver_group")


class DriverGroupMemberRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    group_id = UnicodeAttribute(attr_name="driver_group")
    driver_id = UnicodeAttribute()
    added_at = MomentAttribute()


class FeedbackRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    feedback_id = UnicodeAttribute()
    driver_id = UnicodeAttribute(attr_name="feedback_driver")
    operator_id = UnicodeAttribute(attr_name="feedback_operator")
    state = UnicodeAttribute()
    created_at = MomentAttribute()
    updated_at = MomentAttribute()
    messages = ValueAttribute(list[FeedbackMessage])
    session_id = UnicodeAttribute(null=True)
    charger_id = UnicodeAttribute(null=True)
    location_id = UnicodeAttribute(null=True)
    rating = NumberAttribute(null=True)
    category = UnicodeAttribute(null=True)
    revision = NumberAttribute()


class FeedbackEntryRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    owner = UnicodeAttribute()
    feedback_id = UnicodeAttribute()


class FeedbackCountRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    driver_id = UnicodeAttribute(attr_name="feedback_driver")
    day = UnicodeAttribute()
    sent = NumberAttribute()
    fingerprint = UnicodeAttribute()
    feedback_id = UnicodeAttribute()


def driver_key(driver_id: str) -> tuple[str, str]:
    return (f"driver#{driver_id}", "driver")


def token_key(id_token: str) -> tuple[str, str]:
    return (f"idtoken#{id_token_key(id_token)}", "idtoken")


def claims_key(driver_id: str) -> tuple[str, str]:
    return (f"driver#{driver_id}", "claims")


def former_key(id_token: str) -> tuple[str, str]:
    return (token_key(id_token)[0], "former")


def links_pk(operator_id: str) -> str:
    return f"operator#{operator_id}"


def link_key(operator_id: str, driver_id: str) -> tuple[str, str]:
    return (links_pk(operator_id), f"driver#{driver_id}")


DRIVERS: Table[Driver] = Table(DriverRow, Driver, key=lambda driver: driver_key(driver.driver_id))
ID_TOKENS: Table[IdToken] = Table(IdTokenRow, IdToken, key=lambda token: token_key(token.id_token))
DRIVER_LINKS: Table[DriverLink] = Table(
    DriverLinkRow, DriverLink, key=lambda link: link_key(link.operator_id, link.driver_id)
)


def enterprise_pk(enterprise_id: str) -> str:
    return f"enterprise#{enterprise_id}"


def enterprise_key(enterprise_id: str) -> tuple[str, str]:
    return (enterprise_pk(enterprise_id), "enterprise")


def enterprises_pk(operator_id: str) -> str:
    return f"enterprises#{operator_id}"


def member_key(enterprise_id: str, driver_id: str) -> tuple[str, str]:
    return (enterprise_pk(enterprise_id), f"member#{driver_id}")


def usage_key(enterprise_id: str, driver_id: str, month: str) -> tuple[str, str]:
    return (enterprise_pk(enterprise_id), f"usage#{month}#{driver_id}")


ENTERPRISES: Table[Enterprise] = Table(
    EnterpriseRow, Enterprise, key=lambda enterprise: enterprise_key(enterprise.enterprise_id)
)
ENTERPRISE_ENTRIES: Table[EnterpriseEntry] = Table(
    EnterpriseEntryRow,
    EnterpriseEntry,
    key=lambda entry: (enterprises_pk(entry.operator_id), f"enterprise#{entry.enterprise_id}"),
)
MEMBERS: Table[Member] = Table(MemberRow, Member, key=lambda member: member_key(member.enterprise_id, member.driver_id))
USAGES: Table[Usage] = Table(
    UsageRow, Usage, key=lambda usage: usage_key(usage.enterprise_id, usage.driver_id, usage.month)
)
CLAIM_COUNTS: Table[ClaimCount] = Table(ClaimCountRow, ClaimCount, key=lambda count: claims_key(count.driver_id))


def feedback_key(feedback_id: str) -> tuple[str, str]:
    return (f"feedback#{feedback_id}", "feedback")


def feedback_list_pk(owner: str) -> str:
    return f"feedback_of#{owner}"


def feedback_sk(feedback_id: str) -> str:
    return f"feedback#{feedback_id}"


def feedback_count_key(driver_id: str) -> tuple[str, str]:
    return (f"driver#{driver_id}", "feedback")


FEEDBACK: Table[Feedback] = Table(FeedbackRow, Feedback, key=lambda feedback: feedback_key(feedback.feedback_id))
FEEDBACK_ENTRIES: Table[FeedbackEntry] = Table(
    FeedbackEntryRow,
    FeedbackEntry,
    key=lambda entry: (feedback_list_pk(entry.owner), feedback_sk(entry.feedback_id)),
)
FEEDBACK_COUNTS: Table[FeedbackCount] = Table(
    FeedbackCountRow, FeedbackCount, key=lambda count: feedback_count_key(count.driver_id)
)


def driver_groups_pk(operator_id: str) -> str:
    return f"driver_groups#{operator_id}"


def driver_group_entry_key(operator_id: str, group_id: str) -> tuple[str, str]:
    return (driver_groups_pk(operator_id), f"group#{group_id}")


def group_members_pk(group_id: str) -> str:
    return f"driver_group#{group_id}"


def driver_group_key(group_id: str) -> tuple[str, str]:
    return (group_members_pk(group_id), "group")


def group_member_key(group_id: str, driver_id: str) -> tuple[str, str]:
    return (group_members_pk(group_id), f"member#{driver_id}")


DRIVER_GROUPS: Table[DriverGroup] = Table(
    DriverGroupRow, DriverGroup, key=lambda group: driver_group_key(group.group_id)
)
DRIVER_GROUP_ENTRIES: Table[DriverGroupEntry] = Table(
    DriverGroupEntryRow,
    DriverGroupEntry,
    key=lambda entry: driver_group_entry_key(entry.operator_id, entry.group_id),
)
DRIVER_GROUP_MEMBERS: Table[DriverGroupMember] = Table(
    DriverGroupMemberRow, DriverGroupMember, key=lambda member: group_member_key(member.group_id, member.driver_id)
)
FORMER_OWNERS: Table[FormerOwner] = Table(FormerOwnerRow, FormerOwner, key=lambda former: former_key(former.id_token))
