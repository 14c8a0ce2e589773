"""Lambda of the WebSocket route $default: one OCPP-J frame in, its answer out as the route response."""

from __future__ import annotations

from typing import Any

from chalicelib.kernel import context
from chalicelib.ocpp import gateway

if (_runtime_api := context.lambda_runtime_api()) is not None:
    # At import, because Lambda takes extensions in its init phase only.
    context.current().afterwards.join_lambda(_runtime_api)


def handler(event: dict[str, Any], _lambda_context: Any) -> dict[str, Any]:
    ctx = context.current()
    with ctx.afterwards.invocation():
        return gateway.handle_message(ctx, event)
