"""Block H: an EVSE is kept for somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.octt201.station import CARD, STATION, Station, Transaction, id_token

GROUP: Final = "FLEET-1"


@dataclass
class Reserved:
    """A reservation that the operator made, and the command that the station received for it."""

    station: Station
    reservation_id: str
    asked: Asked

    @property
    def number(self) -> int:
        return int(self.asked.payload["id"])

    def state(self) -> str:
        """As the operator sees it."""
        return str(self.station.read(f"/v1/reservations/{self.reservation_id}")["state"])

    def ended(self, why: str) -> None:
        """The station says that it keeps the place no more."""
        told = {"reservationId": self.number, "reservationUpdateStatus": why}
        assert self.station.call("ReservationStatusUpdate", told) == {}


def reserve(station: Station, evse_no: int = 1, **facts: Any) -> Reserved:
    """For CARD, for ten minutes."""
    order = {"charger_id": STATION, "id_token": CARD, "evse_no": evse_no, "expires_at": station.now(600), **facts}
    reply = station.write("/v1/reservations", order)
    assert reply.status == 201, reply.body
    [asked] = station.received()
    assert asked.action == "ReserveNow"
    assert asked.payload["idToken"] == id_token(order["id_token"])
    assert asked.payload["expiryDateTime"] == order["expires_at"]
    assert asked.payload.get("evseId", 0) == evse_no
    return Reserved(station, reply.body["reservation_id"], asked)


def kept(station: Station, evse_no: int = 1, **facts: Any) -> Reserved:
    """The station keeps the place."""
    reserved = reserve(station, evse_no, **facts)
    assert reserved.asked.reply() == "accepted"
    assert reserved.state() == "active"
    station.status("Reserved")
    return reserved


def use(station: Station, reserved: Reserved, card: str = CARD) -> Transaction:
    """Somebody charges there; the station names the reservation."""
    assert station.authorize(card)["status"] == "Accepted"
    transaction = station.transaction()
    answer = transaction.started("Authorized", "EVConnected", token=card, reservationId=reserved.number)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    assert reserved.state() == "used"
    transaction.energised()
    return transaction


PLACES: Final[dict[str, dict[str, Any]]] = {
    "TC_H_01": {"evse_no": 1},
    "TC_H_08": {"evse_no": 0},
    "TC_H_15": {"evse_no": 0, "connector_type": "cType2"},
}


@pytest.mark.parametrize("case", PLACES)
def test_a_place_is_reserved_and_used(station: Station, case: str) -> None:
    """One EVSE, any EVSE, or any with this kind of connector; the card it is kept for charges there."""
    reserved = kept(station, **PLACES[case])
    assert reserved.asked.payload.get("connectorType") == PLACES[case].get("connector_type")
    use(station, reserved).finished()
    assert station.sold()


def test_tc_h_07_nobody_comes(station: Station) -> None:
    """The reservation ends unused: the station says so, and the EVSE is free for the next one."""
    reserved = kept(station)
    station.world.advance(601)
    reserved.ended("Expired")
    station.status("Available")
    assert reserved.state() == "expired"
    assert reserve(station).asked.reply() == "accepted"


def test_tc_h_14_as_many_as_there_are(station: Station) -> None:
    """Two reservations without an EVSE at a station of two: the operator sends both, and both EVSEs are kept."""
    for number in (1, 2):
        payload = {"id": number, "expiryDateTime": station.now(600), "idToken": id_token()}
        asked = station.ask("ReserveNow", payload)
        assert asked.payload == payload
        assert asked.reply() == "accepted"
        station.status("Reserved", number)
    assert [station.evse(evse_no).status for evse_no in (1, 2)] == ["Reserved", "Reserved"]


def test_tc_h_17_called_off(station: Station) -> None:
    """The operator lets the place go: CancelReservation has the number of the reservation."""
    reserved = kept(station)
    path = f"/v1/reservations/{reserved.reservation_id}"
    assert station.world.rest.delete(path, token=station.operator.access_token).status == 202
    assert reserved.state() == "cancelling"
    [asked] = station.received()
    assert (asked.action, asked.payload) == ("CancelReservation", {"reservationId": reserved.number})
    assert asked.reply() == "accepted"
    assert reserved.state() == "cancelled"


def test_tc_h_19_used_by_another_of_the_group(station: Station) -> None:
    """Kept for a card and its group; another card of the group is answered with that group, and charges."""
    mate = station.grouped_card("04D5E6F7", GROUP)
    reserved = kept(station, group_id=GROUP)
    assert reserved.asked.payload["groupIdToken"] == id_token(GROUP, "Central")
    assert station.authorize(mate)["groupIdToken"]["idToken"] == GROUP
    use(station, reserved, mate).finished()
    assert [session.state for session in station.sessions()] == ["settled"]


def test_tc_h_20_the_place_breaks(station: Station) -> None:
    """The reserved EVSE fails: the station removes the reservation and says so."""
    reserved = kept(station)
    station.status("Faulted")
    reserved.ended("Removed")
    assert reserved.state() == "cancelled"
    assert station.evse().status == "Faulted"


def test_tc_h_22_not_taken(station: Station) -> None:
    """A station that takes no reservations rejects it; the operator sees that nothing is kept."""
    reserved = reserve(station)
    assert reserved.asked.reply("Rejected") == "rejected"
    assert reserved.state() == "refused"


def test_a_reservation_that_an_operator_cancels_by_hand_is_over(station: Station) -> None:
    """By the raw command, past the reservation's own endpoint."""
    reserved = kept(station)
    assert station.ask("CancelReservation", {"reservationId": reserved.number}).reply() == "accepted"
    assert reserved.state() == "cancelled"
