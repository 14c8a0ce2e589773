"""Block E: transactions, told in pieces. However a station starts and stops them, what was delivered is paid once."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.octt201.station import BEGIN_WH, CARD, END_WH, Station

Step = tuple[str, str, str | None, dict[str, Any]]
"""Event type, trigger, charging state, the rest."""

WITH_CARD: Final = {"token": CARD}
PLUG: Final[Step] = ("Started", "CablePluggedIn", "EVConnected", {})
PRESENT: Final[Step] = ("Updated", "Authorized", "EVConnected", WITH_CARD)

STARTS: Final[dict[str, list[Step]]] = {
    "TC_E_01": [("Started", "CablePluggedIn", "EVConnected", WITH_CARD)],
    "TC_E_02": [("Started", "ChargingStateChanged", "Charging", WITH_CARD)],
    "TC_E_03": [PLUG, PRESENT],
    "TC_E_04": [("Started", "Authorized", None, WITH_CARD), ("Updated", "CablePluggedIn", "EVConnected", {})],
    "TC_E_09": [PLUG],
    "TC_E_10": [("Started", "Authorized", "Idle", WITH_CARD)],
    "TC_E_11": [("Started", "SignedDataReceived", "EVConnected", WITH_CARD)],
    "TC_E_12": [("Started", "EVDetected", "Idle", {}), ("Updated", "CablePluggedIn", "EVConnected", {})],
    "TC_E_38": [PLUG, PRESENT, ("Updated", "ChargingStateChanged", "SuspendedEV", {})],
}

LAST: Final = {"wh": END_WH, "context": "Transaction.End"}


def last(trigger: str, reason: str, state: str = "Idle", **more: Any) -> Step:
    return ("Ended", trigger, state, {"reason": reason, **LAST, **more})


BY_CARD: Final[Step] = ("Updated", "StopAuthorized", "EVConnected", WITH_CARD)
UNPLUG: Final[Step] = ("Updated", "EVCommunicationLost", "Idle", {})

STOPS: Final[dict[str, list[Step]]] = {
    "TC_E_07": [last("StopAuthorized", "Local", "EVConnected", token=CARD)],
    "TC_E_08": [last("ChargingStateChanged", "Local", "EVConnected", token=CARD)],
    "TC_E_14": [BY_CARD, ("Updated", "ChargingStateChanged", "EVConnected", {}), last("EVCommunicationLost", "Local")],
    "TC_E_15": [last("StopAuthorized", "Local", "EVConnected", token=CARD)],
    "TC_E_17": [last("EVCommunicationLost", "EVDisconnected")],
    "TC_E_19": [BY_CARD, UNPLUG, last("EVDeparted", "Local")],
    "TC_E_20": [last("EVCommunicationLost", "EVDisconnected")],
    "TC_E_22": [last("ChargingStateChanged", "StoppedByEV", "SuspendedEV")],
    "TC_E_26": [
        ("Updated", "EVCommunicationLost", "SuspendedEVSE", {}),
        ("Updated", "CablePluggedIn", "EVConnected", {}),
        ("Updated", "ChargingStateChanged", "Charging", {}),
        BY_CARD,
        last("EVCommunicationLost", "Local"),
    ],
}


@pytest.mark.parametrize("case", STARTS)
def test_a_transaction_starts_where_the_station_is_set_to_start_it(station: Station, case: str) -> None:
    """Whatever makes the station begin (cable, card, power path, a car in the bay): who presents a card is accepted,
    and the delivery is sold once."""
    assert station.authorize()["status"] == "Accepted"
    station.status("Occupied")
    transaction = station.transaction()
    steps = [*STARTS[case]]
    if not any("token" in step[3] for step in steps):
        steps.append(PRESENT)
    for kind, trigger, state, rest in steps:
        answer = transaction.event(kind, trigger, state, **rest)
        assert ("idTokenInfo" in answer) == ("token" in rest)
        assert answer.get("idTokenInfo", {"status": "Accepted"})["status"] == "Accepted"
    transaction.energised()
    transaction.finished()
    assert station.sold()


@pytest.mark.parametrize("case", STOPS)
def test_a_transaction_stops_where_the_station_is_set_to_stop_it(station: Station, case: str) -> None:
    """Whatever makes the station end it (card, cable, the car, an empty bay): all events are answered, and what was
    delivered until the last one is sold."""
    transaction = station.transaction().charging()
    for kind, trigger, state, rest in STOPS[case]:
        assert not station.sold()
        transaction.event(kind, trigger, state, **rest)
    station.status("Available")
    assert station.sold()


def test_tc_e_16_a_card_that_nobody_knows(station: Station) -> None:
    """The cable starts the transaction, the card is not ours: it is told so, the station ends, nobody pays."""
    transaction = station.transaction()
    transaction.started("CablePluggedIn", "EVConnected")
    answer = transaction.updated("Authorized", "EVConnected", token="DEADBEEF")
    assert answer["idTokenInfo"]["status"] in ("Invalid", "Unknown")
    assert transaction.ended("Deauthorized", "DeAuthorized", "EVConnected", wh=BEGIN_WH) is not None
    assert station.cents() == 1000


def test_tc_e_39_nobody_plugs_in(station: Station) -> None:
    """A card starts the transaction, no cable comes, the station gives up: nothing is kept from the driver."""
    transaction = station.transaction()
    assert transaction.started("Authorized", "Idle", token=CARD)["idTokenInfo"]["status"] == "Accepted"
    transaction.ended("EVConnectTimeout", "Timeout", "Idle", wh=BEGIN_WH)
    assert station.cents() == 1000
    assert station.authorize()["status"] == "Accepted"


def test_tc_e_21_the_operator_stops_it(station: Station) -> None:
    """The operator ends the session: RequestStopTransaction names the transaction as the station does; it is sold."""
    transaction = station.transaction().charging()
    [session] = station.sessions()
    assert station.write(f"/v1/sessions/{session.session_id}/stop", {}).status in (200, 202)
    [asked] = station.received()
    assert (asked.action, asked.payload) == (
        "RequestStopTransaction",
        {"transactionId": transaction.transaction_id},
    )
    assert asked.reply() == "accepted"
    transaction.updated("RemoteStop", "EVConnected")
    transaction.ended("EVCommunicationLost", "Remote")
    assert station.sold()


def test_tc_e_29_ongoing_with_messages_waiting(station: Station) -> None:
    """After an interruption the operator asks how the transaction stands: it goes on, and older events follow."""
    transaction = station.transaction().charging()
    station.wire.close()
    station.connect()
    transaction.updated("MeterValuePeriodic", "Charging", wh=1100)
    asked = station.ask("GetTransactionStatus", {"transactionId": transaction.transaction_id})
    assert asked.reply({"ongoingIndicator": True, "messagesInQueue": True}) == "accepted"
    transaction.updated("MeterValuePeriodic", "Charging", wh=1050, offline=True)
    transaction.finished()
    assert station.sold()


def test_tc_e_30_ongoing_with_nothing_waiting(station: Station) -> None:
    """As TC_E_29, and the station has nothing to send."""
    transaction = station.transaction().charging()
    asked = station.ask("GetTransactionStatus", {"transactionId": transaction.transaction_id})
    assert asked.reply({"ongoingIndicator": True, "messagesInQueue": False}) == "accepted"


def test_tc_e_31_ended_with_messages_waiting(station: Station) -> None:
    """The end arrives before two older events. They are answered when they come, and change nothing of the bill."""
    transaction = station.transaction().charging()
    station.wire.close()
    station.connect()
    late = transaction.seq_no
    transaction.seq_no += 2
    transaction.ended("EVCommunicationLost", "EVDisconnected", "Idle", offline=True)
    station.status("Available")
    asked = station.ask("GetTransactionStatus", {"transactionId": transaction.transaction_id})
    assert asked.reply({"ongoingIndicator": False, "messagesInQueue": True}) == "accepted"
    transaction.seq_no = late
    transaction.updated("MeterValuePeriodic", "Charging", wh=1050, offline=True)
    transaction.updated("MeterValuePeriodic", "Charging", wh=1150, offline=True)
    assert station.sold()


def test_tc_e_33_any_messages_waiting(station: Station) -> None:
    """Asked without a transaction, the station says that it has messages waiting; they come."""
    transaction = station.transaction().charging()
    asked = station.ask("GetTransactionStatus")
    assert "transactionId" not in asked.payload
    assert asked.reply({"messagesInQueue": True}) == "accepted"
    transaction.updated("MeterValuePeriodic", "Charging", wh=1050, offline=True)
    transaction.finished()
    assert station.sold()


def test_tc_e_34_no_messages_waiting(station: Station) -> None:
    """As TC_E_33, and there are none."""
    assert station.ask("GetTransactionStatus").reply({"messagesInQueue": False}) == "accepted"


def test_tc_e_53_the_next_one_counts_from_zero_again(station: Station) -> None:
    """Two deliveries, each with events numbered from 0: two are sold."""
    for sold in (1, 2):
        transaction = station.transaction().charging()
        assert transaction.seq_no > 0
        transaction.finished()
        assert station.cents() == 1000 - 7 * sold
        station.world.advance(60)
