"""Lambda of the WebSocket route $connect: may this charger connect? The status decides before the upgrade."""

from __future__ import annotations

from typing import Any

from chalicelib.kernel import context
from chalicelib.ocpp import handshakes


def handler(event: dict[str, Any], _lambda_context: Any) -> dict[str, Any]:
    return handshakes.handle_connect(context.current(), event)
