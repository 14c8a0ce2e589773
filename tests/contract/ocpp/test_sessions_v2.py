"""Whole sessions at the wire in 2.0.1 and 2.1, told by TransactionEvent: stories that end in money and energy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.drivers import service as drivers
from chalicelib.kernel.clock import to_rfc3339
from tests.contract.ocpp import people
from tests.contract.ocpp.story import BEGIN_WH, CARD, CENTS, END_WH, Story, make
from tests.world import Operator, World


@pytest.fixture(params=["ocpp2.0.1", "ocpp2.1"])
def story(request: pytest.FixtureRequest, world: World, operator: Operator) -> Story:
    return make(world, operator, request.param)


@pytest.fixture
def story21(world: World, operator: Operator) -> Story:
    return make(world, operator, "ocpp2.1")


def test_plugged_in_first_then_the_card(story: Story) -> None:
    """The cable opens the transaction, which is no order before somebody is known."""
    assert story.event("Started", "CablePluggedIn", state="EVConnected", wh=BEGIN_WH, context="Transaction.Begin") == {}
    assert story.sessions() == []
    answer = story.event("Updated", "Authorized", state="EVConnected", token=CARD)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    story.event("Updated", "ChargingStateChanged", state="Charging")
    assert story.session.state == "charging"
    story.end()
    story.assert_billed()


def test_the_card_first_then_plugged_in(story: Story) -> None:
    token = {"idToken": {"idToken": CARD, "type": "ISO14443"}}
    assert story.wire.call("Authorize", token)["idTokenInfo"]["status"] == "Accepted"
    answer = story.event("Started", "Authorized", evse_no=None, token=CARD)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    story.event("Updated", "CablePluggedIn", state="EVConnected", wh=BEGIN_WH, context="Transaction.Begin")
    story.event("Updated", "ChargingStateChanged", state="Charging")
    story.end()
    story.assert_billed()
    assert story.session.evse_no == 1


def test_started_from_the_app(story: Story) -> None:
    """F01, F02: the request's number finds its transaction; the charger writes the token as it likes."""
    token = story.world.driver_token(story.driver.driver_id)
    wanted = {"charger_id": "WIRE-2", "evse_no": 1}
    status, body = story.world.rest.post("/v1/driver/sessions", wanted, token=token, key="k-1")
    assert status == 201, body
    [command] = story.wire.commands()
    assert command[2] == "RequestStartTransaction"
    story.wire.reply(command, {"status": "Accepted", "transactionId": "tx-1"})
    number, id_token = command[3]["remoteStartId"], command[3]["idToken"]["idToken"]
    answer = story.event(
        "Started", "RemoteStart", remote_start_id=number, token=id_token.lower(), token_kind="Central", wh=BEGIN_WH
    )
    assert answer["idTokenInfo"]["status"] == "Accepted"
    story.event("Updated", "ChargingStateChanged", state="Charging")
    status, body = story.world.rest.post(f"/v1/driver/sessions/{body['session_id']}/stop", token=token, key="k-2")
    assert status == 202, body
    [command] = story.wire.commands()
    assert command[2:] == ["RequestStopTransaction", {"transactionId": "tx-1"}]
    story.wire.reply(command, {"status": "Accepted"})
    story.end(reason="Remote")
    story.assert_billed()


def test_the_number_of_the_request_is_enough_to_know_its_transaction(story: Story) -> None:
    """The charger names no id token, or not ours: it is the driver's charge all the same."""
    token = story.world.driver_token(story.driver.driver_id)
    wanted = {"charger_id": "WIRE-2", "evse_no": 1}
    assert story.world.rest.post("/v1/driver/sessions", wanted, token=token, key="k-1").status == 201
    [command] = story.wire.commands()
    story.wire.reply(command, {"status": "Accepted"})
    number = command[3]["remoteStartId"]
    story.event("Started", "RemoteStart", remote_start_id=number, wh=BEGIN_WH, context="Transaction.Begin")
    story.event("Updated", "ChargingStateChanged", state="Charging")
    story.end()
    story.assert_billed()


