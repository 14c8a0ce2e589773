"""What was sent to the endpoints of one's own organisation, for thirty days."""

from __future__ import annotations

import msgspec

from chalicelib.identity.scope import check_works_everywhere
from chalicelib.kernel.http import PageQuery, PageView, Request, page_view
from chalicelib.webhooks import service
from chalicelib.webhooks.api_operator.common import DeliveryView, api, delivery_view
from chalicelib.webhooks.events import TYPES
from chalicelib.webhooks.model import Delivery, DeliveryState


class DeliveryQuery(PageQuery):
    endpoint_id: str | None = None
    state: DeliveryState | None = None
    type: str | None = None


class DeliveryDetail(DeliveryView):
    """`body`: the text that is sent; absent for who may not read what it shows."""

    body: str | None


@api.get("/v1/webhook-deliveries", permission="webhook_endpoints:read")
def list_webhook_deliveries(req: Request, query: DeliveryQuery) -> PageView[DeliveryView]:
    """Deliveries, newest first. A page may be short while matches are rare; go on with its cursor."""
    wanted = {"endpoint_id": query.endpoint_id, "state": query.state, "type": query.type}
    page = service.list_deliveries(
        req.ctx,
        req.organization_id,
        keep=lambda delivery: all(value in (None, getattr(delivery, name)) for name, value in wanted.items()),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, delivery_view)


@api.get("/v1/webhook-deliveries/{delivery_id}", permission="webhook_endpoints:read")
def get_webhook_delivery(req: Request, delivery_id: str) -> DeliveryDetail:
    """One delivery with what is sent."""
    delivery = service.find_delivery(req.ctx, req.organization_id, delivery_id)
    body = delivery.body if _may_read(req, delivery) else None
    return DeliveryDetail(**msgspec.structs.asdict(delivery_view(delivery)), body=body)


@api.post("/v1/webhook-deliveries/{delivery_id}/retry", permission="webhook_endpoints:write", status=202)
def retry_webhook_delivery(req: Request, delivery_id: str) -> DeliveryView:
    """Sends a message once more, within a minute, also one that had arrived. Its webhook-id stays the same."""
    check_works_everywhere(req)
    delivery = service.find_delivery(req.ctx, req.organization_id, delivery_id)
    retried = delivery_view(service.retry_delivery(req.uow, delivery))
    req.audit("webhook_delivery", delivery_id, before=delivery_view(delivery), after=retried)
    return retried


def _may_read(req: Request, delivery: Delivery) -> bool:
    public = TYPES.get(delivery.type)
    return not req.actor.is_narrowed and (public is None or req.actor.may(public.permission))
