"""API Gateway's WebSocket API: upgrades, routes, limits, and posting back to a connection.

The local platform builds one from the three plain Lambda handlers and mounts `handle`; anyone, from any thread,
may call `post_to_connection` and its kin. The invariants: $connect runs, and is answered, before the upgrade;
messages of one connection are handled in order, one at a time, on the loop; what is written to or closed on a
connection is done by the loop's thread alone, so that neither locks nor deadlocks exist.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from datetime import datetime
from typing import Final, TypeVar

from aiohttp import web

from chalicelib.kernel.clock import from_epoch_ms, to_epoch_ms, to_rfc3339
from infra.local.gateway import edge, framing
from infra.local.gateway.connection import Connection
from infra.local.gateway.invocation import (
    INTEGRATION_LIMIT_S,
    Handler,
    Integration,
    IntegrationFailure,
    JsonObject,
    Stopwatch,
    new_id,
)
from infra.local.gateway.problems import problem
from infra.local.gateway.websocket_events import EventFactory, Handshake, Pairs

IDLE_LIMIT_MS: Final = 10 * 60 * 1000
LIFE_LIMIT_MS: Final = 2 * 60 * 60 * 1000
CONNECTION_LIMIT: Final = 20_000
LOOP_WAIT_S: Final = 30.0

_HANDSHAKE_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FORWARDING_HEADERS = frozenset(("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"))
_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class Gone(Exception):
    """No such connection, or none yet: its $connect has not finished (HTTP 410)."""


class PayloadTooLarge(Exception):
    """A message of more than 128 KB (HTTP 413)."""


class WebSocketApi:
    """`connect`, `message`, `disconnect` are Lambda handlers; `now` the platform's clock; `origin_secret` what the
    CDN adds as `x-origin-verify`. `route_response` is the API's RouteResponse on $default: without it the body that
    `message` answers is not sent. Time limits of a connection follow `now` and are enforced by `sweep`; a
    handler's time limit is real time (`stopwatch`)."""

    def __init__(
        self,
        connect: Handler,
        message: Handler,
        disconnect: Handler,
        now: Callable[[], datetime],
        *,
        origin_secret: str,
        route_response: bool = True,
        stage: str = "live",
        api_id: str = "local",
        integration_limit_s: float = INTEGRATION_LIMIT_S,
        stopwatch: Stopwatch = time.monotonic,
        connection_limit: int = CONNECTION_LIMIT,
    ) -> None:
        self.stage = stage
        self._connect = Integration(connect, "ws-connect", integration_limit_s, stopwatch)
        self._message = Integration(message, "ws-message", integration_limit_s, stopwatch)
        self._disconnect = Integration(disconnect, "ws-disconnect", integration_limit_s, stopwatch)
        self._now = now
        self._origin_secret = origin_secret
        self._route_response = route_response
        self._connection_limit = connection_limit
        self._events = EventFactory(api_id, stage)
        self._connections: dict[str, Connection] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._quiet_until_ms = 0  # no connection reaches a limit before

    # The HTTP side: upgrades.

    async def start(self, application: web.Application) -> None:
        """On start-up of the application: binds the API to the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()

    async def stop(self, application: web.Application) -> None:
        """On shutdown: every connection ends with 1001 and its disconnect event; nobody is waited for twice."""
        connections = list(self._connections.values())
        for connection in connections:
            # aiohttp passes on no more bytes while it shuts down: the peer's own close would not be heard.
            connection.hang_up(framing.GOING_AWAY, "Going away")
        if connections:
            await asyncio.wait([connection.finished for connection in connections])

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`GET /ocpp/{identity}`: through the CDN."""
        path, _, query = request.raw_path.partition("?")
        handshake = edge.through_cdn(path, query, _forwarded_headers(request), self._origin_secret)
        return await self._upgrade(request, handshake)

    async def handle_direct(self, request: web.Request) -> web.StreamResponse:
        """`GET /{stage}?cp=…`: the API's own address."""
        query = request.raw_path.partition("?")[2]
        return await self._upgrade(request, edge.direct(query, _forwarded_headers(request)))

    async def _upgrade(self, request: web.Request, handshake: Handshake) -> web.StreamResponse:
        refusal = _unfit(request)
        if refusal is not None:
            return refusal
        if len(self._connections) >= self._connection_limit:
            return _refused(429, b'{"message":"Too Many Requests"}')
        loop, transport = asyncio.get_running_loop(), request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client left")
        connection = Connection(new_id(), transport, loop, self._on_message, self._on_close)
        connection.identity = handshake.identity
        connection.domain_name = request.host
        connection.source_ip = request.remote or ""
        connection.user_agent = request.headers.get("User-Agent")
        connection.connected_at_ms = connection.last_active_ms = to_epoch_ms(self._now())
        try:
            result = self._connect.call(self._events.connect(connection, handshake))
        except IntegrationFailure as failure:
            _LOG.error("$connect failed: %s", failure, exc_info=failure.__cause__)
            return _refused(502, _internal_error(connection))
        if result.status >= 300:
            return _refused(result.status, result.body)
        return await self._serve(request, connection, result.header("Sec-WebSocket-Protocol"))

    async def _serve(self, request: web.Request, connection: Connection, protocol: str | None) -> web.StreamResponse:
        response = web.StreamResponse(status=101)
        response.headers["Upgrade"] = "websocket"
        response.headers["Connection"] = "upgrade"
        response.headers["Sec-WebSocket-Accept"] = _accept_key(request.headers["Sec-WebSocket-Key"])
        if protocol is not None and protocol in _offered_protocols(request):
            response.headers["Sec-WebSocket-Protocol"] = protocol
        await response.prepare(request)
        self._connections[connection.connection_id] = connection
        self._quiet_until_ms = min(self._quiet_until_ms, _limit_ms(connection))
        request.protocol.keep_alive(False)
        # aiohttp's annotation names its own reader; any object with feed_data and feed_eof serves.
        request.protocol.set_parser(connection)  # type: ignore[arg-type]
        await connection.finished
        return response

    # The frames' side: on the loop.

    def _on_message(self, connection: Connection, text: str) -> None:
        now_ms = to_epoch_ms(self._now())
        connection.last_active_ms = now_ms
        try:
            result = self._message.call(self._events.message(connection, text, now_ms))
        except IntegrationFailure as failure:
            _LOG.error("$default failed: %s", failure, exc_info=failure.__cause__)
            connection.send_text(_internal_error(connection))
            return
        if self._route_response and result.body:
            if len(result.body) > framing.MESSAGE_LIMIT_BYTES:
                _LOG.error("$default answered %d bytes", len(result.body))
                connection.send_text(_internal_error(connection))
            else:
                connection.send_text(result.body)

    def _on_close(self, connection: Connection, code: int, reason: str) -> None:
        self._connections.pop(connection.connection_id, None)
        event = self._events.disconnect(connection, code, reason, to_epoch_ms(self._now()))
        try:
            self._disconnect.call(event)
        except IntegrationFailure as failure:
            _LOG.error("$disconnect failed: %s", failure, exc_info=failure.__cause__)

    # The management side: from any thread.

    def post_to_connection(self, connection_id: str, data: bytes) -> None:
        """Sends one text message. As on AWS, an answer means queued, not delivered. From another thread it is
        handed to the loop without waiting. Raises Gone, PayloadTooLarge; ValueError when `data` is not UTF-8."""
        if len(data) > framing.MESSAGE_LIMIT_BYTES:
            raise PayloadTooLarge(f"{len(data)} bytes; 128 KB are allowed")
        data.decode("utf-8")
        connection = self._find(connection_id)
        loop = self._running_loop()
        if threading.get_ident() == self._loop_thread:
            self._post(connection, data)
        else:
            loop.call_soon_threadsafe(self._post, connection, data)

    def get_connection(self, connection_id: str) -> JsonObject:
        """`ConnectedAt`, `LastActiveAt` (RFC 3339), `Identity`. Raises Gone."""
        connection = self._find(connection_id)
        return {
            "connectedAt": to_rfc3339(from_epoch_ms(connection.connected_at_ms)),
            "identity": {"sourceIp": connection.source_ip, "userAgent": connection.user_agent or ""},
            "lastActiveAt": to_rfc3339(from_epoch_ms(connection.last_active_ms)),
        }

    def delete_connection(self, connection_id: str) -> None:
        """Closes the connection (1000) and runs its disconnect event. Raises Gone."""
        connection = self._find(connection_id)
        self._on_loop(lambda: connection.close(framing.NORMAL_CLOSURE, "Connection closed by the server"))

    # The platform's side: from any thread.

    def sweep(self) -> int:
        """Closes (1001) what has been idle for 10 minutes or open for 2 hours on the clock; returns how many.
        The platform calls it whenever its clock has moved: mostly in vain, and then without troubling the loop."""
        if to_epoch_ms(self._now()) < self._quiet_until_ms:
            return 0
        return self._on_loop(self._sweep)

    def next_limit_at(self) -> datetime | None:
        """When the next connection will reach a limit if nothing is heard: the moment to `sweep`."""
        limits = [_limit_ms(connection) for connection in self._copy()]
        return from_epoch_ms(min(limits)) if limits else None

    def drop(self, name: str, *, notify: bool) -> int:
        """Breaks every connection of a charger (its identity) or one connection (its id) as a failing network
        would; `notify=False` also loses the disconnect event. Returns how many."""
        return self._on_loop(lambda: self._drop(name, notify))

    def connections_of(self, identity: str) -> list[str]:
        """The ids of a charger's open connections, oldest first."""
        return [connection.connection_id for connection in self._copy() if connection.identity == identity]

    @property
    def connection_count(self) -> int:
        return len(self._connections)

    def _post(self, connection: Connection, data: bytes) -> None:
        if connection.open:
            connection.last_active_ms = to_epoch_ms(self._now())
            connection.send_text(data)

    def _sweep(self) -> int:
        now_ms = to_epoch_ms(self._now())
        spent = [connection for connection in self._copy() if _limit_ms(connection) <= now_ms]
        for connection in spent:
            connection.close(framing.GOING_AWAY, "Going away")
        # Frames only move limits away; who connects brings his own.
        self._quiet_until_ms = min(map(_limit_ms, self._copy()), default=now_ms + IDLE_LIMIT_MS)
        return len(spent)

    def _drop(self, name: str, notify: bool) -> int:
        found = [each for each in self._copy() if name in (each.identity, each.connection_id)]
        for connection in found:
            connection.cut(notify=notify)
            self._connections.pop(connection.connection_id, None)
        return len(found)

    def _copy(self) -> list[Connection]:
        return list(self._connections.values())

    def _find(self, connection_id: str) -> Connection:
        connection = self._connections.get(connection_id)
        if connection is None:
            raise Gone(connection_id)
        return connection

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            raise Gone("the gateway is not running")
        return self._loop

    def _on_loop(self, act: Callable[[], _T]) -> _T:
        """Runs `act` on the loop's thread and returns what it returns; at once when this is that thread."""
        loop = self._running_loop()
        if threading.get_ident() == self._loop_thread:
            return act()
        outcome: Future[_T] = Future()

        def run() -> None:
            try:
                outcome.set_result(act())
            except Exception as error:
                outcome.set_exception(error)

        loop.call_soon_threadsafe(run)
        return outcome.result(timeout=LOOP_WAIT_S)


