"""OCPP 1.6 at the wire: whatever a charger forgets, repeats or tells late, each delivery is a correct session, or an
abnormal one that says why. None is dropped, none is paid twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from tests.integration.ocpp.street import Street
from tests.site import CARD

STRANGER = "0BADCAFE01"
PAID_SEVEN = [("top_up", 2000), ("consumption", -2000), ("refund", 1993)]


@dataclass(frozen=True)
class Charge:
    """What physically happened while the charger was offline."""

    id_tag: str
    began: datetime
    begin_wh: int
    end_wh: int

    @property
    def ended(self) -> datetime:
        return self.began + timedelta(minutes=30)


def replay(street: Street, charges: list[Charge]) -> list[str]:
    """The queue as OCPP 1.6 has it: start, stop, start, stop. What the charger was told of each id tag."""
    statuses = []
    for charge in charges:
        started = street.call("StartTransaction", street.start_frame(charge.id_tag, charge.begin_wh, at=charge.began))
        street.call("StopTransaction", street.stop_frame(started["transactionId"], charge.end_wh, at=charge.ended))
        statuses.append(started["idTagInfo"]["status"])
    return statuses


def offline(street: Street, *id_tags: str) -> list[Charge]:
    """Charges of 200 Wh on one connector, an hour apart; the charger is back three hours later."""
    began = street.world.clock.now()
    charges = [
        Charge(id_tag, began + timedelta(hours=number), 1000 + 500 * number, 1200 + 500 * number)
        for number, id_tag in enumerate(id_tags)
    ]
    street.world.advance(3 * 3600)
    street.reconnect()
    return charges


def block(street: Street, id_tag: str) -> None:
    card = drivers.require_card(street.world.ctx, id_tag)
    street.world.commit(lambda uow: drivers.change_card(uow, card, {"status": "blocked"}))


def orphans(street: Street) -> list[dict[str, Any]]:
    """As the operator sees them."""
    token = street.world.access_token(street.site.operator.user.email)
    reply = street.world.rest.get("/v1/orphan-stops", token=token)
    assert reply.status == 200, reply.body
    found: list[dict[str, Any]] = reply.body["data"]
    return found


@pytest.mark.parametrize("times", [1, 2], ids=["once", "the queue comes twice"])
def test_two_queued_charges_of_a_known_card(street: Street, times: int) -> None:
    charges = offline(street, CARD, CARD)
    for _ in range(times):
        assert replay(street, charges) == ["Accepted", "Accepted"]
    sessions = street.site.sessions()
    assert [(s.state, s.energy_wh, s.captured) for s in sessions] == [("settled", 200, 7)] * 2
    assert [(s.started_at, s.stopped_at) for s in sessions] == [(c.began, c.ended) for c in charges]
    assert street.site.income() == 14
    assert orphans(street) == []


@pytest.mark.parametrize("times", [1, 2], ids=["once", "the queue comes twice"])
def test_a_queued_charge_of_a_stranger_is_recorded_and_paid_by_nobody(street: Street, times: int) -> None:
    charges = offline(street, STRANGER, CARD)
    for _ in range(times):
        assert replay(street, charges) == ["Invalid", "Accepted"]
    assert [(s.id_token, s.energy_wh, s.captured) for s in street.site.sessions()] == [
        (STRANGER, 200, 0),
        (CARD, 200, 7),
    ]
    assert street.site.lines() == PAID_SEVEN


def test_a_queued_charge_of_a_card_that_was_blocked_is_paid_by_its_driver(street: Street) -> None:
    """The energy flowed. The charger hears that the card is blocked; who used it has to pay."""
    charges = offline(street, CARD)
    block(street, CARD)
    assert replay(street, charges) == ["Blocked"]
    [session] = street.site.sessions()
    assert (session.state, session.authorization, session.captured) == ("settled", "blocked", 7)


def test_the_starts_come_first_and_the_stops_behind(street: Street) -> None:
    """A charger that empties its memory by kind of message: the second start ends the first charge, whose stop then
    tells what it delivered, and corrects its bill."""
    first, second = offline(street, CARD, CARD)
    ids = [
        street.call("StartTransaction", street.start_frame(c.id_tag, c.begin_wh, at=c.began))["transactionId"]
        for c in (first, second)
    ]
    for number, charge in zip(ids, (first, second), strict=True):
        street.call("StopTransaction", street.stop_frame(number, charge.end_wh, at=charge.ended))
    assert street.states() == ["abnormal", "settled"]
    lost, settled = street.site.sessions()
    assert (lost.abnormal_cause, settled.energy_wh) == ("stop_missing", 200)
    assert (lost.energy_wh, lost.cost) == (200, 7)
    assert orphans(street) == []
    # The second charge held all there was: the operator takes the rest with the resolution.
    assert (lost.captured, settled.captured) == (0, 7)


def test_the_connection_breaks_in_the_charge_and_the_stop_is_queued(street: Street) -> None:
    started = street.call("StartTransaction", street.start_frame())
    street.call("MeterValues", street.meter_frame(started["transactionId"], 1100))
    ended = street.world.clock.now() + timedelta(minutes=20)
    street.wire.close()
    street.world.advance(5 * 3600)
    street.reconnect()
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 1200, at=ended))
    [session] = street.site.sessions()
    assert (session.state, session.stopped_at) == ("settled", ended)
    assert street.site.lines() == PAID_SEVEN


def test_meter_values_without_a_transaction_are_those_of_the_connector(street: Street) -> None:
    started = street.call("StartTransaction", street.start_frame())
    frame = street.meter_frame(0, 1150)
    del frame["transactionId"]
    street.call("MeterValues", frame)
    # The stop is lost, the next start tells it: the last reading is what can be billed.
    street.call("StartTransaction", street.start_frame(meter_wh=1400))
    lost, _ = street.site.sessions()
    assert lost.transaction_id == started["transactionId"]
    assert (lost.state, lost.energy_wh, lost.abnormal_cause) == ("abnormal", 150, "stop_missing")


def test_a_meter_that_runs_back_and_forth_is_billed_by_its_ends(street: Street) -> None:
    started = street.call("StartTransaction", street.start_frame(meter_wh=1000))
    for register in (1100, 50, 1150):
        street.call("MeterValues", street.meter_frame(started["transactionId"], register))
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 1200))
    [session] = street.site.sessions()
    assert (session.energy_wh, session.abnormal_cause) == (200, None)


@pytest.mark.parametrize("wrong_id", [0, -1, 987_654_321])
def test_a_stop_of_nothing_is_listed_for_the_operator(street: Street, wrong_id: int) -> None:
    frame = street.stop_frame(wrong_id, 1200)
    for _ in range(2):
        assert street.call("StopTransaction", frame) == {}
    [orphan] = orphans(street)
    assert (orphan["transaction_id"], orphan["meter_stop_wh"]) == (str(wrong_id), 1200)
    assert (orphan["charger_id"], orphan["cause"]) == (street.wire.charger_id, "unknown_transaction")
    stranger = street.world.operator("Somebody else").access_token
    assert street.world.rest.get("/v1/orphan-stops", token=stranger).body["data"] == []


@pytest.fixture
def told_not_to(street: Street) -> Any:
    """A stranger's charge that goes on although the charger was told Invalid."""
    started = street.call("StartTransaction", street.start_frame(STRANGER))
    assert started["idTagInfo"]["status"] == "Invalid"
    return started["transactionId"]


