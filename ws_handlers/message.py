"""Lambda of the WebSocket route $default: one OCPP-J frame in, its answer out as the route response."""

from __future__ import annotations

from typing import Any

from chalicelib.kernel import context
from chalicelib.ocpp import gateway


def handler(event: dict[str, Any], _lambda_context: Any) -> dict[str, Any]:
    return gateway.handle_message(context.current(), event)
