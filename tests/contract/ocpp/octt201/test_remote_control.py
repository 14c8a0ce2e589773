"""Block F: started, stopped, unlocked and triggered from afar."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.octt201.station import Station, Transaction, reading


def remotely_started(station: Station, asked: Asked, transaction: Transaction, *, cable_first: bool) -> None:
    """The transaction of a remote start, to its end. The station names the start's number at the first chance."""
    transaction.remote_start_id = asked.payload["remoteStartId"]
    token = asked.payload["idToken"]
    payload = {"idToken": token}
    if cable_first:
        answer = transaction.updated("RemoteStart", "EVConnected", **payload)
    else:
        answer = transaction.started("RemoteStart", "Idle", **payload)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    if not cable_first:
        station.status("Occupied")
        transaction.updated("CablePluggedIn", "EVConnected")
    transaction.energised()
    transaction.ended("EVCommunicationLost", "EVDisconnected")
    assert station.sold()
    assert [session.state for session in station.sessions()] == ["settled"]


def test_tc_f_01_the_cable_first(station: Station) -> None:
    """The car is plugged in, the driver starts by phone: the transaction that the cable began is the driver's."""
    station.status("Occupied")
    transaction = station.transaction()
    transaction.started("CablePluggedIn", "EVConnected")
    asked = station.request()
    assert asked.action == "RequestStartTransaction"
    assert asked.reply({"status": "Accepted", "transactionId": transaction.transaction_id}) == "accepted"
    remotely_started(station, asked, transaction, cable_first=True)


def test_tc_f_02_the_phone_first_and_the_station_asks(station: Station) -> None:
    """The driver starts by phone; the station asks whether it may (Authorize), and may."""
    asked = station.request()
    assert asked.reply() == "accepted"
    answer = station.call("Authorize", {"idToken": asked.payload["idToken"]})
    assert answer["idTokenInfo"]["status"] == "Accepted"
    remotely_started(station, asked, station.transaction(), cable_first=False)


def test_tc_f_03_the_phone_first(station: Station) -> None:
    """As TC_F_02 without the question."""
    asked = station.request()
    assert asked.reply() == "accepted"
    remotely_started(station, asked, station.transaction(), cable_first=False)


def test_tc_f_04_the_phone_first_and_no_cable(station: Station) -> None:
    """Nobody plugs in: the station gives up, and nothing is kept from the driver."""
    asked = station.request()
    assert asked.reply() == "accepted"
    transaction = station.transaction(remote_start_id=asked.payload["remoteStartId"])
    transaction.started("RemoteStart", "Idle", idToken=asked.payload["idToken"])
    transaction.ended("EVConnectTimeout", "Timeout", "Idle", wh=0)
    assert station.cents() == 1000


def test_tc_f_06_a_connector_is_unlocked(station: Station) -> None:
    """UnlockConnector without a transaction."""
    assert station.ask("UnlockConnector", {"evseId": 1, "connectorId": 1}).reply("Unlocked") == "accepted"


def meter_values(station: Station, evse_no: int, context: str) -> None:
    payload = {"evseId": evse_no, "meterValue": [reading(1000, context, station.now())]}
    assert station.call("MeterValues", payload) == {}


EVSE: Final = {"evse": {"id": 1}}
CONNECTOR: Final = {"evse": {"id": 1, "connectorId": 1}}
TRIGGERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "TC_F_11": ("MeterValues", EVSE),
    "TC_F_12": ("MeterValues", {}),
    "TC_F_13": ("TransactionEvent", EVSE),
    "TC_F_14": ("TransactionEvent", {}),
    "TC_F_15": ("LogStatusNotification", {}),
    "TC_F_18": ("FirmwareStatusNotification", {}),
    "TC_F_20": ("Heartbeat", {}),
    "TC_F_23": ("StatusNotification", CONNECTOR),
    "TC_F_24": ("StatusNotification", CONNECTOR),
}


@pytest.mark.parametrize("case", TRIGGERS)
def test_a_message_is_triggered(station: Station, case: str) -> None:
    """The station is asked for a message, of one place or of all, and sends it: each is answered."""
    message, place = TRIGGERS[case]
    transactions = []
    if message == "TransactionEvent":
        transactions.append(station.transaction().charging())
        if not place:
            transactions.append(station.transaction(evse_no=2).charging(station.card("04CCCCCC")))
    assert station.obeys("TriggerMessage", {"requestedMessage": message, **place})
    for evse_no in (1,) if place else (1, 2):
        if message == "MeterValues":
            meter_values(station, evse_no, "Trigger")
    for transaction in transactions:
        transaction.updated("Trigger", "Charging", wh=1100, context="Trigger")
    if message == "StatusNotification":
        status = "Occupied" if case == "TC_F_24" else "Available"
        station.status(status)
        assert station.evse().status == status
    elif message.endswith("StatusNotification"):
        assert station.call(message, {"status": "Idle"}) == {}
    elif message == "Heartbeat":
        assert "currentTime" in station.call("Heartbeat", {})


def test_tc_f_27_a_message_that_it_does_not_have(station: Station) -> None:
    """TriggerMessage answered NotImplemented: seen as rejected."""
    assert station.ask("TriggerMessage", {"requestedMessage": "MeterValues"}).reply("NotImplemented") == "rejected"
