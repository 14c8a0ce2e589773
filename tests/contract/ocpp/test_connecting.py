"""The handshake and the life of a connection: who is let in, who is live, what a late goodbye may not do."""

from __future__ import annotations

import base64

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.kernel import context
from tests.contract.ocpp.wire import PASSWORD, Wire, place
from tests.world import SECRETS, Operator, World, WorldContext
from ws_handlers import connect


def reasons(world: World, operator_id: str | None) -> list[str]:
    page = chargers.list_attempts(world.ctx, operator_id, charger_id=None, limit=50, cursor=None)
    return [attempt.reason for attempt in page.data]


@pytest.mark.parametrize(
    ("offered", "echoed"),
    [
        ("ocpp1.6", "ocpp1.6"),
        ("ocpp0.1, ocpp1.6", "ocpp1.6"),
        (",ocpp1.6,", "ocpp1.6"),
        ("ocpp2.9,ocpp1.6", "ocpp1.6"),
        ("ocpp2.0.1,ocpp1.6", "ocpp2.0.1"),
        ("ocpp1.6,ocpp2.0.1", "ocpp1.6"),
        ("ocpp2.1,ocpp2.0.1", "ocpp2.1"),
    ],
)
def test_the_first_offered_subprotocol_that_we_speak_is_echoed(wire: Wire, offered: str, echoed: str) -> None:
    assert wire.connect(protocols=offered) == (200, {"Sec-WebSocket-Protocol": echoed})


def test_subprotocols_in_two_header_lines(world: World, wire: Wire) -> None:
    secret = base64.b64encode(f"WIRE-1:{PASSWORD}".encode()).decode()
    event = {
        "headers": {"sec-websocket-protocol": "ocpp1.6", "AUTHORIZATION": f"Basic {secret}"},
        "multiValueHeaders": {
            "sec-websocket-protocol": ["ocpp0.1", "ocpp1.6"],
            "AUTHORIZATION": [f"Basic {secret}"],
        },
        "queryStringParameters": {"cp": "WIRE-1"},
        "requestContext": {"connectionId": "two-lines", "identity": {"sourceIp": "192.0.2.7"}},
    }
    assert connect.handler(event, None) == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "ocpp1.6"}}


def test_refusals_carry_their_status_and_leave_an_attempt(world: World, operator: Operator, wire: Wire) -> None:
    assert wire.connect(identity="NOBODY")[0] == 404
    assert wire.connect(identity="")[0] == 404
    assert wire.connect(password="wrong-wrong-wrong")[0] == 401
    assert wire.connect(password=None)[0] == 401
    assert wire.connect(protocols="ocpp0.1")[0] == 400
    assert wire.connect(protocols=None)[0] == 400
    assert sorted(reasons(world, operator.operator_id)) == [
        "password_missing",
        "password_wrong",
        "subprotocol_missing",
        "subprotocol_unsupported",
    ]
    assert reasons(world, None) == ["unknown_charger", "unknown_charger"]


def test_a_charger_may_be_taken_for_1_6_without_subprotocol(world: World, operator: Operator) -> None:
    place(world, operator, "OLD-1", accepts_missing_subprotocol=True)
    wire = Wire(world, "OLD-1")
    assert wire.connect(protocols=None) == (200, {})
    assert wire.boot()["status"] == "Accepted"


def test_the_identity_is_decoded_once(world: World, operator: Operator) -> None:
    place(world, operator, "DE*ABC*1")
    wire = Wire(world, "DE*ABC*1")
    assert wire.connect(identity="DE%2AABC%2a1")[0] == 200
    assert wire.connect(identity="DE%252AABC%252A1")[0] == 404


def test_no_query_is_an_unknown_charger(world: World) -> None:
    event = {"headers": None, "requestContext": {"connectionId": "c", "identity": {"sourceIp": "192.0.2.7"}}}
    assert connect.handler(event, None)["statusCode"] == 404


def test_only_the_cdn_may_open_connections_when_there_is_a_secret(world: World, wire: Wire) -> None:
    context.install(WorldContext(world.ctx.settings, world.clock, {**SECRETS, "origin-verify": "s3cret"}))
    assert wire.connect()[0] == 403
    assert wire.connect(headers={"X-Origin-Verify": "guess"})[0] == 403
    assert wire.connect(headers={"X-Origin-Verify": "s3cret"})[0] == 200


def test_connecting_and_closing_shows_in_the_link(world: World, wire: Wire) -> None:
    link = chargers.get_link(world.ctx, "WIRE-1")
    assert link is not None
    assert (link.connection_id, link.protocol) == (wire.connection_id, "ocpp1.6")
    wire.close()
    link = chargers.get_link(world.ctx, "WIRE-1")
    assert link is not None
    assert link.connection_id is None


def test_a_late_goodbye_does_not_touch_the_newer_connection(world: World, wire: Wire) -> None:
    old = Wire(world, "WIRE-1", connection_id=wire.connection_id)
    assert wire.connect()[0] == 200
    old.close()
    link = chargers.get_link(world.ctx, "WIRE-1")
    assert link is not None
    assert link.connection_id == wire.connection_id


