"""The events' shapes: the members of AWS's published examples, read through powertools' data classes."""

from __future__ import annotations

from aws_lambda_powertools.utilities.data_classes.api_gateway_websocket_event import APIGatewayWebSocketEvent
from websockets.asyncio.client import connect

NOON_MS = 1772366400000
CONTEXT = {
    "routeKey",
    "eventType",
    "extendedRequestId",
    "requestTime",
    "messageDirection",
    "stage",
    "connectedAt",
    "requestTimeEpoch",
    "identity",
    "requestId",
    "domainName",
    "connectionId",
    "apiId",
}


async def converse(gateway):
    url = f"{gateway.server.websocket_url}/ocpp/CP1"
    async with connect(url, user_agent_header="Charger/1.0") as client:
        gateway.clock.advance(1.5)
        await client.send("[2,]")
        await client.recv()
    await gateway.handlers.disconnected.wait()


async def test_connect(gateway):
    await converse(gateway)
    event = APIGatewayWebSocketEvent(gateway.handlers.connects[0])
    assert set(event.raw_event) == {
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "requestContext",
        "isBase64Encoded",
    }
    assert set(event["requestContext"]) == CONTEXT
    context = event.request_context
    assert (context.route_key, context.event_type, context.message_direction) == ("$connect", "CONNECT", "IN")
    assert (context.stage, context.api_id) == ("live", "local")
    assert context.connected_at == context.request_time_epoch == NOON_MS
    assert context.request_time == "01/Mar/2026:12:00:00 +0000"
    assert (context.identity.source_ip, context.identity.user_agent) == ("127.0.0.1", "Charger/1.0")
    assert context.domain_name == f"127.0.0.1:{gateway.server.port}"
    assert len(context.connection_id) == 16
    assert event.headers["user-agent"] == "Charger/1.0"
    assert event.is_base64_encoded is False
    assert event.body is None


async def test_a_message_has_no_headers_and_no_query(gateway):
    await converse(gateway)
    event = APIGatewayWebSocketEvent(gateway.handlers.messages[0])
    assert set(event.raw_event) == {"requestContext", "body", "isBase64Encoded"}
    assert set(event["requestContext"]) == CONTEXT | {"messageId"}
    context = event.request_context
    assert (context.route_key, context.event_type, event.body) == ("$default", "MESSAGE", "[2,]")
    assert context.connection_id == gateway.handlers.connection_id
    assert (context.connected_at, context.request_time_epoch) == (NOON_MS, NOON_MS + 1500)
    assert context.request_time == "01/Mar/2026:12:00:01 +0000"
    assert context.message_id not in (None, context.request_id)


async def test_disconnect(gateway):
    await converse(gateway)
    event = APIGatewayWebSocketEvent(gateway.handlers.disconnects[0])
    assert set(event.raw_event) == {"headers", "multiValueHeaders", "requestContext", "isBase64Encoded"}
    assert set(event["requestContext"]) == CONTEXT | {"disconnectStatusCode", "disconnectReason"}
    context = event.request_context
    assert (context.route_key, context.event_type) == ("$disconnect", "DISCONNECT")
    assert (context.disconnect_status_code, context.disconnect_reason) == (1000, "")
    assert context.connection_id == gateway.handlers.connection_id
    assert set(event["headers"]) == {"Host", "x-api-key", "X-Forwarded-For", "x-restapi"}


async def test_every_event_is_its_own(gateway):
    def scribble(event):
        event["requestContext"]["identity"]["sourceIp"] = "scribbled"
        event["requestContext"]["connectionId"] = "scribbled"
        return {"statusCode": 200, "body": "ok"}

    gateway.handlers.on_connect = scribble
    gateway.handlers.on_message = scribble
    async with connect(f"{gateway.server.websocket_url}/ocpp/CP1") as client:
        for _ in range(2):
            await client.send("x")
            await client.recv()
            assert gateway.handlers.messages[-1]["requestContext"]["requestId"]
        ids = {event["requestContext"]["requestId"] for event in gateway.handlers.messages}
        assert len(ids) == 2
    await gateway.handlers.disconnected.wait()
    assert gateway.handlers.disconnects[0]["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
