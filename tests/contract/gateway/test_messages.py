"""Messages: order, answers, failures, and API Gateway's limits on frames and messages."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

TEXT, CONTINUATION, BINARY, CLOSE, PING, PONG = 0x1, 0x0, 0x2, 0x8, 0x9, 0xA
FRAME_LIMIT, MESSAGE_LIMIT = 32 * 1024, 128 * 1024


async def test_messages_are_handled_and_answered_in_order(gateway):
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1") as client:
        for number in range(200):
            await client.send(str(number))
        assert [await client.recv() for _ in range(200)] == [str(number) for number in range(200)]
    assert [event["body"] for event in gateway.handlers.messages] == [str(number) for number in range(200)]


async def test_a_burst_in_one_packet_neither_loses_a_message_nor_holds_the_loop(gateway, open_raw):
    """A peer that sends a thousand messages at once: whoever else waits for the loop has a turn in between."""
    others_turn_after: list[int] = []

    def handle(event):
        if len(gateway.handlers.messages) == 1:
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: others_turn_after.append(len(gateway.handlers.messages)))
        return {"statusCode": 200, "body": event["body"]}

    gateway.handlers.on_message = handle
    client = await open_raw(gateway)
    client.send(TEXT, b"flood", times=1000)
    assert [(await client.receive())[2] for _ in range(1000)] == [b"flood"] * 1000
    assert others_turn_after[0] <= 16


async def test_a_frame_may_come_with_the_upgrade_request_or_in_pieces(gateway, open_raw):
    client = await open_raw(gateway)
    client.writer.write(b"\x81")
    await client.writer.drain()
    client.writer.write(b"\x83\x00\x00\x00\x00ab")
    await client.writer.drain()
    client.writer.write(b"c\x89\x80\x00\x00\x00\x00")
    assert (await client.receive())[2] == b"abc"
    assert (await client.receive())[0] == PONG


async def test_the_answers_body_is_sent_only_with_a_route_response(start_gateway, open_raw):
    gateway = await start_gateway(route_response=False)
    client = await open_raw(gateway)
    client.send(TEXT, b"[2]")
    client.send(PING, b"still there")
    assert await client.receive() == (PONG, True, b"still there")
    assert gateway.handlers.messages[0]["body"] == "[2]"


async def test_an_answer_without_a_body_sends_nothing(gateway, open_raw):
    gateway.handlers.on_message = lambda event: {"statusCode": 200}
    client = await open_raw(gateway)
    client.send(TEXT, b"[2]")
    client.send(PING)
    assert (await client.receive())[0] == PONG


@pytest.mark.parametrize("failure", ["raises", "none", "no status", "slow", "too large"])
async def test_a_failing_handler_gets_the_client_api_gateways_own_message(gateway, open_raw, failure):
    def fail(event):
        if failure == "raises":
            raise RuntimeError("secret")
        if failure == "slow":
            gateway.stopwatch[0] += 29.5
        body = "x" * (MESSAGE_LIMIT + 1) if failure == "too large" else "late"
        return {"none": None, "no status": {"body": "x"}}.get(failure, {"statusCode": 200, "body": body})

    gateway.handlers.on_message = fail
    client = await open_raw(gateway)
    client.send(TEXT, b"[2]")
    document = json.loads((await client.receive())[2])
    assert document.pop("requestId")
    assert document == {"message": "Internal server error", "connectionId": gateway.handlers.connection_id}
    gateway.handlers.on_message = lambda event: {"statusCode": 200, "body": "well again"}
    client.send(TEXT, b"[2]")
    assert (await client.receive())[2] == b"well again"


async def test_a_fragmented_message_is_one_message_with_pings_in_between(gateway, open_raw):
    client = await open_raw(gateway)
    client.send(TEXT, "Zür".encode()[:2], final=False)
    client.send(PING, b"p")
    client.send(CONTINUATION, "Zür".encode()[2:], final=False)
    client.send(CONTINUATION, b"", final=False)
    client.send(CONTINUATION, b"ich")
    assert await client.receive() == (PONG, True, b"p")
    assert (await client.receive())[2].decode() == "Zürich"
    assert [event["body"] for event in gateway.handlers.messages] == ["Zürich"]


async def test_a_frame_of_32_kb_and_a_message_of_128_kb_pass(gateway, open_raw):
    client = await open_raw(gateway)
    client.send(TEXT, b"a" * FRAME_LIMIT, final=False)
    client.send(CONTINUATION, b"b" * FRAME_LIMIT, final=False)
    client.send(CONTINUATION, b"c" * FRAME_LIMIT, final=False)
    client.send(CONTINUATION, b"d" * FRAME_LIMIT)
    received = [await client.receive() for _ in range(4)]
    assert [(opcode, final, len(payload)) for opcode, final, payload in received] == [
        (TEXT, False, FRAME_LIMIT),
        (CONTINUATION, False, FRAME_LIMIT),
        (CONTINUATION, False, FRAME_LIMIT),
        (CONTINUATION, True, FRAME_LIMIT),
    ]
    assert len(gateway.handlers.messages[0]["body"]) == MESSAGE_LIMIT


async def test_a_large_answer_reaches_a_real_client_whole(gateway):
    gateway.handlers.on_message = lambda event: {"statusCode": 200, "body": "é" * 50_000}
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1") as client:
        await client.send("x")
        assert await client.recv() == "é" * 50_000


def frames_of(*frames):
    return lambda client: [client.send(opcode, payload, final=final) for opcode, payload, final in frames]


@pytest.mark.parametrize(
    ("misbehave", "code"),
    [
        pytest.param(frames_of((TEXT, b"a" * (FRAME_LIMIT + 1), True)), 1009, id="frame over 32 KB"),
        pytest.param(
            frames_of(
                (TEXT, b"a" * FRAME_LIMIT, False), *[(CONTINUATION, b"a" * FRAME_LIMIT, False)] * 3, (0, b"a", True)
            ),
            1009,
            id="message over 128 KB",
        ),
        pytest.param(frames_of((BINARY, b"x", True)), 1003, id="binary"),
        pytest.param(frames_of((TEXT, b"\xc3\x28", True)), 1007, id="invalid UTF-8"),
        pytest.param(
            frames_of((TEXT, b"\xc3", False), (CONTINUATION, b"\x28", True)), 1007, id="invalid UTF-8 in pieces"
        ),
        pytest.param(frames_of((TEXT, b"\xed\xa0\x80", True)), 1007, id="surrogate in UTF-8"),
        pytest.param(lambda client: client.writer.write(b"\x81\x01x"), 1002, id="not masked"),
        pytest.param(frames_of((0x3, b"x", True)), 1002, id="reserved opcode"),
        pytest.param(lambda client: client.writer.write(b"\xc1\x80\0\0\0\0"), 1002, id="reserved bit"),
        pytest.param(frames_of((CONTINUATION, b"x", True)), 1002, id="continuation of nothing"),
        pytest.param(frames_of((TEXT, b"x", False), (TEXT, b"y", True)), 1002, id="message within a message"),
        pytest.param(frames_of((PING, b"x" * 126, True)), 1002, id="long ping"),
        pytest.param(frames_of((PING, b"x", False)), 1002, id="fragmented ping"),
        pytest.param(frames_of((CLOSE, b"\x03", True)), 1002, id="half a close code"),
        pytest.param(frames_of((CLOSE, b"\x03\xed", True)), 1002, id="close code 1005 on the wire"),
        pytest.param(frames_of((CLOSE, b"\x03\xe8\xff", True)), 1007, id="close reason not UTF-8"),
    ],
)
async def test_a_peer_that_breaks_the_rules_is_closed_with_the_right_code(gateway, open_raw, misbehave, code):
    client = await open_raw(gateway)
    misbehave(client)
    client.send(TEXT, b"ignored")
    assert (await client.receive_close())[0] == code
    assert await client.reader.read() == b""
    assert gateway.handlers.messages == []
    assert len(gateway.handlers.disconnects) == 1
    assert gateway.handlers.disconnects[0]["requestContext"]["disconnectStatusCode"] == code
    assert gateway.api.connection_count == 0


async def test_a_peer_still_sending_learns_why_it_was_closed(gateway):
    """The close frame must not be lost to a reset while the rest of an oversized message is on its way."""
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1") as client:
        await client.send("x" * 1_000_000)
        await asyncio.wait_for(client.wait_closed(), 10)
        assert client.close_code == 1009


async def test_a_peer_still_sending_is_not_answered_with_a_reset(gateway, open_raw):
    client = await open_raw(gateway)
    client.send(BINARY, b"x")
    assert (await client.receive_close())[0] == 1003
    for _ in range(20):
        client.send(TEXT, b"x" * 10_000)
        await client.writer.drain()
    assert await client.reader.read() == b""
    assert gateway.handlers.messages == []


async def test_a_peer_that_reads_nothing_is_cut_off(gateway, open_raw):
    gateway.handlers.on_message = lambda event: {"statusCode": 200, "body": "x" * 100_000}
    client = await open_raw(gateway)
    for _ in range(400):
        client.send(TEXT, b"more")
    await asyncio.wait_for(gateway.handlers.disconnected.wait(), 10)
    assert gateway.handlers.disconnects[0]["requestContext"]["disconnectStatusCode"] == 1006
    assert len(gateway.handlers.messages) < 400
