"""Handshakes and goodbyes: the WebSocket routes $connect and $disconnect, each one Lambda invocation.

Called by `ws_handlers`. The invariants: the status decides before the upgrade; whatever was refused, or odd, is written
down; the last one to connect is the charger's connection, and a late goodbye of an older one changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Handshake, Refused, Viewer
from chalicelib.kernel import edge
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit

Event = Mapping[str, Any]
Response = dict[str, Any]


def handle_connect(ctx: Context, event: Event) -> Response:
    """Decides the handshake: 200 with the chosen subprotocol, 403 around the CDN, 400/401/404 as
    `chargers.check_handshake` says, 500 when we fail."""
    try:
        return _connect(ctx, event)
    except Exception:
        logger.exception("handshake failed")
        return {"statusCode": 500}


def _connect(ctx: Context, event: Event) -> Response:
    headers = _headers(event)
    first = {name: values[0] for name, values in headers.items()}
    request = event["requestContext"]
    # The CDN passes the identity as it stands in the URL: this is the one decoding.
    identity = unquote((event.get("queryStringParameters") or {}).get("cp") or "")
    connection_id: str = request["connectionId"]
    offered = headers.get("sec-websocket-protocol", [])
    source_ip = edge.viewer_address(ctx, first, (request.get("identity") or {}).get("sourceIp", ""))
    if ctx.secret(edge.ORIGIN_SECRET) and not edge.came_through_cdn(ctx, first):
        decide_and_commit(
            ctx,
            lambda uow: chargers.record_attempt(
                uow, identity, None, 403, "around_cdn", "It did not come through the CDN.", source_ip, offered
            ),
        )
        return {"statusCode": 403}

    def decide(uow: UnitOfWork) -> tuple[Handshake, str | None]:
        handshake = chargers.check_handshake(
            uow,
            identity=identity,
            authorization=first.get("authorization"),
            offered_protocols=offered,
            source_ip=source_ip,
            viewer=Viewer(edge.is_secure(ctx, first), edge.certificate_subject(ctx, first)),
        )
        if isinstance(handshake, Refused):
            return handshake, None
        before = chargers.get_link(ctx, handshake.charger.charger_id)
        chargers.open_connection(uow, handshake.charger, connection_id, handshake.protocol)
        return handshake, before.connection_id if before is not None else None

    handshake, replaced = decide_and_commit(ctx, decide)
    if isinstance(handshake, Refused):
        return {"statusCode": handshake.status}
    if replaced is not None:
        # The charger has one socket; the other one is half open, or belongs to a second device of this name.
        drop_connection(ctx, replaced)
    if handshake.subprotocol is None:
        return {"statusCode": 200}
    return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": handshake.subprotocol}}


def handle_disconnect(ctx: Context, event: Event) -> Response:
    """Notes that a socket has closed, if it still is the charger's. May come late, or never."""
    connection_id: str = event["requestContext"]["connectionId"]
    try:
        decide_and_commit(ctx, lambda uow: chargers.close_connection(uow, connection_id))
    except Exception:
        logger.exception("disconnect not noted")
        return {"statusCode": 500}
    return {"statusCode": 200}


def _headers(event: Event) -> dict[str, list[str]]:
    """All values of each header under its name in small letters: the case is the client's."""
    found: dict[str, list[str]] = {}
    many = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    for name, values in many.items():
        found.setdefault(name.lower(), []).extend(values)
    return found


def drop_connection(ctx: Context, connection_id: str) -> None:
    """Closes a socket that nobody is served on. Best effort: API Gateway ends it anyway after ten idle minutes."""
    try:
        ctx.client("apigatewaymanagementapi", ctx.settings.websocket_endpoint).delete_connection(
            ConnectionId=connection_id
        )
    except (ClientError, BotoCoreError) as error:
        logger.info("connection not dropped", extra={"error": str(error)})
