"""Rows of drivers, id tokens and operators' driver lists. Private to this folder.

A driver's cards are listed on the driver's row (strongly consistent, bounded), so only the operators' cards need an
index: rows of drivers' own cards have no `operator_id` and are not in it.
"""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.drivers.model import Driver, DriverLink, IdToken, id_token_key
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
    expires_at = MomentAttribute(null=True, attr_name="valid_until")
    group_id = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)


class DriverLinkRow(Row):
    class Meta:
        table_name = DRIVERS_TABLE

    operator_id = UnicodeAttribute(attr_name="listing_operator")
    driver_id = UnicodeAttribute()
    linked_at = MomentAttribute()


def driver_key(driver_id: str) -> tuple[str, str]:
    return (f"driver#{driver_id}", "driver")


def token_key(id_token: str) -> tuple[str, str]:
    return (f"idtoken#{id_token_key(id_token)}", "idtoken")


def links_pk(operator_id: str) -> str:
    return f"operator#{operator_id}"


def link_key(operator_id: str, driver_id: str) -> tuple[str, str]:
    return (links_pk(operator_id), f"driver#{driver_id}")


DRIVERS: Table[Driver] = Table(DriverRow, Driver, key=lambda driver: driver_key(driver.driver_id))
ID_TOKENS: Table[IdToken] = Table(IdTokenRow, IdToken, key=lambda token: token_key(token.id_token))
DRIVER_LINKS: Table[DriverLink] = Table(
    DriverLinkRow, DriverLink, key=lambda link: link_key(link.operator_id, link.driver_id)
)