def test_the_cost_is_told_while_it_runs_and_at_the_end(story: Story) -> None:
    story.event("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH, context="Transaction.Begin")
    running = story.event("Updated", "MeterValuePeriodic", state="Charging", wh=BEGIN_WH + 2000)
    assert running == {"totalCost": 0.7}
    assert story.end()["totalCost"] == 3.5


def test_a_whole_session_told_hours_later(story: Story) -> None:
    """E04: the charger was offline. What it tells late is dated by its own clock, and billed the same."""
    told = []
    pieces: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("Started", "Authorized", {"token": CARD, "state": "Charging", "wh": BEGIN_WH, "context": "Transaction.Begin"}),
        ("Updated", "MeterValuePeriodic", {"wh": 5000}),
        ("Ended", "StopAuthorized", {"reason": "Local", "wh": END_WH, "context": "Transaction.End"}),
    )
    for kind, trigger, more in pieces:
        story.world.advance(600)
        story.seq_no += 1
        told.append(story.payload(kind, trigger, offline=True, **more))
    began_at = story.world.clock.now() - timedelta(seconds=1200)
    story.world.advance(3 * 3600)
    for payload in told:
        story.tell(payload)
    story.assert_billed()
    assert story.session.started_at == began_at
    assert story.session.stopped_at == began_at + timedelta(seconds=1200)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (0, 2, 1), (2, 1, 0), (2, 0, 1), (0, 0, 1, 1, 2, 2, 0, 1)])
