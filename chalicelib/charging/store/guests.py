"""Rows of guests' orders, which stand beside the session that they become, and of how far guests are forgotten."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.charging.model import Limits
from chalicelib.charging.model.guests import GuestOrder, GuestsForgotten
from chalicelib.charging.store import TABLE, operator_pk, session_pk
from chalicelib.kernel.attributes import MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.table import Row, Table

GUEST_ORDER_SK = "guest_order"


class GuestOrderRow(Row):
    """Its ids have names of their own: it is in no index of sessions."""

    class Meta:
        table_name = TABLE

    session_id = UnicodeAttribute(attr_name="guest_session")
    payment_id = UnicodeAttribute()
    operator_id = UnicodeAttribute(attr_name="guest_operator")
    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()
    email = UnicodeAttribute()
    amount = MoneyAttribute()
    tariff_id = UnicodeAttribute()
    tariff_version = NumberAttribute()
    state = UnicodeAttribute()
    created_at = MomentAttribute()
    limits = ValueAttribute(Limits, null=True)
    refusal = UnicodeAttribute(null=True)
    refusal_code = UnicodeAttribute(null=True)


class GuestsForgottenRow(Row):
    class Meta:
        table_name = TABLE

    operator_id = UnicodeAttribute(attr_name="guest_operator")
    before = MomentAttribute()


def forgotten_key(operator_id: str) -> tuple[str, str]:
    return operator_pk(operator_id), "guests_forgotten"


GUEST_ORDERS: Table[GuestOrder] = Table(
    GuestOrderRow, GuestOrder, key=lambda order: (session_pk(order.session_id), GUEST_ORDER_SK)
)
GUESTS_FORGOTTEN: Table[GuestsForgotten] = Table(
    GuestsForgottenRow, GuestsForgotten, key=lambda mark: forgotten_key(mark.operator_id)
)
