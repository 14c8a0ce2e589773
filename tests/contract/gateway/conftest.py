"""A gateway on a free port with recording handlers, a still clock, and a client that speaks raw frames."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import chalice
import pytest
import uvloop
from aiohttp import web

from chalicelib.kernel.clock import VirtualClock
from infra.local.gateway.rest import RestApi
from infra.local.gateway.server import ServerHandle, build_application, serve
from infra.local.gateway.websocket import WebSocketApi

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
Event = dict[str, Any]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every case on both loops: the platform runs on uvloop, a test of the product may embed the gateway."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@dataclass
class Handlers:
    """The three functions: they record their events and answer what the test says."""

    connects: list[Event] = field(default_factory=list)
    messages: list[Event] = field(default_factory=list)
    disconnects: list[Event] = field(default_factory=list)
    on_connect: Callable[[Event], Any] = lambda event: {"statusCode": 200}
    on_message: Callable[[Event], Any] = lambda event: {"statusCode": 200, "body": event["body"]}
    on_disconnect: Callable[[Event], Any] = lambda event: {"statusCode": 200}
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    def connect(self, event: Event, context: object) -> Any:
        self.connects.append(event)
        return self.on_connect(event)

    def message(self, event: Event, context: object) -> Any:
        self.messages.append(event)
        return self.on_message(event)

    def disconnect(self, event: Event, context: object) -> Any:
        self.disconnects.append(event)
        self.disconnected.set()
        return self.on_disconnect(event)

    @property
    def connection_id(self) -> str:
        return str(self.connects[-1]["requestContext"]["connectionId"])


@dataclass
class Gateway:
    api: WebSocketApi
    handlers: Handlers
    clock: VirtualClock
    server: ServerHandle
    stopwatch: list[float]
    """The seconds that the stopwatch of the handlers' time limit shows: a test sets the one element."""


StartGateway = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def start_gateway() -> AsyncIterator[StartGateway]:
    running: list[ServerHandle] = []

    async def start(
        app: chalice.Chalice | None = None,
        local_api: web.Application | None = None,
        rest: dict[str, Any] | None = None,
        **options: Any,
    ) -> Gateway:
        handlers, clock, stopwatch = Handlers(), VirtualClock(NOON), [0.0]
        api = WebSocketApi(
            handlers.connect,
            handlers.message,
            handlers.disconnect,
            clock.now,
            origin_secret="the-secret",
            stopwatch=lambda: stopwatch[0],
            **options,
        )
        rest_api = RestApi(app or chalice.Chalice("none"), clock.now, **(rest or {}))
        server = await serve(build_application(api, rest_api, local_api))
        running.append(server)
        return Gateway(api, handlers, clock, server, stopwatch)

    yield start
    for server in running:
        await server.stop()


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    return await start_gateway()


class RawClient:
    """A WebSocket client that may also do wrong."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.headers: dict[str, str] = {}

    async def upgrade(self, target: str, *extra: str) -> None:
        lines = (
            f"GET {target} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        )
        await self.request(*lines, *extra)

    async def request(self, *lines: str) -> None:
        self.writer.write("\r\n".join((*lines, "", "")).encode("latin-1"))
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.status = int(head[0].split()[1])
        pairs = (line.partition(":") for line in head[1:] if line)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    async def body(self) -> bytes:
        return await self.reader.readexactly(int(self.headers["content-length"]))

    def send(self, opcode: int, payload: bytes = b"", *, final: bool = True, times: int = 1) -> None:
        """Writes the frame; `times` copies in one piece."""
        self.writer.write(masked_frame(opcode, payload, final=final) * times)

    async def receive(self) -> tuple[int, bool, bytes]:
        """`(opcode, final, payload)` of the next frame."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack("!H", await self.reader.readexactly(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", await self.reader.readexactly(8))[0]
        return first & 0x0F, bool(first & 0x80), await self.reader.readexactly(length)

    async def receive_close(self) -> tuple[int, str]:
        opcode, _, payload = await self.receive()
        assert opcode == 0x8, (opcode, payload)
        return struct.unpack("!H", payload[:2])[0], payload[2:].decode()


def masked_frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    mask = os.urandom(4)
    first, length = (0x80 if final else 0) | opcode, len(payload)
    if length < 126:
        head = struct.pack("!BB", first, 0x80 | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, length)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


OpenRaw = Callable[..., Awaitable[RawClient]]


@pytest.fixture
async def open_raw() -> AsyncIterator[OpenRaw]:
    clients: list[RawClient] = []

    async def open_(gateway: Gateway, target: str | None = "/ocpp/CP1", *headers: str) -> RawClient:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.server.port)
        client = RawClient(reader, writer)
        clients.append(client)
        if target is not None:
            await client.upgrade(target, *headers)
        return client

    yield open_
    for client in clients:
        client.writer.close()