def test_pieces_in_any_order_and_twice_are_one_session(story: Story, order: tuple[int, ...]) -> None:
    told = [
        story.payload("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH, context="Transaction.Begin"),
        {**story.payload("Updated", "MeterValuePeriodic", wh=5000), "seqNo": 1},
        {
            **story.payload("Ended", "StopAuthorized", reason="Local", wh=END_WH, context="Transaction.End"),
            "seqNo": 2,
        },
    ]
    told[0]["seqNo"] = 0
    for place_in_story in order:
        story.tell(told[place_in_story])
    story.assert_billed()


def test_an_event_told_again_gets_the_same_answer(story: Story) -> None:
    """With all that the charger's cache wants to know: until when the card is good, and whose group it is."""
    until = story.world.clock.now() + timedelta(days=1)
    person = people.driver(story.world, story.operator, cents=CENTS)
    story.world.commit(
        lambda uow: drivers.add_card(
            uow,
            id_token="AABBCCDD",
            operator_id=story.operator.operator_id,
            driver=person,
            expires_at=until,
            group_id="FLEET",
        )
    )
    started = story.payload("Started", "Authorized", token="aabbccdd", state="Charging", wh=BEGIN_WH)
    started["seqNo"] = 0
    answer = story.tell(started)
    assert answer["idTokenInfo"] == {
        "status": "Accepted",
        "cacheExpiryDateTime": to_rfc3339(until),
        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
    }
    assert story.tell(started) == answer
    story.seq_no = 0
    assert story.event("Updated", "Authorized", token="STRANGER")["idTokenInfo"] == {"status": "Unknown"}
    assert story.event("Updated", "Authorized", token="AABBCCDD")["idTokenInfo"] == answer["idTokenInfo"]
    assert story.end(token="AABBCCDD", reason="Local")["idTokenInfo"] == answer["idTokenInfo"]


def test_a_gap_in_the_numbers_is_shown_to_the_operator(story: Story) -> None:
    story.event("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH, context="Transaction.Begin")
    story.event("Updated", "MeterValuePeriodic", wh=2000)
    story.seq_no += 2
    story.end()
    story.assert_billed()
    status, body = story.world.rest.get(f"/v1/sessions/{story.session.session_id}", token=story.operator.access_token)
    assert (status, body["missing_seq_nos"]) == (200, [2, 3])


def test_a_strangers_card_is_told_so_and_its_energy_is_recorded(story: Story) -> None:
    answer = story.event("Started", "Authorized", token="STRANGER", state="Charging", wh=BEGIN_WH)
    assert answer["idTokenInfo"] == {"status": "Unknown"}
    story.end(reason="DeAuthorized", wh=BEGIN_WH + 100)
    assert (story.session.driver_id, story.session.energy_wh) == (None, 100)
    assert story.cents == CENTS


def test_a_charger_that_asks_nobody_is_obeyed(story: Story) -> None:
    """The start button: free for everybody, and still counted."""
    answer = story.event("Started", "Authorized", token="", token_kind="NoAuthorization", state="Charging", wh=BEGIN_WH)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    story.end()
    assert (story.session.driver_id, story.session.energy_wh) == (None, END_WH - BEGIN_WH)
    assert story.cents == CENTS


def test_a_car_that_was_plugged_in_for_nothing_leaves_no_order(story: Story) -> None:
    story.event("Started", "CablePluggedIn", state="EVConnected", wh=BEGIN_WH, context="Transaction.Begin")
    story.end(wh=BEGIN_WH)
    assert story.sessions() == []


def test_an_empty_wallet_has_no_credit(story: Story) -> None:
    people.driver(story.world, story.operator, card="E0FF0001")
    token = {"idToken": {"idToken": "E0FF0001", "type": "ISO15693"}}
    assert story.wire.call("Authorize", token)["idTokenInfo"]["status"] == "NoCredit"


def test_a_card_that_has_expired_says_so(story: Story) -> None:
    until = story.world.clock.now() + timedelta(days=1)
    dora = people.driver(story.world, story.operator, cents=100, card="AABBCCDD", expires_at=until)
    token = {"idToken": {"idToken": "aabbccdd", "type": "ISO14443"}}
    info = story.wire.call("Authorize", token)["idTokenInfo"]
    group = {"idToken": drivers.driver_group(dora.driver_id), "type": "Central"}
    assert info == {"status": "Accepted", "cacheExpiryDateTime": to_rfc3339(until), "groupIdToken": group}
    story.world.advance(86_401)
    assert story.wire.call("Authorize", token)["idTokenInfo"]["status"] == "Expired"


def test_2_1_tells_where_to_stop(story21: Story) -> None:
    """The driver wants 5 kWh, an hour, 80 percent and 10 euros at most: the charger stops by itself, even offline."""
    token = story21.world.driver_token(story21.driver.driver_id)
    limits = {"energy_wh": 5000, "duration_s": 3600, "soc_percent": 80}
    wanted = {"charger_id": "WIRE-2", "evse_no": 1, "amount": {"amount": 1000, "currency": "EUR"}, "limits": limits}
    status, body = story21.world.rest.post("/v1/driver/sessions", wanted, token=token, key="k-1")
    assert status == 201, body
    [command] = story21.wire.commands()
    story21.wire.reply(command, {"status": "Accepted"})
    answer = story21.event(
        "Started",
        "RemoteStart",
        remote_start_id=command[3]["remoteStartId"],
        token=command[3]["idToken"]["idToken"],
        token_kind="Central",
        wh=BEGIN_WH,
    )
    assert answer["transactionLimit"] == {"maxCost": 10.0, "maxEnergy": 5000, "maxTime": 3600, "maxSoC": 80}
    story21.event("Updated", "ChargingStateChanged", state="Charging")
    story21.end(wh=BEGIN_WH + 5000, reason="EnergyLimitReached")
    assert (story21.session.energy_wh, story21.session.stop_reason) == (5000, "EnergyLimitReached")


def test_2_0_1_has_no_words_for_limits(world: World, operator: Operator) -> None:
    story = make(world, operator, "ocpp2.0.1")
    answer = story.event("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH)
    assert set(answer) <= {"idTokenInfo", "totalCost"}


def test_the_end_of_a_delivery_is_heard_although_the_charger_was_taken_away(story: Story) -> None:
    """ADR 0014: an operator removes the charger from its location while a car charges there."""
    story.event("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH, context="Transaction.Begin")
    charger = chargers.require_charger(story.world.ctx, "WIRE-2")
    story.world.commit(lambda uow: chargers.place_charger(uow, charger, None))
    for kind, token in (("Updated", CARD), ("Started", None)):
        another = story.payload(kind, "Authorized", transaction_id="tx-2", evse_no=2, token=token)
        assert story.wire.error("TransactionEvent", another) == "SecurityError"
    story.world.advance(600)  # by now no process remembers where the charger was
    story.end()
    story.assert_billed()


def test_an_event_that_does_not_name_its_transaction_still_meters(story: Story) -> None:
    story.event("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH, context="Transaction.Begin")
    broken = story.payload("Updated", "MeterValuePeriodic", wh=5000)
    del broken["transactionInfo"]
    assert story.wire.call("TransactionEvent", broken) == {}
    reading = lookup.latest_reading(story.world.ctx, story.session)
    assert reading is not None
    assert reading.energy_wh == 5000


def test_meter_values_beside_a_transaction_belong_to_its_evse(story: Story) -> None:
    """J01: aligned to the clock, they name the EVSE alone."""
    story.event("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH, context="Transaction.Begin")
    at = to_rfc3339(story.world.clock.now())
    values = [{"timestamp": at, "sampledValue": [{"value": 4000, "context": "Sample.Clock"}]}]
    assert story.wire.call("MeterValues", {"evseId": 1, "meterValue": values}) == {}
    assert story.wire.call("MeterValues", {"evseId": 0, "meterValue": values}) == {}
    story.end()
    story.assert_billed()
