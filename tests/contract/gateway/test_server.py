"""The one port: who may ask for what, starting in a thread, stopping."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import chalice
import pytest
from aiohttp import web
from websockets.asyncio.client import connect

from chalicelib.kernel.clock import SystemClock
from infra.local.gateway.rest import RestApi
from infra.local.gateway.server import build_application, reserve, serve, serve_in_thread
from infra.local.gateway.websocket import WebSocketApi


def local_api():
    async def clock(request):
        return web.json_response({"now": "noon"})

    application = web.Application()
    application.router.add_get("/clock", clock)
    application.router.add_post("/clock", clock)
    return application


def application():
    def accept(event, context):
        return {"statusCode": 200, "body": event.get("body")}

    now = SystemClock().now
    api = WebSocketApi(accept, accept, accept, now, origin_secret="s")
    return build_application(api, RestApi(chalice.Chalice("none"), now))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Origin": "http://127.0.0.1:8000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8000"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_local_answers_its_own_machine_only(start_gateway, headers, status):
    gateway = await start_gateway(local_api=local_api())
    async with aiohttp.ClientSession() as session:
        for method in ("GET", "POST"):
            async with session.request(method, f"{gateway.server.url}/_local/clock", headers=headers) as answer:
                assert answer.status == status


async def test_without_a_local_api_the_address_is_unknown(gateway):
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.server.url}/_local/clock") as answer:
        assert answer.status == 404


async def test_the_clients_x_forwarded_for_opens_nothing(start_gateway):
    gateway = await start_gateway(local_api=local_api())
    headers = {"Host": "evil.example", "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost"}
    address = f"{gateway.server.url}/_local/clock"
    async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as answer:
        assert answer.status == 403


async def test_a_server_in_a_thread_serves_and_stops():
    server = serve_in_thread(application())
    async with connect(f"{server.websocket_url}/ocpp/CP1") as client:
        await client.send("x")
        assert await client.recv() == "x"
        await server.stop()
        await client.wait_closed()
        assert client.close_code == 1001
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await asyncio.open_connection("127.0.0.1", server.port)
    await server.stop()


@pytest.mark.parametrize("in_thread", [True, False])
async def test_a_taken_port_is_an_error_at_start(in_thread):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="address already in use"):
            _ = serve_in_thread(application(), port=port) if in_thread else await serve(application(), port=port)


async def test_a_reserved_port_is_taken_and_then_served():
    with reserve(0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match="address already in use"):
            await serve(application(), port=port)
        server = await serve(application(), listener=listener)
        assert server.port == port
        await server.stop()


async def test_the_port_is_free_after_a_stop():
    server = await serve(application())
    await server.stop()
    again = await serve(application(), port=server.port)
    assert again.port == server.port
    await again.stop()
