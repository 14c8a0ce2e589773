"""Deliveries as people and events make them: planned, listed, asked for once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.webhooks import model
from chalicelib.webhooks.model import PAUSES, Delivery, Endpoint
from chalicelib.webhooks.service.endpoints import find_endpoint, list_endpoints
from chalicelib.webhooks.store import DELIVERY_ROWS, DeliveryRow, deliveries_pk


def plan_deliveries(
    uow: UnitOfWork,
    organization_id: str,
    event_type: str,
    *,
    event_id: str,
    subject: str,
    occurred_at: datetime,
    body: str,
) -> list[Delivery]:
    """One delivery to each active endpoint that wants the event. An event that is told twice is planned once: the ids
    are made of it."""
    ctx = uow.ctx
    planned = [
        _delivery(
            ctx, endpoint, event_type, derived_id("whd", occurred_at, event_id, endpoint.endpoint_id), body, subject
        )
        for endpoint in list_endpoints(ctx, organization_id)
        if endpoint.state == "active" and event_type in endpoint.event_types
    ]
    known = {delivery.delivery_id for delivery in DELIVERY_ROWS.batch_get(ctx, [_key(each) for each in planned])}
    new = [delivery for delivery in planned if delivery.delivery_id not in known]
    for delivery in new:
        uow.create(DELIVERY_ROWS, delivery, on_conflict=StaleRead("The delivery"))
    return new


def plan_test(uow: UnitOfWork, endpoint: Endpoint) -> Delivery:
    """A message that says nothing, to an endpoint in any state."""
    data = {"endpoint_id": endpoint.endpoint_id}
    body = model.message_body(model.TEST_TYPE, uow.ctx.now(), data)
    delivery = _delivery(uow.ctx, endpoint, model.TEST_TYPE, uow.ctx.new_id("whd"), body, endpoint.endpoint_id)
    uow.create(DELIVERY_ROWS, delivery)
    return delivery


def find_delivery(ctx: Context, organization_id: str, delivery_id: str) -> Delivery:
    """Raises webhook_delivery.not_found (404), for another organisation's too."""
    delivery = DELIVERY_ROWS.get(ctx, deliveries_pk(organization_id), delivery_id)
    if delivery is None:
        raise not_found("webhook_delivery", delivery_id)
    return delivery


def list_deliveries(
    ctx: Context, organization_id: str, *, keep: Callable[[Delivery], bool], limit: int, cursor: str | None
) -> Page[Delivery]:
    """Deliveries of an organisation, newest first."""
    steps = DELIVERY_ROWS.walk(ctx, deliveries_pk(organization_id), newest_first=True, cursor=cursor)
    return page_of(steps, limit, keep)


def retry_delivery(uow: UnitOfWork, delivery: Delivery) -> Delivery:
    """Sends it once more, within a minute, and then as if it were new. Raises webhook_endpoint.gone,
    webhook_endpoint.disabled (409)."""
    endpoint = find_endpoint(uow.ctx, delivery.organization_id, delivery.endpoint_id)
    if endpoint is None:
        raise conflict("webhook_endpoint.gone", "The endpoint of this delivery is no more.")
    if endpoint.state == "disabled" and not delivery.is_test:
        raise conflict("webhook_endpoint.disabled", "This endpoint is disabled: enable it first.")
    return save_delivery(uow, delivery, model.retried(delivery, uow.ctx.now()))


def save_delivery(uow: UnitOfWork, before: Delivery, after: Delivery) -> Delivery:
    """Writes the delivery if nobody changed it since it was read."""
    saved = replace(after, revision=before.revision + 1)
    uow.put(
        DELIVERY_ROWS,
        saved,
        condition=DeliveryRow.revision == before.revision,
        on_conflict=StaleRead("The delivery"),
    )
    return saved


def _delivery(ctx: Context, endpoint: Endpoint, event_type: str, delivery_id: str, body: str, subject: str) -> Delivery:
    """Due in a minute, should nobody have sent it at once."""
    now = ctx.now()
    return Delivery(
        delivery_id=delivery_id,
        organization_id=endpoint.organization_id,
        endpoint_id=endpoint.endpoint_id,
        type=event_type,
        subject=subject,
        body=body,
        state=model.DELIVERY_LIFECYCLE.initial,
        created_at=now,
        due_at=now + PAUSES[0],
    )


def _key(delivery: Delivery) -> tuple[str, str]:
    return DELIVERY_ROWS.key_of(delivery)
