"""What chargers in the street do to a charging session, frame by frame, and where the money ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.ocpp import jobs
from tests.integration.ocpp.street import Street
from tests.site import CARD

PAID_SEVEN = [("top_up", 2000), ("consumption", -2000), ("refund", 1993)]


def test_an_offline_charge_is_told_three_hours_later(street: Street) -> None:
    began = street.world.clock.now()
    street.world.advance(3 * 3600)
    street.reconnect()
    started = street.call("StartTransaction", street.start_frame(at=began))
    assert started["idTagInfo"]["status"] == "Accepted"
    ended = began + timedelta(minutes=40)
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 1200, at=ended))
    [session] = street.site.sessions()
    assert (session.state, session.started_at, session.stopped_at) == ("settled", began, ended)
    assert street.site.lines() == PAID_SEVEN


def test_two_offline_charges_on_one_connector_are_told_in_one_second(street: Street) -> None:
    began = street.world.clock.now()
    street.world.advance(3 * 3600)
    street.reconnect()
    for number in range(2):
        at = began + timedelta(hours=number)
        meter_wh = 1000 + 500 * number
        started = street.call("StartTransaction", street.start_frame(meter_wh=meter_wh, at=at))
        stop = street.stop_frame(started["transactionId"], meter_wh + 200, at=at + timedelta(minutes=30))
        street.call("StopTransaction", stop)
    assert street.states() == ["settled", "settled"]
    assert street.site.income() == 14
    assert street.site.available() == 2000 - 14


@pytest.mark.parametrize("retried_id", ["start-1", "start-2"])
def test_a_start_whose_answer_was_lost(street: Street, retried_id: str) -> None:
    frame = street.start_frame()
    first = street.call("StartTransaction", frame, "start-1")
    street.reconnect()
    assert street.call("StartTransaction", frame, retried_id) == first
    street.call("StopTransaction", street.stop_frame(first["transactionId"], 1200))
    # The charger never heard that its start was taken: it comes once more, after the end.
    assert street.call("StartTransaction", frame, "start-1")["transactionId"] == first["transactionId"]
    assert street.states() == ["settled"]
    assert street.site.lines() == PAID_SEVEN


@pytest.mark.parametrize("wrong_id", [0, -1, 987_654_321])
def test_a_stop_with_an_id_that_nobody_gave(street: Street, wrong_id: int) -> None:
    street.call("StartTransaction", street.start_frame())
    street.call("StopTransaction", street.stop_frame(wrong_id, 1200))
    assert street.states() == ["settled"]
    assert street.site.lines() == PAID_SEVEN


@pytest.mark.parametrize("wrong_id", [0, -1, 987_654_321])
def test_a_stop_of_nothing_is_taken_and_moves_nothing(street: Street, wrong_id: int) -> None:
    assert street.call("StopTransaction", street.stop_frame(wrong_id, 1200)) == {}
    assert street.states() == []
    assert street.site.lines() == [("top_up", 2000)]


def test_a_meter_that_runs_backwards_costs_nothing(street: Street) -> None:
    started = street.call("StartTransaction", street.start_frame(meter_wh=5000))
    street.call("MeterValues", street.meter_frame(started["transactionId"], 4000))
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 100))
    [session] = street.site.sessions()
    assert (session.energy_wh, session.cost, session.abnormal_cause) == (0, 0, "meter_backwards")
    assert street.site.available() == 2000


def test_two_connectors_start_in_one_second(street: Street) -> None:
    began = street.world.clock.now()
    ids = {}
    for connector_id in (1, 2):
        frame = street.start_frame(meter_wh=0, at=began, connectorId=connector_id)
        answer = street.call("StartTransaction", frame)
        ids[connector_id] = answer["transactionId"]
        if connector_id == 1:
            street.site.top_up(1000)
    assert ids[1] != ids[2]
    for connector_id, energy_wh in ((2, 400), (1, 200)):
        street.call("MeterValues", street.meter_frame(ids[connector_id], energy_wh, connector_id))
        street.call("StopTransaction", street.stop_frame(ids[connector_id], energy_wh))
    assert [(s.evse_no, s.energy_wh, s.captured) for s in street.site.sessions()] == [(1, 200, 7), (2, 400, 14)]
    assert street.site.available() == 3000 - 21


def test_the_new_socket_is_there_before_the_old_one_says_goodbye(street: Street) -> None:
    """API Gateway tells of a close late, or never: the charge and the commands go on over the new socket."""
    started = street.call("StartTransaction", street.start_frame())
    old = street.reconnect()
    old.close()
    assert street.link_connection() == street.wire.connection_id
    street.call("MeterValues", street.meter_frame(started["transactionId"], 1100))
    command = street.wire.queue("TriggerMessage", {"requestedMessage": "Heartbeat"})
    [sent] = street.wire.commands()
    street.wire.reply(sent, {"status": "Accepted"})
    assert street.wire.outcome(command)[0] == "accepted"
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 1200))
    assert street.site.lines() == PAID_SEVEN


def test_the_answer_to_a_command_comes_over_the_next_socket(street: Street) -> None:
    session = street.site.request(500)
    [command] = street.wire.commands()
    street.reconnect()
    street.wire.reply(command, {"status": "Accepted"})
    assert street.site.session(session.session_id).state == "awaiting_plug"
    started = street.call("StartTransaction", street.start_frame(command[3]["idTag"]))
    assert street.states() == ["charging"]
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 1200))
    assert street.site.lines() == [("top_up", 2000), ("consumption", -500), ("refund", 493)]


def test_a_command_that_died_with_its_socket_times_out_and_the_money_comes_back(street: Street) -> None:
    session = street.site.request(500)
    [command] = street.wire.commands()
    street.reconnect()
    # Whether it arrived is unknown, so it is not sent again: a car must not start charging by surprise.
    assert street.wire.commands() == []
    street.world.advance(31)
    street.world.run_job(jobs.expire_commands)
    assert street.site.session(session.session_id).state == "refused"
    assert street.site.available() == 2000
    street.world.advance(1)
    # The charger had heard it after all. It is told to stop; what flowed until then is all that is paid.
    started = street.call("StartTransaction", street.start_frame(command[3]["idTag"]))
    assert started["idTagInfo"]["status"] == "Blocked"
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 1000))
    assert street.site.available() == 2000


def test_a_command_whose_socket_is_known_to_be_gone_goes_to_the_next_one(street: Street) -> None:
    session = street.site.request(500)
    street.world.gone_connections.add(street.wire.connection_id)
    assert street.wire.commands() == []
    street.reconnect()
    street.call("Heartbeat", {})
    [command] = street.wire.commands()
    assert command[2] == "RemoteStartTransaction"
    street.wire.reply(command, {"status": "Accepted"})
    assert street.site.session(session.session_id).state == "awaiting_plug"


def test_a_card_takes_the_connector_that_the_app_had_asked_for(street: Street) -> None:
    session = street.site.request(500)
    street.wire.commands()
    started = street.call("StartTransaction", street.start_frame(CARD))
    assert started["idTagInfo"]["status"] == "Accepted"
    assert street.site.session(session.session_id).state == "expired"
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 1200))
    assert street.states() == ["expired", "settled"]
    assert street.site.available() == 1993


def test_the_app_token_in_small_letters_is_the_request_of_the_driver(street: Street) -> None:
    session = street.site.request(500)
    [command] = street.wire.commands()
    token = drivers.app_token(street.site.driver.driver_id)
    assert command[3]["idTag"] == token
    street.call("StartTransaction", street.start_frame(token.lower()))
    assert street.site.session(session.session_id).state == "charging"
