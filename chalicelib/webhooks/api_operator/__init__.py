"""REST endpoints of webhooks: endpoints of one's own organisation, and what was sent to them."""

from chalicelib.webhooks.api_operator import deliveries, endpoints
from chalicelib.webhooks.api_operator.common import api

__all__ = ["api", "deliveries", "endpoints"]