def _limit_ms(connection: Connection) -> int:
    return min(connection.last_active_ms + IDLE_LIMIT_MS, connection.connected_at_ms + LIFE_LIMIT_MS)


def _internal_error(connection: Connection) -> bytes:
    """The message API Gateway itself sends when the integration fails."""
    document = {
        "message": "Internal server error",
        "connectionId": connection.connection_id,
        "requestId": new_id(),
    }
    return json.dumps(document).encode("utf-8")


def _refused(status: int, body: bytes) -> web.Response:
    response = web.Response(status=status, body=body, content_type="application/json")
    response.force_close()
    return response


def _unfit(request: web.Request) -> web.Response | None:
    """An answer to a request that is no proper WebSocket handshake (RFC 6455 section 4.2.1), before any function
    has run; None when it is one."""
    upgrade = {part.strip().lower() for part in request.headers.get("Upgrade", "").split(",")}
    tokens = {part.strip().lower() for part in request.headers.get("Connection", "").split(",")}
    if "websocket" not in upgrade or "upgrade" not in tokens:
        headers = {"Upgrade": "websocket", "Connection": "upgrade"}
        return problem(426, "upgrade_required", "This address speaks WebSocket.", new_id(), headers)
    if request.headers.get("Sec-WebSocket-Version", "").strip() != "13":
        headers = {"Sec-WebSocket-Version": "13"}
        return problem(426, "websocket_version", "WebSocket version 13 is spoken here.", new_id(), headers)
    try:
        key = base64.b64decode(request.headers.get("Sec-WebSocket-Key", "").strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 16:
        return problem(400, "websocket_key", "Sec-WebSocket-Key is not 16 bytes in base64.", new_id())
    return None


def _accept_key(key: str) -> str:
    digest = hashlib.sha1(key.strip().encode("ascii") + _HANDSHAKE_GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def _offered_protocols(request: web.Request) -> set[str]:
    lines: Iterable[str] = request.headers.getall("Sec-WebSocket-Protocol", ())
    return {protocol.strip() for line in lines for protocol in line.split(",")}


def _forwarded_headers(request: web.Request) -> Pairs:
    """The client's headers, names as it wrote them, and those API Gateway adds. Bytes beyond ASCII are read as
    Latin-1, so that no value is lost and every event is sound Unicode."""
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers]
    kept = [(name, value) for name, value in pairs if name.lower() not in _FORWARDING_HEADERS]
    return [
        *kept,
        ("X-Forwarded-For", request.remote or ""),
        ("X-Forwarded-Port", request.host.rpartition(":")[2]),
        ("X-Forwarded-Proto", request.scheme),
    ]
