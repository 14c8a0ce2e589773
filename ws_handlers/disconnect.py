"""Lambda of the WebSocket route $disconnect: a socket has closed. Best effort on AWS: it may come late or never."""

from __future__ import annotations

from typing import Any

from chalicelib.kernel import context
from chalicelib.ocpp import handshakes


def handler(event: dict[str, Any], _lambda_context: Any) -> dict[str, Any]:
    return handshakes.handle_disconnect(context.current(), event)
