"""Webhook endpoints of one's own organisation.

An endpoint is sent whatever its events show, of all places. So who makes or changes one works everywhere, and may read
what the chosen events show.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from chalicelib.identity.scope import check_works_everywhere
from chalicelib.kernel.http import UNSET, PageQuery, PageView, Request, Shape, Unset, changes_of
from chalicelib.webhooks import service
from chalicelib.webhooks.api_operator.common import DeliveryView, api, delivery_view
from chalicelib.webhooks.events import TYPES
from chalicelib.webhooks.model import GRACE, DisabledReason, Endpoint, EndpointState, check_types

GRACE_S: Final = int(GRACE.total_seconds())
LONGEST_GRACE_S: Final = 7 * GRACE_S

UrlText = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
DescriptionText = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
EventTypes = Annotated[list[str], msgspec.Meta(max_length=50)]


class EndpointCreate(Shape):
    """`event_types`: those of `GET /v1/webhook-event-types` that are to be sent."""

    url: UrlText
    event_types: EventTypes
    description: DescriptionText = ""


class EndpointPatch(Shape):
    """`state` active enables an endpoint again that was disabled; what it missed meanwhile is not made up."""

    url: UrlText | Unset = UNSET
    event_types: EventTypes | Unset = UNSET
    description: DescriptionText | Unset = UNSET
    state: EndpointState | Unset = UNSET


class SecretRotation(Shape):
    """The secret before signs beside the new one for `grace_s` more seconds; 0 ends it at once."""

    grace_s: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_GRACE_S)] = GRACE_S


class EndpointView(Shape):
    """`failing_since`: since when nothing got through. `disabled_reason`: by_hand, failing (three days long), or gone
    (it answered 410)."""

    endpoint_id: str
    url: str
    description: str
    event_types: list[str]
    state: EndpointState
    created_at: datetime
    created_by: str
    previous_secret_until: datetime | None
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None


class EndpointSecretView(EndpointView):
    """`secret` signs the messages (Standard Webhooks); nobody can read it again."""

    secret: str


class EventTypeView(Shape):
    """`permission`: what one must hold to have it sent; `data` of the message is what that shows."""

    type: str
    title: str
    permission: str


@api.get("/v1/webhook-event-types", permission="webhook_endpoints:read")
def list_webhook_event_types(req: Request, query: PageQuery) -> PageView[EventTypeView]:
    """The events that can be sent."""
    found = [
        EventTypeView(type=name, title=TYPES[name].title, permission=TYPES[name].permission) for name in sorted(TYPES)
    ]
    return PageView(data=found[: query.limit], has_more=False)


@api.post("/v1/webhook-endpoints", permission="webhook_endpoints:write")
def create_webhook_endpoint(req: Request, body: EndpointCreate) -> EndpointSecretView:
    """Has events sent to a URL of one's own, signed with a secret that is shown this once.

    Messages are signed as in Standard Webhooks, and repeated for three days until the receiver answers 2xx within ten
    seconds. The same message may come twice: webhook-id tells. They come in any order.
    """
    check_works_everywhere(req)
    new = service.NewEndpoint(body.url, _checked(req, body.event_types), body.description.strip())
    endpoint, secret = service.create_endpoint(req.uow, req.organization_id, new, by=req.actor.person_id)
    view = endpoint_view(endpoint)
    req.audit("webhook_endpoint", endpoint.endpoint_id, after=view)
    return _with_secret(view, secret)


@api.get("/v1/webhook-endpoints", permission="webhook_endpoints:read")
def list_webhook_endpoints(req: Request, query: PageQuery) -> PageView[EndpointView]:
    """The endpoints of one's own organisation, oldest first: at most 20, on one page."""
    found = service.list_endpoints(req.ctx, req.organization_id)
    return PageView(data=[endpoint_view(endpoint) for endpoint in found], has_more=False)


