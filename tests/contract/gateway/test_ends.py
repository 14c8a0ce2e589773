"""How connections end: by the client, by the clock, by a failing network, by the server's stop. Once each."""

from __future__ import annotations

import asyncio
import socket
import struct
from datetime import timedelta

import pytest
from aiohttp import web
from websockets.asyncio.client import connect

from infra.local.gateway.connection import CLOSE_WAIT_S

CLOSE = 0x8


def status_and_reason(event):
    context = event["requestContext"]
    return context["disconnectStatusCode"], context["disconnectReason"]


@pytest.mark.parametrize(
    ("payload", "status", "reason", "echo"),
    [
        (b"", 1005, "Client-side close frame status not set", b""),
        (b"\x03\xe8", 1000, "", b"\x03\xe8"),
        (b"\x03\xe9bye", 1001, "bye", b"\x03\xe9"),
        (b"\x0f\xa0own", 4000, "own", b"\x0f\xa0"),
    ],
)
async def test_the_clients_close_is_echoed_and_reported(gateway, open_raw, payload, status, reason, echo):
    client = await open_raw(gateway)
    client.send(CLOSE, payload)
    client.send(0x1, b"after the close")
    assert await client.receive() == (CLOSE, True, echo)
    assert await client.reader.read() == b""
    assert [status_and_reason(event) for event in gateway.handlers.disconnects] == [(status, reason)]
    assert gateway.handlers.messages == []


async def test_a_socket_that_just_ends_is_1006(gateway, open_raw):
    client = await open_raw(gateway)
    client.writer.transport.abort()
    await asyncio.wait_for(gateway.handlers.disconnected.wait(), 5)
    assert status_and_reason(gateway.handlers.disconnects[0])[0] == 1006
    assert gateway.api.connection_count == 0


async def test_ten_idle_minutes_end_a_connection(gateway):
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1") as client:
        assert gateway.api.next_limit_at() == gateway.clock.now() + timedelta(minutes=10)
        gateway.clock.advance(599)
        assert gateway.api.sweep() == 0
        gateway.clock.advance(1)
        assert gateway.api.sweep() == 1
        await client.wait_closed()
        assert (client.close_code, client.close_reason) == (1001, "Going away")
    assert [status_and_reason(event) for event in gateway.handlers.disconnects] == [(1001, "Going away")]
    assert gateway.api.next_limit_at() is None


async def test_a_message_in_either_direction_ends_idleness(gateway):
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1") as client:
        gateway.clock.advance(599)
        await client.send("x")
        await client.recv()
        gateway.clock.advance(599)
        assert gateway.api.sweep() == 0
        gateway.api.post_to_connection(gateway.handlers.connection_id, b"x")
        gateway.clock.advance(599)
        assert gateway.api.sweep() == 0
        gateway.clock.advance(1)
        assert gateway.api.sweep() == 1


async def test_two_hours_end_any_connection(gateway):
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1") as client:
        for _ in range(24):
            gateway.clock.advance(299.9)
            assert gateway.api.sweep() == 0
            await client.send("x")
            await client.recv()
        gateway.clock.advance(2.4)
        assert gateway.api.sweep() == 1
        await client.wait_closed()
        assert client.close_code == 1001


async def test_sweep_from_another_thread_returns_when_the_disconnects_have_run(gateway):
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1"):
        gateway.clock.advance(600)
        assert await asyncio.to_thread(gateway.api.sweep) == 1
        assert len(gateway.handlers.disconnects) == 1


@pytest.mark.parametrize("notify", [True, False])
async def test_a_drop_cuts_the_socket_with_or_without_the_event(gateway, open_raw, notify):
    client, other = await open_raw(gateway, "/ocpp/CP%201"), await open_raw(gateway, "/ocpp/CP2")
    assert await asyncio.to_thread(lambda: gateway.api.drop("CP 1", notify=notify)) == 1
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.receive()
    assert [status_and_reason(event)[0] for event in gateway.handlers.disconnects] == [1006] * notify
    assert gateway.api.connections_of("CP 1") == []
    other.send(0x1, b"still here")
    assert (await other.receive())[2] == b"still here"
    other.send(CLOSE)
    assert (await other.receive())[0] == CLOSE
    assert len(gateway.handlers.disconnects) == notify + 1