def test_a_charger_that_goes_on_although_it_was_told_invalid_is_stopped_once(street: Street, told_not_to: int) -> None:
    street.call("MeterValues", street.meter_frame(told_not_to, 1000))
    assert street.wire.commands() == []
    street.call("MeterValues", street.meter_frame(told_not_to, 1100))
    [command] = street.wire.commands()
    assert command[2:] == ["RemoteStopTransaction", {"transactionId": told_not_to}]
    street.wire.reply(command, {"status": "Rejected"})
    street.call("MeterValues", street.meter_frame(told_not_to, 1200))
    assert street.wire.commands() == []
    street.call("StopTransaction", street.stop_frame(told_not_to, 1300))
    [session] = street.site.sessions()
    assert (session.state, session.energy_wh, session.captured) == ("settled", 300, 0)


def test_the_card_that_began_may_be_asked_about_again(street: Street) -> None:
    """To end the charge some chargers ask first; all the money is reserved by then."""
    street.call("StartTransaction", street.start_frame())
    assert street.site.available() == 0
    assert street.call("Authorize", {"idTag": CARD})["idTagInfo"]["status"] == "Accepted"


def test_a_new_socket_in_the_middle_of_a_stop(street: Street) -> None:
    """The command was sent over the old socket; whether it was heard is unknown. The charge ends by the charger."""
    session = street.site.request(500)
    [command] = street.wire.commands()
    street.wire.reply(command, {"status": "Accepted"})
    started = street.call("StartTransaction", street.start_frame(command[3]["idTag"]))
    token = street.world.driver_token(street.site.driver.driver_id)
    reply = street.world.rest.post(f"/v1/driver/sessions/{session.session_id}/stop", token=token, key="stop-1")
    assert reply.status == 202, reply.body
    [stop] = street.wire.commands()
    old = street.reconnect()
    street.call("MeterValues", street.meter_frame(started["transactionId"], 1100))
    street.wire.reply(stop, {"status": "Accepted"})
    old.close()
    street.call("StopTransaction", street.stop_frame(started["transactionId"], 1200))
    [ended] = street.site.sessions()
    assert (ended.state, ended.energy_wh, ended.captured) == ("settled", 200, 7)


