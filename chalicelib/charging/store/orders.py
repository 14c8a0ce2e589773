"""Rows of abnormal orders: each under its operator, and the lists that name it: a driver's orders, those that wait for
the driver's statement, and those that are closed when their time is over."""

from __future__ import annotations

from datetime import datetime

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.charging.model.orders import AbnormalOrder, OrderEntry, Resolution, Statement
from chalicelib.charging.store import TABLE, driver_pk, operator_pk
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.table import Row, Table

ORDER_SK = "abnormal_order#"
STATEMENT_DUE_SK = "statement_due#"
OVERDUE_PK = "abnormal_orders_resolved"
OVERDUE_SK = "overdue#"


class AbnormalOrderRow(Row):
    class Meta:
        table_name = TABLE

    session_id = UnicodeAttribute(attr_name="order_session")
    order_no = UnicodeAttribute()
    operator_id = UnicodeAttribute(attr_name="order_operator")
    charger_id = UnicodeAttribute()
    evse_no = NumberAttribute()
    opened_at = MomentAttribute()
    causes = ValueAttribute(list[str])
    state = UnicodeAttribute()
    asks_driver = BooleanAttribute()
    location_id = UnicodeAttribute(null=True)
    driver_id = UnicodeAttribute(null=True, attr_name="order_driver")
    statement = ValueAttribute(Statement, null=True)
    resolution = ValueAttribute(Resolution, null=True)
    closed_at = MomentAttribute(null=True)
    revision = NumberAttribute()


class OrderEntryRow(Row):
    class Meta:
        table_name = TABLE

    owner = UnicodeAttribute()
    place = UnicodeAttribute()
    operator_id = UnicodeAttribute(attr_name="order_operator")
    session_id = UnicodeAttribute(attr_name="order_session")
    order_no = UnicodeAttribute()


def order_key(operator_id: str, session_id: str) -> tuple[str, str]:
    return operator_pk(operator_id), ORDER_SK + session_id


def entry_of_driver(order: AbnormalOrder, driver_id: str) -> OrderEntry:
    return _entry(order, driver_pk(driver_id), ORDER_SK + order.session_id)


def entry_of_statement(order: AbnormalOrder, driver_id: str) -> OrderEntry:
    return _entry(order, driver_pk(driver_id), STATEMENT_DUE_SK + order.session_id)


def entry_of_overdue(order: AbnormalOrder, overdue_at: datetime) -> OrderEntry:
    return _entry(order, OVERDUE_PK, f"{overdue_sk(overdue_at)}#{order.session_id}")


def overdue_sk(moment: datetime) -> str:
    return OVERDUE_SK + to_rfc3339(moment)


def _entry(order: AbnormalOrder, owner: str, place: str) -> OrderEntry:
    return OrderEntry(owner, place, order.operator_id, order.session_id, order.order_no)


ABNORMAL_ORDERS: Table[AbnormalOrder] = Table(
    AbnormalOrderRow, AbnormalOrder, key=lambda order: order_key(order.operator_id, order.session_id)
)
ORDER_ENTRIES: Table[OrderEntry] = Table(OrderEntryRow, OrderEntry, key=lambda entry: (entry.owner, entry.place))