def test_the_older_socket_of_a_charger_is_closed(world: World, wire: Wire) -> None:
    old = wire.connection_id
    assert wire.connect()[0] == 200
    [dropped] = world.aws_calls("apigatewaymanagementapi", "DeleteConnection")
    assert dropped["url_path"].endswith(old)
    # What it still sends is the charger's word all the same.
    assert "currentTime" in Wire(world, "WIRE-1", connection_id=old).call("Heartbeat", {})


def test_a_socket_that_nobody_opened_is_dropped_without_an_answer(world: World) -> None:
    stranger = Wire(world, "WIRE-1", connection_id="never-opened")
    assert stranger.send('[2,"id","Heartbeat",{}]') is None
    assert len(world.aws_calls("apigatewaymanagementapi", "DeleteConnection")) == 1


def test_frames_without_a_boot_after_a_reconnect_are_normal(wire: Wire) -> None:
    assert wire.connect()[0] == 200
    assert wire.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}) == {}


def test_life_signs_are_stored_once_in_ninety_seconds_and_at_every_heartbeat(world: World, wire: Wire) -> None:
    def seen() -> float:
        link = chargers.get_link(world.ctx, "WIRE-1")
        assert link is not None
        assert link.last_seen_at is not None
        return (link.last_seen_at - world.ctx.now()).total_seconds()

    wire.call("DataTransfer", {"vendorId": "x"})
    assert seen() == 0
    world.advance(89)
    wire.call("DataTransfer", {"vendorId": "x"})
    assert seen() == -89
    wire.call("Heartbeat", {})
    assert seen() == 0
    world.advance(90)
    assert wire.error("MakeCoffee", {}) == "NotImplemented"
    assert seen() == 0


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
def test_a_pending_charger_that_is_placed_is_asked_to_boot_and_accepted(
    world: World, operator: Operator, protocol: str
) -> None:
    charger = place(world, operator, "NEW-1", placed=False)
    location = chargers.get_location(world.ctx, place(world, operator, "OTHER-1").location_id or "")
    wire = Wire(world, "NEW-1", protocol=protocol)
    wire.connect()
    assert wire.boot()["status"] == "Pending"
    world.advance(1)
    placed = world.commit(lambda uow: chargers.place_charger(uow, charger, location))
    [asked] = wire.commands()
    assert asked[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
    wire.reply(asked, {"status": "Accepted"})
    assert wire.boot()["status"] == "Accepted"
    # Moving it to another place, and away, is nothing that it is to be told.
    elsewhere = chargers.get_location(world.ctx, place(world, operator, "OTHER-2").location_id or "")
    moved = world.commit(lambda uow: chargers.place_charger(uow, placed, elsewhere))
    world.commit(lambda uow: chargers.place_charger(uow, moved, None))
    assert wire.commands() == []


def test_one_that_has_booted_since_it_was_placed_is_not_asked(world: World, operator: Operator) -> None:
    charger = place(world, operator, "NEW-1", placed=False)
    location = chargers.get_location(world.ctx, place(world, operator, "OTHER-1").location_id or "")
    wire = Wire(world, "NEW-1")
    wire.connect()
    wire.boot()
    world.commit(lambda uow: chargers.place_charger(uow, charger, location))
    world.advance(1)
    assert wire.boot()["status"] == "Accepted"
    assert wire.commands() == []


def test_a_charger_out_of_service_is_refused_like_an_unknown_one(world: World, operator: Operator) -> None:
    charger = place(world, operator, "OLD-1", placed=False)
    world.commit(lambda uow: chargers.retire_charger(uow, charger))
    assert Wire(world, "OLD-1").connect()[0] == Wire(world, "NOBODY-1").connect()[0] == 404
    [attempt] = chargers.list_attempts(world.ctx, operator.operator_id, charger_id="old-1", limit=10, cursor=None).data
    assert attempt.reason == "decommissioned"


def test_an_unplaced_charger_is_pending_and_told_to_boot_again(world: World, operator: Operator) -> None:
    charger = place(world, operator, "NEW-1", placed=False)
    wire = Wire(world, "NEW-1")
    wire.connect()
    assert wire.boot() == {"status": "Pending", "currentTime": "2026-03-02T08:00:00.000Z", "interval": 60}
    assert wire.error("Heartbeat", {}) == "SecurityError"
    assert wire.error("Authorize", {"idTag": "X"}) == "SecurityError"
    # What was begun before it was taken away from its place is still heard to its end.
    stop = {"transactionId": 77, "meterStop": 5, "timestamp": "2026-03-02T08:00:00Z"}
    assert wire.call("StopTransaction", stop) == {}
    somewhere = place(world, operator, "OTHER-1")
    assert somewhere.location_id is not None
    location = chargers.get_location(world.ctx, somewhere.location_id)
    world.commit(lambda uow: chargers.place_charger(uow, charger, location))
    # One that sends before it boots again is served as of now.
    assert "currentTime" in wire.call("Heartbeat", {})
    assert wire.boot() == {"status": "Accepted", "currentTime": "2026-03-02T08:00:00.000Z", "interval": 540}
