"""Use cases of webhooks. Nothing is committed here."""

from chalicelib.webhooks.service.delivering import (
    Outgoing,
    begin_attempt,
    due_deliveries,
    finish_attempt,
    put_off_delivery,
)
from chalicelib.webhooks.service.endpoints import (
    NewEndpoint,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    get_endpoint,
    list_endpoints,
    rotate_secret,
)
from chalicelib.webhooks.service.planning import (
    find_delivery,
    list_deliveries,
    plan_deliveries,
    plan_test,
    retry_delivery,
)
from chalicelib.webhooks.service.subscribing import who_wants

__all__ = [
    "NewEndpoint",
    "Outgoing",
    "begin_attempt",
    "change_endpoint",
    "create_endpoint",
    "delete_endpoint",
    "due_deliveries",
    "find_delivery",
    "finish_attempt",
    "get_endpoint",
    "list_deliveries",
    "list_endpoints",
    "plan_deliveries",
    "plan_test",
    "put_off_delivery",
    "retry_delivery",
    "rotate_secret",
    "who_wants",
]
