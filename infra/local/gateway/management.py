"""API Gateway's management API: `POST|GET|DELETE /@connections/{id}`, over HTTP and behind boto3.

The platform registers `aws_handler(api)` for botocore's `apigatewaymanagementapi` (in process, no socket: safe to
call from a message handler on the loop) and mounts `routes(api)` for other processes on this machine. Both ways end
in the same three calls of `WebSocketApi`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from chalicelib.kernel.clock import from_rfc3339
from infra.local.aws_hooks import AwsError
from infra.local.gateway import framing
from infra.local.gateway.invocation import new_id
from infra.local.gateway.websocket import Gone, PayloadTooLarge, WebSocketApi

RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def aws_handler(api: WebSocketApi) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """For `aws_hooks.register("apigatewaymanagementapi", …)`: PostToConnection, GetConnection, DeleteConnection.
    Its handler raises AwsError GoneException (410), PayloadTooLargeException (413), BadRequestException (400)."""

    def handle(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        connection_id = unquote(str(request["url_path"]).rpartition("/")[2])
        if operation == "PostToConnection":
            body = request["body"]
            _manage(lambda: api.post_to_connection(connection_id, _bytes(body)))
            return {}
        if operation == "GetConnection":
            found = _manage(lambda: api.get_connection(connection_id))
            return {
                "ConnectedAt": from_rfc3339(found["connectedAt"]),
                "Identity": {
                    "SourceIp": found["identity"]["sourceIp"],
                    "UserAgent": found["identity"]["userAgent"],
                },
                "LastActiveAt": from_rfc3339(found["lastActiveAt"]),
            }
        if operation == "DeleteConnection":
            _manage(lambda: api.delete_connection(connection_id))
            return {}
        raise AwsError("UnknownOperationException", f"{operation} is no operation of the management API")

    return handle


def routes(api: WebSocketApi) -> list[tuple[str, str, RequestHandler]]:
    """The same over HTTP as `(method, path, handler)`, with and without the stage before it. The caller guards them:
    they answer loopback only."""

    async def post(request: web.Request) -> web.Response:
        try:
            data = await request.content.readexactly(framing.MESSAGE_LIMIT_BYTES + 1)
        except asyncio.IncompleteReadError as whole:
            data = whole.partial
        return _answer(lambda: api.post_to_connection(request.match_info["id"], data))

    async def get(request: web.Request) -> web.Response:
        return _answer(lambda: api.get_connection(request.match_info["id"]))

    async def delete(request: web.Request) -> web.Response:
        return _answer(lambda: api.delete_connection(request.match_info["id"]), done=204)

    return [
        route
        for path in ("/@connections/{id}", f"/{api.stage}/@connections/{{id}}")
        for route in (("POST", path, post), ("GET", path, get), ("DELETE", path, delete))
    ]


def _manage(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Gone as gone:
        raise AwsError("GoneException", "The connection is gone", 410) from gone
    except PayloadTooLarge as large:
        raise AwsError("PayloadTooLargeException", str(large), 413) from large
    except UnicodeDecodeError as error:
        raise AwsError("BadRequestException", "The data is not UTF-8 text", 400) from error


def _bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    read = getattr(body, "read", None)
    return bytes(read()) if callable(read) else b""


def _answer(act: Callable[[], dict[str, Any] | None], done: int = 200) -> web.Response:
    try:
        found = _manage(act)
    except AwsError as error:
        return web.Response(
            status=error.status,
            body=json.dumps({"message": error.message, "requestId": new_id()}).encode(),
            content_type="application/json",
            headers={"x-amzn-ErrorType": error.code},
        )
    if found is None:
        return web.Response(status=done)
    return web.Response(body=json.dumps(found).encode(), content_type="application/json")
