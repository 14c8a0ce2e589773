"""Posting to, asking about and closing a connection: through boto3, over HTTP, from any thread."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator

import aiohttp
import botocore.session
import pytest
from botocore.client import BaseClient
from websockets.asyncio.client import connect

from infra.local import aws_hooks
from infra.local.gateway.management import aws_handler
from infra.local.gateway.websocket import Gone, PayloadTooLarge

LIMIT = 128 * 1024


@contextlib.contextmanager
def management_client(gateway) -> Iterator[BaseClient]:
    restore = aws_hooks.register("apigatewaymanagementapi", aws_handler(gateway.api))
    try:
        yield botocore.session.Session().create_client(
            "apigatewaymanagementapi",
            region_name="eu-west-1",
            endpoint_url="https://example.invalid/live",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
    finally:
        restore()


@pytest.fixture
def client(gateway) -> Iterator[BaseClient]:
    with management_client(gateway) as client:
        yield client


@pytest.fixture
async def charger(gateway):
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1", user_agent_header="Charger/1.0") as charger:
        yield charger


async def test_boto3_posts_from_a_thread(gateway, client, charger):
    connection_id = gateway.handlers.connection_id
    await asyncio.to_thread(client.post_to_connection, ConnectionId=connection_id, Data="grüß".encode())
    assert await charger.recv() == "grüß"


async def test_boto3_posts_from_a_handler_on_the_loop_before_the_route_response(gateway, client, charger):
    """The handler runs on the loop's own thread: a post that waited for the loop would never return."""

    def post_first(event):
        client.post_to_connection(ConnectionId=gateway.handlers.connection_id, Data=b"posted")
        return {"statusCode": 200, "body": "answer"}

    gateway.handlers.on_message = post_first
    await charger.send("x")
    assert [await charger.recv(), await charger.recv()] == ["posted", "answer"]


async def test_posts_of_many_threads_all_arrive_each_threads_in_order(gateway, charger):
    connection_id = gateway.handlers.connection_id

    def post(thread: int) -> None:
        for number in range(50):
            gateway.api.post_to_connection(connection_id, b"%d %d" % (thread, number))

    posting = asyncio.gather(*(asyncio.to_thread(post, thread) for thread in range(4)))
    received = [tuple(map(int, (await charger.recv()).split())) for _ in range(200)]
    await posting
    for thread in range(4):
        assert [number for sender, number in received if sender == thread] == list(range(50))


async def test_boto3_asks_about_a_connection(gateway, client, charger):
    gateway.clock.advance(60)
    await charger.send("x")
    await charger.recv()
    found = client.get_connection(ConnectionId=gateway.handlers.connection_id)
    assert (found["LastActiveAt"] - found["ConnectedAt"]).total_seconds() == 60
    assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "Charger/1.0"}


@pytest.mark.parametrize("in_thread", [True, False])
async def test_boto3_closes_a_connection(gateway, client, charger, in_thread):
    connection_id = gateway.handlers.connection_id
    if in_thread:
        await asyncio.to_thread(client.delete_connection, ConnectionId=connection_id)
    else:
        client.delete_connection(ConnectionId=connection_id)
    await charger.wait_closed()
    assert charger.close_code == 1000
    assert len(gateway.handlers.disconnects) == 1
    with pytest.raises(client.exceptions.GoneException):
        client.post_to_connection(ConnectionId=connection_id, Data=b"x")


async def test_an_unknown_connection_is_gone(gateway, client):
    for call in (client.get_connection, client.delete_connection):
        with pytest.raises(client.exceptions.GoneException) as gone:
            call(ConnectionId="no/such=")
        assert gone.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410
    with pytest.raises(client.exceptions.GoneException):
        client.post_to_connection(ConnectionId="no/such=", Data=b"x")


async def test_a_closed_connection_is_gone(gateway, client):
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1"):
        pass
    await gateway.handlers.disconnected.wait()
    with pytest.raises(client.exceptions.GoneException):
        client.post_to_connection(ConnectionId=gateway.handlers.connection_id, Data=b"x")


async def test_a_connection_is_gone_until_its_connect_has_finished_and_in_its_disconnect(gateway, open_raw):
    outcomes = []

    def post(event):
        try:
            gateway.api.post_to_connection(event["requestContext"]["connectionId"], b"x")
            outcomes.append("posted")
        except Gone:
            outcomes.append("gone")
        return {"statusCode": 200}

    gateway.handlers.on_connect = gateway.handlers.on_disconnect = post
    client = await open_raw(gateway)
    client.send(0x8)
    await gateway.handlers.disconnected.wait()
    assert outcomes == ["gone", "gone"]


async def test_a_post_of_128_kb_passes_one_more_byte_does_not(gateway, client, charger):
    connection_id = gateway.handlers.connection_id
    gateway.api.post_to_connection(connection_id, b"x" * LIMIT)
    assert len(await charger.recv()) == LIMIT
    with pytest.raises(PayloadTooLarge):
        gateway.api.post_to_connection(connection_id, b"x" * (LIMIT + 1))
    with pytest.raises(client.exceptions.PayloadTooLargeException) as refused:
        client.post_to_connection(ConnectionId=connection_id, Data=b"x" * (LIMIT + 1))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


async def test_a_post_that_is_no_text_is_refused(gateway, client, charger):
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.post_to_connection(ConnectionId=gateway.handlers.connection_id, Data=b"\xff")
    assert refused.value.response["Error"]["Code"] == "BadRequestException"


@pytest.mark.parametrize("prefix", ["", "/live"])
async def test_over_http(gateway, charger, prefix):
    address = f"{gateway.server.url}{prefix}/@connections/{gateway.handlers.connection_id.replace('=', '%3D')}"
    async with aiohttp.ClientSession() as session:
        async with session.post(address, data=b"by http") as answer:
            assert answer.status == 200
        assert await charger.recv() == "by http"
        async with session.get(address) as answer:
            assert json.loads(await answer.text())["connectedAt"] == "2026-03-01T12:00:00.000Z"
        async with session.post(address, data=b"x" * (LIMIT + 1)) as answer:
            assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (413, "PayloadTooLargeException")
        async with session.delete(address) as answer:
            assert answer.status == 204
        await charger.wait_closed()
        async with session.post(address, data=b"x") as answer:
            assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (410, "GoneException")


async def test_over_http_only_from_this_machine(gateway, charger):
    address = f"{gateway.server.url}/@connections/{gateway.handlers.connection_id}"
    async with aiohttp.ClientSession() as session:
        async with session.post(address, data=b"x", headers={"Host": "evil.example"}) as answer:
            assert answer.status == 403
        async with session.post(address, data=b"x", headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403
    await charger.send("marker")
    assert await charger.recv() == "marker"


async def test_after_the_server_stopped_every_connection_is_gone(gateway, charger):
    connection_id = gateway.handlers.connection_id
    await gateway.server.stop()
    with pytest.raises(Gone):
        gateway.api.post_to_connection(connection_id, b"x")
