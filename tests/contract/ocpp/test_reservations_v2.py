"""Reservations in 2.0.1 and 2.1: made, used, given up by the charger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.clock import to_rfc3339
from tests.contract.ocpp.story import BEGIN_WH, CARD, Story, make
from tests.world import Operator, World


@pytest.fixture(params=["ocpp2.0.1", "ocpp2.1"])
def story(request: pytest.FixtureRequest, world: World, operator: Operator) -> Story:
    return make(world, operator, request.param)


@pytest.fixture
def story21(world: World, operator: Operator) -> Story:
    return make(world, operator, "ocpp2.1")


def reserve(story: Story, evse_no: int = 1) -> tuple[str, Any]:
    """The driver's access token, and the reservation as the charger was told it; it said yes."""
    token = story.world.driver_token(story.driver.driver_id)
    until = to_rfc3339(story.world.clock.now() + timedelta(hours=1))
    wanted = {"charger_id": "WIRE-2", "evse_no": evse_no, "expires_at": until}
    status, body = story.world.rest.post("/v1/driver/reservations", wanted, token=token, key="r-1")
    assert status == 201, body
    [command] = story.wire.commands()
    assert command[2] == "ReserveNow"
    story.wire.reply(command, {"status": "Accepted"})
    return token, command[3]


def reservation_state(story: Story, token: str) -> str:
    _, body = story.world.rest.get("/v1/driver/reservations", token=token)
    [only] = body["data"]
    return str(only["state"])


def test_a_reservation_is_used_by_whoever_made_it(story: Story) -> None:
    """H03: the transaction names the reservation that it uses."""
    token, reserved = reserve(story)
    assert reservation_state(story, token) == "active"
    started = story.payload("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH)
    answer = story.tell({**started, "seqNo": 0, "reservationId": reserved["id"]})
    assert answer["idTokenInfo"]["status"] == "Accepted"
    assert reservation_state(story, token) == "used"


@pytest.mark.parametrize(("told", "state"), [("Expired", "expired"), ("Removed", "cancelled")])
def test_a_reservation_that_the_charger_gave_up_is_over(story: Story, told: str, state: str) -> None:
    """H04. Told again, or of a reservation that nobody made, it changes nothing."""
    token, reserved = reserve(story)
    for number in (reserved["id"], reserved["id"], 4711):
        payload = {"reservationId": number, "reservationUpdateStatus": told}
        assert story.wire.call("ReservationStatusUpdate", payload) == {}
    assert reservation_state(story, token) == state


def test_whoever_came_and_did_not_charge_lets_the_place_go(story21: Story) -> None:
    token, reserved = reserve(story21)
    payload = {"reservationId": reserved["id"], "reservationUpdateStatus": "NoTransaction"}
    assert story21.wire.call("ReservationStatusUpdate", payload) == {}
    assert reservation_state(story21, token) == "cancelled"
