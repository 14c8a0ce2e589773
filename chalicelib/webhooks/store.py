"""Rows of webhooks: endpoints, what organisations want to hear, deliveries. Private to this folder.

The table has a stream: a new delivery is handed to the function that sends it. `due` is there only while a delivery is
pending: its index is the work list of the job that tries again. Deliveries expire after 30 days.
"""

from __future__ import annotations

from typing import Any, Final

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.webhooks.model import RETENTION, Delivery, Endpoint, Subscription

TABLE: Final = table_name("webhooks")
SUBSCRIPTIONS_PK: Final = "subscriptions"
DELIVERIES: Final = "deliveries#"
DUE: Final = "due"


class EndpointRow(Row):
    class Meta:
        table_name = TABLE

    endpoint_id = UnicodeAttribute()
    organization_id = UnicodeAttribute()
    url = UnicodeAttribute()
    description = UnicodeAttribute()
    event_types = ValueAttribute(list[str])
    state = UnicodeAttribute()
    sealed_secret = UnicodeAttribute()
    created_at = MomentAttribute()
    created_by = UnicodeAttribute()
    previous_secret = UnicodeAttribute(null=True)
    previous_until = MomentAttribute(null=True)
    failing_since = MomentAttribute(null=True)
    disabled_at = MomentAttribute(null=True)
    disabled_reason = UnicodeAttribute(null=True)
    revision = NumberAttribute()


class SubscriptionRow(Row):
    class Meta:
        table_name = TABLE

    organization_id = UnicodeAttribute()
    event_types = ValueAttribute(list[str])
    revision = NumberAttribute()


class DueDeliveries(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "due_deliveries"
        projection = KeysOnlyProjection()

    due = UnicodeAttribute(hash_key=True)
    due_at = MomentAttribute(range_key=True)


class DeliveryRow(Row):
    class Meta:
        table_name = TABLE

    delivery_id = UnicodeAttribute()
    organization_id = UnicodeAttribute()
    endpoint_id = UnicodeAttribute()
    type = UnicodeAttribute()
    subject = UnicodeAttribute()
    body = UnicodeAttribute()
    state = UnicodeAttribute()
    created_at = MomentAttribute()
    due_at = MomentAttribute(null=True)
    attempts = NumberAttribute()
    round_attempts = NumberAttribute()
    attempted_at = MomentAttribute(null=True)
    delivered_at = MomentAttribute(null=True)
    status_code = NumberAttribute(null=True)
    duration_ms = NumberAttribute(null=True)
    error = UnicodeAttribute(null=True)
    response_text = UnicodeAttribute(null=True)
    revision = NumberAttribute()
    due = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()
    due_deliveries = DueDeliveries()


def endpoints_pk(organization_id: str) -> str:
    return f"endpoints#{organization_id}"


def deliveries_pk(organization_id: str) -> str:
    return f"{DELIVERIES}{organization_id}"


ENDPOINT_ROWS: Table[Endpoint] = Table(
    EndpointRow, Endpoint, key=lambda endpoint: (endpoints_pk(endpoint.organization_id), endpoint.endpoint_id)
)
SUBSCRIPTION_ROWS: Table[Subscription] = Table(
    SubscriptionRow, Subscription, key=lambda subscription: (SUBSCRIPTIONS_PK, subscription.organization_id)
)
DELIVERY_ROWS: Table[Delivery] = Table(
    DeliveryRow,
    Delivery,
    key=lambda delivery: (deliveries_pk(delivery.organization_id), delivery.delivery_id),
    extra=lambda delivery: {
        "due": None if delivery.due_at is None else DUE,
        "expires_at": int((delivery.created_at + RETENTION).timestamp()),
    },
)