async def test_a_drop_by_connection_id_leaves_the_chargers_other_connection(gateway, open_raw):
    await open_raw(gateway)
    first = gateway.handlers.connection_id
    await open_raw(gateway)
    second = gateway.handlers.connection_id
    assert gateway.api.connections_of("CP1") == [first, second]
    assert gateway.api.drop(first, notify=True) == 1
    assert gateway.api.connections_of("CP1") == [second]
    assert gateway.api.drop("nobody", notify=True) == 0


async def test_a_handler_may_end_its_own_connection(gateway, open_raw):
    def end(event):
        gateway.api.delete_connection(gateway.handlers.connection_id)
        return {"statusCode": 200, "body": "too late"}

    gateway.handlers.on_message = end
    client = await open_raw(gateway)
    client.send(0x1, b"x")
    client.send(0x1, b"never handled")
    assert (await client.receive_close())[0] == 1000
    client.send(CLOSE, b"\x03\xe8")
    assert await client.reader.read() == b""
    assert (len(gateway.handlers.messages), len(gateway.handlers.disconnects)) == (1, 1)


async def test_a_peer_that_does_not_answer_the_close_is_cut_off(gateway, open_raw):
    client = await open_raw(gateway)
    gateway.api.delete_connection(gateway.handlers.connection_id)
    assert (await client.receive_close())[0] == 1000
    assert await asyncio.wait_for(client.reader.read(), 10) == b""


async def test_a_failing_disconnect_handler_harms_nobody(gateway, open_raw):
    def fail(event):
        raise RuntimeError("no")

    gateway.handlers.on_disconnect = fail
    client = await open_raw(gateway)
    client.send(CLOSE)
    assert (await client.receive())[0] == CLOSE
    assert (await open_raw(gateway)).status == 101


async def test_a_stop_ends_every_connection_with_its_event(gateway):
    clients = [await connect(f"{gateway.server.websocket_url}/ocpp/CP{number}") for number in range(20)]
    async with asyncio.timeout(CLOSE_WAIT_S):
        await gateway.server.stop()
    for client in clients:
        await client.wait_closed()
        assert client.close_code == 1001
    assert len(gateway.handlers.disconnects) == 20
    await gateway.server.stop()


async def test_a_stop_survives_a_peer_that_has_just_reset_its_socket(gateway, open_raw):
    """The reset arrives between two turns of the loop: half-closing fails, the other connections still end well."""
    loop = asyncio.get_running_loop()
    leaving = socket.create_connection(("127.0.0.1", gateway.server.port))
    leaving.setblocking(False)
    await loop.sock_sendall(
        leaving,
        b"GET /ocpp/A HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==\r\n\r\n",
    )
    assert b" 101 " in await loop.sock_recv(leaving, 4096)
    staying = await open_raw(gateway, "/ocpp/B")
    leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    leaving.close()
    stopping = asyncio.create_task(gateway.api.stop(web.Application()))
    assert (await staying.receive_close())[0] == 1001
    staying.writer.close()
    await stopping
    assert len(gateway.handlers.disconnects) == 2


async def test_a_client_that_left_during_connect_gets_its_disconnect(gateway, open_raw):
    """$connect accepted (a row was written), the client had gone: without the event it would stay connected."""
    client = await open_raw(gateway, None)

    def leave(event):
        client.writer.transport.abort()
        return {"statusCode": 200}

    gateway.handlers.on_connect = leave
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await client.upgrade("/ocpp/CP1")
    await asyncio.wait_for(gateway.handlers.disconnected.wait(), 5)
    assert gateway.api.connection_count == 0
    assert len(gateway.handlers.disconnects) == 1
