"""Reservation: a connector is kept for somebody, used, lost, or given back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.clock import to_rfc3339
from tests.contract.ocpp import people
from tests.contract.ocpp.octt16.scripted import CARD, ScriptedCharger

KEPT_FOR = timedelta(minutes=10)


@dataclass
class Reserved:
    """A reservation that the operator made, and the CALL that reached the charger for it."""

    charger: ScriptedCharger
    reservation_id: str
    call: list[Any]

    @property
    def number(self) -> int:
        return int(self.call[3]["reservationId"])

    def reply(self, status: str) -> str:
        """The charger answers; gives the state of the reservation."""
        self.charger.wire.reply(self.call, {"status": status})
        return self.state()

    def view(self) -> Any:
        return self.charger.read(f"/v1/reservations/{self.reservation_id}")

    def state(self) -> str:
        return str(self.view()["state"])

    def cancel(self) -> list[Any]:
        """The operator gives it up; gives the CALL."""
        path = f"/v1/reservations/{self.reservation_id}"
        reply = self.charger.world.rest.delete(path, token=self.charger.operator.access_token)
        assert reply.status == 202, reply.body
        [call] = self.charger.received()
        assert call[2:] == ["CancelReservation", {"reservationId": self.number}]
        return call


def reserve(charger: ScriptedCharger, evse_no: int = 1, **more: Any) -> Reserved:
    """The operator keeps a connector for CARD, for ten minutes."""
    until = to_rfc3339(charger.world.ctx.now() + KEPT_FOR)
    order = {"charger_id": "WIRE-1", "evse_no": evse_no, "id_token": CARD, "expires_at": until, **more}
    reply = charger.world.rest.post("/v1/reservations", order, token=charger.operator.access_token, key="once")
    assert reply.status == 201, reply.body
    [call] = charger.received()
    assert call[2] == "ReserveNow"
    said = {name: call[3][name] for name in ("connectorId", "idTag", "expiryDate")}
    assert said == {"connectorId": evse_no, "idTag": CARD, "expiryDate": until}
    return Reserved(charger, reply.body["reservation_id"], call)


def refuse(charger: ScriptedCharger, status: str) -> None:
    """Nothing is kept, and the operator sees the charger's word."""
    reserved = reserve(charger)
    assert reserved.reply(status) == "refused"
    assert reserved.view()["detail"] == status


def test_tc_046_csms(charger: ScriptedCharger) -> None:
    """A reserved connector is used by whom it was kept for: the start names the reservation, which is then used."""
    reserved = reserve(charger)
    assert reserved.reply("Accepted") == "active"
    charger.status("Reserved")
    assert charger.authorize() == "Accepted"
    charger.status("Preparing")
    transaction_id = charger.start_accepted(reservationId=reserved.number)
    charger.status("Charging")
    assert reserved.state() == "used"
    charger.stop(transaction_id, reason="Local", idTag=CARD)
    assert reserved.view()["session_id"] == charger.sessions()[0].session_id


def test_tc_047_csms(charger: ScriptedCharger) -> None:
    """Nobody comes: when the time is over the connector is free again, and the reservation has expired."""
    reserved = reserve(charger)
    assert reserved.reply("Accepted") == "active"
    charger.status("Reserved")
    charger.world.advance(KEPT_FOR.total_seconds())
    charger.status("Available")
    assert reserved.state() == "expired"
    assert charger.evse().status == "Available"


def test_tc_048_1_csms(charger: ScriptedCharger) -> None:
    """The connector is broken."""
    refuse(charger, "Faulted")


def test_tc_048_2_csms(charger: ScriptedCharger) -> None:
    """Somebody is there already."""
    refuse(charger, "Occupied")


def test_tc_048_3_csms(charger: ScriptedCharger) -> None:
    """The connector is out of service."""
    refuse(charger, "Unavailable")


def test_tc_048_4_csms(charger: ScriptedCharger) -> None:
    """The charger takes no reservations."""
    refuse(charger, "Rejected")


def test_tc_049_csms(charger: ScriptedCharger) -> None:
    """Any connector of the charger is kept (connector 0); whichever is used, it is this reservation."""
    reserved = reserve(charger, evse_no=0)
    assert reserved.reply("Accepted") == "active"
    charger.start_accepted(connectorId=2, reservationId=reserved.number)
    assert reserved.state() == "used"


def test_tc_051_csms(charger: ScriptedCharger) -> None:
    """The operator gives a reservation up: the charger agrees, and the connector is free."""
    reserved = reserve(charger)
    assert reserved.reply("Accepted") == "active"
    charger.status("Reserved")
    charger.wire.reply(reserved.cancel(), {"status": "Accepted"})
    charger.status("Available")
    assert reserved.state() == "cancelled"


def test_tc_052_csms(charger: ScriptedCharger) -> None:
    """A reservation that the charger does not know cannot be cancelled there."""
    assert charger.ask("CancelReservation", {"reservationId": 4711}).reply({"status": "Rejected"}) == "rejected"


def test_tc_053_csms(charger: ScriptedCharger) -> None:
    """A connector kept for a family: another card of the same group is accepted, is told its group, and starts."""
    people.driver(charger.world, charger.operator, cents=1000, card="CARD-2", group_id="FAMILY")
    reserved = reserve(charger, group_id="FAMILY")
    assert reserved.call[3]["parentIdTag"] == "FAMILY"
    assert reserved.reply("Accepted") == "active"
    info = charger.call("Authorize", {"idTag": "CARD-2"})["idTagInfo"]
    assert info == {"status": "Accepted", "parentIdTag": "FAMILY"}
    charger.start_accepted("CARD-2", reservationId=reserved.number)
    assert reserved.state() == "used"


@pytest.mark.parametrize("number", [0, -1])
def test_a_start_without_a_reservation_uses_none(charger: ScriptedCharger, number: int) -> None:
    """There are chargers that fill the field in always."""
    reserved = reserve(charger)
    reserved.reply("Accepted")
    charger.start_accepted(connectorId=2, reservationId=number)
    assert reserved.state() == "active"


def test_a_reservation_that_an_operator_cancels_by_hand_is_over(charger: ScriptedCharger) -> None:
    """By the raw command, past the reservation's own endpoint."""
    reserved = reserve(charger)
    reserved.reply("Accepted")
    asked = charger.ask("CancelReservation", {"reservationId": reserved.number})
    assert asked.reply({"status": "Accepted"}) == "accepted"
    assert reserved.state() == "cancelled"


def test_a_reservation_by_hand_is_the_charger_s_alone(charger: ScriptedCharger) -> None:
    """It has a number of the operator's own, and the command shows what the charger said."""
    until = "2026-03-02T09:00:00Z"
    payload = {"connectorId": 1, "expiryDate": until, "idTag": CARD, "reservationId": 17}
    assert charger.ask("ReserveNow", payload).reply({"status": "Occupied"}) == "rejected"
    charger.start_accepted(reservationId=17)
