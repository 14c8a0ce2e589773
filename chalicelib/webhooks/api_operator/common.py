"""The one Api of this folder, and the shape that both of its files show."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kernel.http import Api, Shape
from chalicelib.webhooks.model import Delivery, DeliveryState

api = Api("webhooks", "operator")


class DeliveryView(Shape):
    """One message to one endpoint. `delivery_id` is its webhook-id, the same at each attempt. `subject`: the id of what
    it is about. `next_attempt_at` while it is pending. Of the latest attempt: `status_code`, where somebody answered,
    or else the `error`; `response_text` is how the answer began."""

    delivery_id: str
    endpoint_id: str
    type: str
    subject: str
    state: DeliveryState
    created_at: datetime
    attempts: int
    attempted_at: datetime | None
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    status_code: int | None
    duration_ms: int | None
    error: str | None
    response_text: str | None


def delivery_view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        delivery_id=delivery.delivery_id,
        endpoint_id=delivery.endpoint_id,
        type=delivery.type,
        subject=delivery.subject,
        state=delivery.state,
        created_at=delivery.created_at,
        attempts=delivery.attempts,
        attempted_at=delivery.attempted_at,
        next_attempt_at=delivery.due_at,
        delivered_at=delivery.delivered_at,
        status_code=delivery.status_code,
        duration_ms=delivery.duration_ms,
        error=delivery.error,
        response_text=delivery.response_text,
    )