@api.get("/v1/webhook-endpoints/{endpoint_id}", permission="webhook_endpoints:read")
def get_webhook_endpoint(req: Request, endpoint_id: str) -> EndpointView:
    """One endpoint, without its secret."""
    return endpoint_view(_own(req, endpoint_id))


@api.patch("/v1/webhook-endpoints/{endpoint_id}", permission="webhook_endpoints:write")
def update_webhook_endpoint(req: Request, endpoint_id: str, body: EndpointPatch) -> EndpointView:
    """Changes an endpoint, disables it or enables it again (merge patch)."""
    check_works_everywhere(req)
    endpoint, changes = _own(req, endpoint_id), changes_of(body)
    changes["event_types"] = _checked(req, changes.get("event_types", endpoint.event_types))
    if "description" in changes:
        changes["description"] = changes["description"].strip()
    changed = service.change_endpoint(req.uow, endpoint, changes)
    after = endpoint_view(changed)
    req.audit("webhook_endpoint", endpoint_id, before=endpoint_view(endpoint), after=after)
    return after


@api.delete("/v1/webhook-endpoints/{endpoint_id}", permission="webhook_endpoints:write")
def delete_webhook_endpoint(req: Request, endpoint_id: str) -> None:
    """Takes an endpoint away for good; what waits for it is not sent."""
    check_works_everywhere(req)
    endpoint = _own(req, endpoint_id)
    service.delete_endpoint(req.uow, endpoint)
    req.audit("webhook_endpoint", endpoint_id, before=endpoint_view(endpoint))


@api.post("/v1/webhook-endpoints/{endpoint_id}/rotation", permission="webhook_endpoints:write", status=200)
def rotate_webhook_secret(req: Request, endpoint_id: str, body: SecretRotation) -> EndpointSecretView:
    """Gives an endpoint a new secret, shown this once. For a day both sign, so that the receiver can follow."""
    check_works_everywhere(req)
    endpoint = _own(req, endpoint_id)
    _checked(req, endpoint.event_types)  # who holds the secret can play the platform to the receiver
    changed, secret = service.rotate_secret(req.uow, endpoint, timedelta(seconds=body.grace_s))
    view = endpoint_view(changed)
    req.audit("webhook_endpoint", endpoint_id, before=endpoint_view(endpoint), after=view)
    return _with_secret(view, secret)


@api.post("/v1/webhook-endpoints/{endpoint_id}/test", permission="webhook_endpoints:write", status=202)
def send_webhook_test(req: Request, endpoint_id: str) -> DeliveryView:
    """Sends a message of type webhook.test, once, also to a disabled endpoint. The delivery tells what came of it."""
    endpoint = _own(req, endpoint_id)
    delivery = service.plan_test(req.uow, endpoint)
    view = delivery_view(delivery)
    req.answer_headers["location"] = f"/v1/webhook-deliveries/{delivery.delivery_id}"
    req.audit("webhook_delivery", delivery.delivery_id, after=view)
    return view


def endpoint_view(endpoint: Endpoint) -> EndpointView:
    return EndpointView(
        endpoint_id=endpoint.endpoint_id,
        url=endpoint.url,
        description=endpoint.description,
        event_types=endpoint.event_types,
        state=endpoint.state,
        created_at=endpoint.created_at,
        created_by=endpoint.created_by,
        previous_secret_until=endpoint.previous_until,
        failing_since=endpoint.failing_since,
        disabled_at=endpoint.disabled_at,
        disabled_reason=endpoint.disabled_reason,
    )


def _checked(req: Request, event_types: list[str]) -> list[str]:
    """Raises webhook_endpoint.event_types (422), forbidden (403) for events that show what the asker may not read."""
    checked = check_types(event_types, TYPES)
    for name in checked:
        req.actor.require(TYPES[name].permission)
    return checked


def _own(req: Request, endpoint_id: str) -> Endpoint:
    return service.get_endpoint(req.ctx, req.organization_id, endpoint_id)


def _with_secret(view: EndpointView, secret: str) -> EndpointSecretView:
    return EndpointSecretView(**msgspec.structs.asdict(view), secret=secret)
