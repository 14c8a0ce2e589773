"""Quirks of the field, around the socket: on the local gateway with the handlers that are deployed, frame by frame."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import chalice
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

import ws_handlers.connect
import ws_handlers.disconnect
import ws_handlers.message
from chalicelib.chargers import service as chargers
from infra.local.gateway.rest import RestApi
from infra.local.gateway.server import ServerHandle, build_application, serve
from infra.local.gateway.websocket import WebSocketApi
from tests.contract.ocpp.wire import PASSWORD, Wire, place
from tests.world import Operator, World

BOOT = '[2,"boot","BootNotification",{"chargePointVendor":"Q","chargePointModel":"Q"}]'
HEARTBEAT = '[2,"hb","Heartbeat",{}]'
MESSAGE_LIMIT = 128 * 1024
KNOWN, BLANK, LEGACY = "WIRE-1", "Q SLASH", "NO-HEADER"


@pytest.fixture
async def server(world: World, operator: Operator) -> AsyncIterator[ServerHandle]:
    """The gateway on a free port, over the world's chargers."""
    place(world, operator, KNOWN)
    place(world, operator, BLANK)
    place(world, operator, LEGACY, accepts_missing_subprotocol=True)
    api = WebSocketApi(
        ws_handlers.connect.handler,
        ws_handlers.message.handler,
        ws_handlers.disconnect.handler,
        world.clock.now,
        origin_secret="",
    )
    handle = await serve(build_application(api, RestApi(chalice.Chalice("none"), world.clock.now), None))
    yield handle
    await handle.stop()


def dial(server: ServerHandle, charger_id: str = KNOWN, path: str = "", protocols: Any = ("ocpp1.6",)) -> connect:
    secret = base64.b64encode(f"{charger_id}:{PASSWORD}".encode()).decode()
    return connect(
        f"{server.websocket_url}{path or f'/ocpp/{charger_id}'}",
        subprotocols=list(protocols) or None,
        additional_headers={"Authorization": f"Basic {secret}"},
    )


async def ask(client: ClientConnection, text: str) -> Any:
    await client.send(text)
    return json.loads(await client.recv())


async def lives(server: ServerHandle) -> bool:
    """A healthy charger is served as ever."""
    async with dial(server) as client:
        return (await ask(client, HEARTBEAT))[:2] == [3, "hb"]


async def test_q08_invalid_utf_8_in_a_text_frame(server: ServerHandle) -> None:
    """Closed with 1007, as RFC 6455 has it; the reconnect is served."""
    async with dial(server) as client:
        await client.send(b'[2,"utf","Authorize",{"idTag":"\xff\xfe\x80"}]', text=True)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007
    assert await lives(server)


async def test_q58_fifty_calls_without_waiting(server: ServerHandle) -> None:
    async with dial(server) as client:
        for number in range(50):
            await client.send(f'[2,"fl{number}","Heartbeat",{{}}]')
        answers = [json.loads(await client.recv())[1] for _ in range(50)]
    assert answers == [f"fl{number}" for number in range(50)]


async def test_q65_no_subprotocol_header(server: ServerHandle, world: World, operator: Operator) -> None:
    """A switch per charger: 1.6 is meant, or the installer reads why it was refused."""
    async with dial(server, LEGACY, protocols=()) as client:
        assert client.subprotocol is None
        assert (await ask(client, BOOT))[2]["status"] == "Accepted"
    with pytest.raises(Exception, match="400"):
        async with dial(server, protocols=()):
            pass
    [attempt] = chargers.list_attempts(world.ctx, operator.operator_id, charger_id=KNOWN, limit=10, cursor=None).data
    assert attempt.status == 400
    assert "protocol" in attempt.reason


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("ocpp0.1", "ocpp1.6"), "ocpp1.6"),
        (("ocpp1.6", "ocpp2.0.1"), "ocpp1.6"),
        (("ocpp2.0.1", "ocpp1.6"), "ocpp2.0.1"),
    ],
)
async def test_q67_several_subprotocols(server: ServerHandle, offered: tuple[str, ...], chosen: str) -> None:
    for _ in range(3):
        async with dial(server, protocols=offered) as client:
            assert client.subprotocol == chosen
            assert client.response is not None
            assert client.response.headers.get_all("Sec-WebSocket-Protocol") == [chosen]
            assert (await ask(client, HEARTBEAT))[0] == 3


@pytest.mark.parametrize("path", ["//ocpp///Q%20SLASH", "/ocpp/Q%20SLASH", "/ocpp//q%20slash"])
async def test_q68_slashes_and_percent_signs_in_the_path(server: ServerHandle, path: str) -> None:
    async with dial(server, BLANK, path) as client:
        assert (await ask(client, HEARTBEAT))[0] == 3


async def test_q70_a_second_connection_while_the_first_is_half_open(server: ServerHandle, world: World) -> None:
    """The newcomer is served at once, the old socket is closed, and its late goodbye changes nothing."""
    first = await dial(server)
    await ask(first, BOOT)
    before = chargers.get_link(world.ctx, KNOWN)
    second = await dial(server)
    assert (await ask(second, HEARTBEAT))[0] == 3
    assert len(world.aws_calls("apigatewaymanagementapi", "DeleteConnection")) == 1
    await first.close()
    await asyncio.sleep(0)
    after = chargers.get_link(world.ctx, KNOWN)
    assert before is not None
    assert after is not None
    assert after.is_connected
    assert after.connection_id != before.connection_id
    assert (await ask(second, HEARTBEAT))[0] == 3
    await second.close()


async def test_q71_a_flood_of_reconnects(server: ServerHandle, world: World) -> None:
    """Each boot is answered, and of ten dropped sockets one link is left."""
    for _ in range(10):
        client = await dial(server)
        assert (await ask(client, BOOT))[2]["status"] == "Accepted"
        client.transport.abort()
    assert await lives(server)
    assert len([link for link in chargers.scan_links(world.ctx) if link.charger_id == KNOWN]) == 1


@pytest.mark.parametrize("size", [MESSAGE_LIMIT + 1, 140_000, 1_000_000])
async def test_q85_an_oversized_frame(server: ServerHandle, size: int) -> None:
    """Closed with 1009, as API Gateway does it; no memory is spent on it."""
    text = f'[2,"big","DataTransfer",{{"vendorId":"x","data":"{"A" * size}"}}]'
    async with dial(server) as client:
        with pytest.raises(ConnectionClosed) as closed:
            await ask(client, text)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert await lives(server)


@pytest.mark.parametrize("depth", [100, 900, 3000])
def test_q86_deep_nesting(world: World, operator: Operator, depth: int) -> None:
    """An answer to each of them, and the charger goes on."""
    place(world, operator, KNOWN)
    wire = Wire(world, KNOWN)
    wire.connect()
    for inside in ('{"a":' * depth + "1" + "}" * depth, '{"a":' + "[" * depth + "]" * depth + "}"):
        answer = json.loads(wire.send(f'[2,"deep","Heartbeat",{inside}]') or "null")
        assert answer[0] == 3 or answer[:3] == [4, "deep", "FormationViolation"]
    assert "currentTime" in wire.call("Heartbeat", {})
