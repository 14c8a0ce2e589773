"""$connect decides before the upgrade: who gets in, with which subprotocol, under which identity."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus


def choosing(protocol: str) -> Any:
    return lambda event: {"statusCode": 200, "headers": {"sec-websocket-protocol": protocol}}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_any_status_but_2xx_refuses_the_upgrade_with_that_status_and_body(gateway, status):
    gateway.handlers.on_connect = lambda event: {"statusCode": status, "body": '{"code":"no"}'}
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{gateway.server.websocket_url}/ocpp/CP1", subprotocols=["ocpp1.6"])
    assert refused.value.response.status_code == status
    assert refused.value.response.body == b'{"code":"no"}'
    assert gateway.api.connection_count == 0
    assert gateway.handlers.disconnects == []


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        {},
        {"statusCode": "abc"},
        {"statusCode": 101},
        {"statusCode": 200, "body": 7},
        {"statusCode": True},
    ],
)
async def test_a_malformed_answer_refuses_with_502(gateway, open_raw, answer):
    gateway.handlers.on_connect = lambda event: answer
    client = await open_raw(gateway)
    assert client.status == 502
    document = json.loads(await client.body())
    assert document["message"] == "Internal server error"
    assert document["connectionId"] == gateway.handlers.connection_id


async def test_an_exception_refuses_with_502_and_tells_nothing(gateway, open_raw):
    def fail(event: object) -> None:
        raise RuntimeError("the database password is hunter2")

    gateway.handlers.on_connect = fail
    client = await open_raw(gateway)
    assert client.status == 502
    assert b"hunter2" not in await client.body()


async def test_connect_that_takes_longer_than_29_s_refuses(gateway, open_raw):
    def dawdle(event: object) -> dict[str, int]:
        gateway.stopwatch[0] += 29.5
        return {"statusCode": 200}

    gateway.handlers.on_connect = dawdle
    assert (await open_raw(gateway)).status == 502


async def test_the_chosen_subprotocol_is_negotiated_when_it_was_offered(gateway):
    gateway.handlers.on_connect = choosing("ocpp1.6")
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1", subprotocols=["ocpp2.0.1", "ocpp1.6"]) as client:
        assert client.subprotocol == "ocpp1.6"


@pytest.mark.parametrize(
    ("headers", "chosen", "negotiated"),
    [
        ((), "ocpp1.6", None),
        (("Sec-WebSocket-Protocol: ocpp2.0.1",), "ocpp1.6", None),
        (("Sec-WebSocket-Protocol: ,ocpp1.6",), "ocpp1.6", "ocpp1.6"),
        (("Sec-WebSocket-Protocol: ocpp2.0.1 ,  ocpp1.6 ",), "ocpp1.6", "ocpp1.6"),
        (("Sec-WebSocket-Protocol: ocpp2.0.1", "Sec-WebSocket-Protocol: ocpp1.6"), "ocpp1.6", "ocpp1.6"),
    ],
)
async def test_a_subprotocol_is_answered_only_if_offered(gateway, open_raw, headers, chosen, negotiated):
    gateway.handlers.on_connect = choosing(chosen)
    client = await open_raw(gateway, "/ocpp/CP1", *headers)
    assert client.status == 101
    assert client.headers.get("sec-websocket-protocol") == negotiated


async def test_no_subprotocol_is_answered_when_the_function_chose_none(gateway, open_raw):
    client = await open_raw(gateway, "/ocpp/CP1", "Sec-WebSocket-Protocol: ocpp1.6")
    assert client.status == 101
    assert "sec-websocket-protocol" not in client.headers
    assert "sec-websocket-extensions" not in client.headers


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((), 426),
        (("Upgrade: websocket",), 426),
        (("Upgrade: h2c", "Connection: Upgrade"), 426),
        (("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 8"), 426),
        (("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"), 400),
        (
            ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: c2hvcnQ="),
            400,
        ),
        (("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: é"), 400),
    ],
)
async def test_what_is_no_handshake_reaches_no_function(gateway, open_raw, lines, status):
    client = await open_raw(gateway, None)
    await client.request("GET /ocpp/CP1 HTTP/1.1", "Host: 127.0.0.1", *lines)
    assert client.status == status
    assert gateway.handlers.connects == []


@pytest.mark.parametrize(
    ("target", "cp", "identity"),
    [
        ("/ocpp/CP1", "CP1", "CP1"),
        ("/ocpp/CP%201", "CP%201", "CP 1"),
        ("/ocpp/CP%2F1", "CP%2F1", "CP/1"),
        ("/ocpp/DE%2AABC%3a1", "DE%2AABC%3a1", "DE*ABC:1"),
        ("/ocpp/a/b", "b", "b"),
        ("/ocpp/tenant/x%2Fy", "x%2Fy", "x/y"),
        ("/ocpp/", "", ""),
        ("/ocpp/CP1?cp=CP2", "CP1", "CP1"),
        ("/ocpp/CP1?%63p=CP2&cp=CP3", "CP1", "CP1"),
    ],
)
async def test_the_last_path_segment_becomes_cp_as_encoded(gateway, open_raw, target, cp, identity):
    assert (await open_raw(gateway, target)).status == 101
    event = gateway.handlers.connects[0]
    assert event["queryStringParameters"] == {"cp": cp}
    assert event["multiValueQueryStringParameters"] == {"cp": [cp]}
    assert gateway.api.connections_of(identity) == [gateway.handlers.connection_id]


async def test_other_query_parameters_pass_the_cdn(gateway, open_raw):
    await open_raw(gateway, "/ocpp/CP1?a=1&a=%202&b")
    event = gateway.handlers.connects[0]
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "%202"], "b": [""], "cp": ["CP1"]}
    assert event["queryStringParameters"] == {"a": "%202", "b": "", "cp": "CP1"}


async def test_what_the_cdn_vouches_for_can_not_come_from_the_client(gateway, open_raw):
    await open_raw(
        gateway,
        "/ocpp/CP1",
        "X-Origin-Verify: guess",
        "CloudFront-Viewer-Cert-Subject: CN=CP9",
        "cloudfront-viewer-cert-pem: x",
        "X-Forwarded-For: 203.0.113.9",
        "Authorization: Basic Q1AxOnNlY3JldA==",
    )
    event = gateway.handlers.connects[0]
    pairs = [(name.lower(), value) for name, values in event["multiValueHeaders"].items() for value in values]
    assert [value for name, value in pairs if name == "x-origin-verify"] == ["the-secret"]
    assert [name for name, _ in pairs if name.startswith("cloudfront-")] == []
    assert [value for name, value in pairs if name == "x-forwarded-for"] == ["127.0.0.1"]
    assert [value for name, value in pairs if name == "authorization"] == ["Basic Q1AxOnNlY3JldA=="]


async def test_the_stage_address_passes_everything_as_sent(gateway, open_raw):
    await open_raw(gateway, "/live?cp=CP%201", "X-Origin-Verify: guess", "CloudFront-Viewer-Cert-Subject: CN=CP9")
    event = gateway.handlers.connects[0]
    assert event["queryStringParameters"] == {"cp": "CP%201"}
    assert event["headers"]["X-Origin-Verify"] == "guess"
    assert event["headers"]["CloudFront-Viewer-Cert-Subject"] == "CN=CP9"
    assert gateway.api.connections_of("CP 1") == [gateway.handlers.connection_id]


async def test_the_stage_address_without_a_query_has_no_query_members(gateway, open_raw):
    await open_raw(gateway, "/live")
    assert "queryStringParameters" not in gateway.handlers.connects[0]
    assert "multiValueQueryStringParameters" not in gateway.handlers.connects[0]


async def test_a_header_sent_twice_keeps_both_values_and_the_last_alone(gateway, open_raw):
    await open_raw(gateway, "/ocpp/CP1", "X-Serial: 1", "X-Serial: 2")
    event = gateway.handlers.connects[0]
    assert event["multiValueHeaders"]["X-Serial"] == ["1", "2"]
    assert event["headers"]["X-Serial"] == "2"


async def test_bytes_beyond_ascii_in_a_header_arrive_as_sound_text(gateway, open_raw):
    await open_raw(gateway, "/ocpp/CP1", "X-Serial: \xff\xe9")
    assert gateway.handlers.connects[0]["headers"]["X-Serial"] == "\xff\xe9"


async def test_more_connections_than_the_limit_are_refused_before_connect(start_gateway, open_raw):
    gateway = await start_gateway(connection_limit=1)
    assert (await open_raw(gateway)).status == 101
    assert (await open_raw(gateway)).status == 429
    assert len(gateway.handlers.connects) == 1
