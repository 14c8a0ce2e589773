"""A webhook endpoint of the site's operator, and a message to it."""

from __future__ import annotations

from tests.site import Site


def things_of_webhooks(site: Site) -> dict[str, str]:
    rest, token = site.world.rest, site.operator.access_token
    wanted = {"url": "https://hooks.customer.example/wattfare", "event_types": ["settlement.posted"]}
    endpoint = rest.post("/v1/webhook-endpoints", wanted, token=token).body
    delivery = rest.post(f"/v1/webhook-endpoints/{endpoint['endpoint_id']}/test", token=token).body
    return {"endpoint_id": endpoint["endpoint_id"], "delivery_id": delivery["delivery_id"]}