# -- a driver who watches, wishes, and reserves -----------------------------------------------------------------------


def test_who_watches_gets_fresh_values(street: Street) -> None:
    session = street.site.request(500)
    [command] = street.wire.commands()
    street.wire.reply(command, {"status": "Accepted"})
    started = street.call("StartTransaction", street.start_frame(command[3]["idTag"]))
    street.call("MeterValues", street.meter_frame(started["transactionId"], 1100))
    token = street.world.driver_token(street.site.driver.driver_id)

    def look() -> Any:
        reply = street.world.rest.get(f"/v1/driver/sessions/{session.session_id}", token=token)
        assert reply.status == 200, reply.body
        return reply.body

    assert look()["energy_wh"] == 100
    assert street.wire.commands() == []
    street.world.advance(25)
    assert look()["energy_wh"] == 100
    [trigger] = street.wire.commands()
    assert trigger[2:] == ["TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}]
    street.wire.reply(trigger, {"status": "Accepted"})
    street.call("MeterValues", street.meter_frame(started["transactionId"], 1150))
    shown = look()
    assert (shown["energy_wh"], shown["transaction_id"]) == (150, str(started["transactionId"]))
    assert street.wire.commands() == []


def test_a_wish_of_the_driver_ends_the_charge(street: Street) -> None:
    token = street.world.driver_token(street.site.driver.driver_id)
    body = {"charger_id": street.wire.charger_id, "evse_no": 1, "limits": {"energy_wh": 150}}
    reply = street.world.rest.post("/v1/driver/sessions", body, token=token, key="start-1")
    assert reply.status == 201, reply.body
    assert reply.body["limits"] == {"energy_wh": 150, "duration_s": None, "soc_percent": None}
    [command] = street.wire.commands()
    street.wire.reply(command, {"status": "Accepted"})
    started = street.call("StartTransaction", street.start_frame(command[3]["idTag"]))
    street.call("MeterValues", street.meter_frame(started["transactionId"], 1149))
    assert street.wire.commands() == []
    street.call("MeterValues", street.meter_frame(started["transactionId"], 1150))
    [stop] = street.wire.commands()
    assert stop[2:] == ["RemoteStopTransaction", {"transactionId": started["transactionId"]}]


def test_a_connector_that_a_driver_reserved(street: Street) -> None:
    token = street.world.driver_token(street.site.driver.driver_id)
    until = street.world.clock.now() + timedelta(hours=1)
    body = {"charger_id": street.wire.charger_id, "evse_no": 1, "expires_at": until.isoformat()}
    reply = street.world.rest.post("/v1/driver/reservations", body, token=token, key="reserve-1")
    assert reply.status == 201, reply.body
    path = f"/v1/driver/reservations/{reply.body['reservation_id']}"
    [command] = street.wire.commands()
    assert command[2] == "ReserveNow"
    assert command[3]["reservationId"] == reply.body["number"]
    street.wire.reply(command, {"status": "Accepted"})
    assert street.world.rest.get(path, token=token).body["state"] == "active"
    listed = street.world.rest.get("/v1/reservations", token=street.site.operator.access_token).body["data"]
    assert [line["reservation_id"] for line in listed] == [reply.body["reservation_id"]]

    session = street.site.request(500)
    [command] = street.wire.commands()
    street.wire.reply(command, {"status": "Accepted"})
    frame = street.start_frame(command[3]["idTag"], reservationId=reply.body["number"])
    assert street.call("StartTransaction", frame)["idTagInfo"]["status"] == "Accepted"
    used = street.world.rest.get(path, token=token).body
    assert (used["state"], used["session_id"]) == ("used", session.session_id)


def test_a_reservation_that_is_called_off(street: Street) -> None:
    operator = street.site.operator.access_token
    until = (street.world.clock.now() + timedelta(hours=1)).isoformat()
    body = {"charger_id": street.wire.charger_id, "evse_no": 1, "id_token": CARD, "expires_at": until}
    created = street.world.rest.post("/v1/reservations", body, token=operator, key="reserve-1")
    assert created.status == 201, created.body
    [command] = street.wire.commands()
    street.wire.reply(command, {"status": "Accepted"})
    path = f"/v1/reservations/{created.body['reservation_id']}"
    assert street.world.rest.delete(path, token=operator).body["state"] == "cancelling"
    [command] = street.wire.commands()
    assert command[2:] == ["CancelReservation", {"reservationId": created.body["number"]}]
    street.wire.reply(command, {"status": "Accepted"})
    assert street.world.rest.get(path, token=operator).body["state"] == "cancelled"
