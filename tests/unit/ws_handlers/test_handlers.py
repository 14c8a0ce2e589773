"""The three Lambdas of the WebSocket API: thin, and never an exception to API Gateway (it would send its own JSON)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.ocpp.wire import Wire, place
from tests.world import World
from ws_handlers import connect, disconnect, message


@pytest.fixture
def wire(world: World) -> Wire:
    place(world, world.operator(), "WIRE-1")
    return Wire(world, "WIRE-1")


def frame(connection_id: str, body: str | None) -> dict[str, Any]:
    return {"requestContext": {"connectionId": connection_id}, "body": body, "isBase64Encoded": False}


def test_connect_answers_status_and_subprotocol(wire: Wire) -> None:
    assert wire.connect() == (200, {"Sec-WebSocket-Protocol": "ocpp1.6"})


def test_a_call_is_answered_by_the_route_response(wire: Wire) -> None:
    wire.connect()
    answer = message.handler(frame(wire.connection_id, '[2,"id","Heartbeat",{}]'), None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == [3, "id", {"currentTime": "2026-03-02T08:00:00.000Z"}]


@pytest.mark.parametrize("body", ["", None, "nonsense", '[3,"id",{}]'])
def test_silence_is_an_answer_without_a_body(wire: Wire, body: str | None) -> None:
    wire.connect()
    assert message.handler(frame(wire.connection_id, body), None) == {"statusCode": 200}


def test_a_goodbye_may_come_twice_and_from_strangers(wire: Wire) -> None:
    wire.connect()
    goodbye = {"requestContext": {"connectionId": wire.connection_id}}
    assert disconnect.handler(goodbye, None) == disconnect.handler(goodbye, None) == {"statusCode": 200}
    assert disconnect.handler({"requestContext": {"connectionId": "stranger"}}, None) == {"statusCode": 200}


def test_a_broken_event_is_a_500_and_no_exception(wire: Wire) -> None:
    assert connect.handler({"requestContext": {}}, None) == {"statusCode": 500}
