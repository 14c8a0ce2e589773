"""Block G: taken out of service and put back."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.octt201.station import Station

EVSE: Final[dict[str, Any]] = {"evse": {"id": 1}}
CONNECTOR: Final[dict[str, Any]] = {"evse": {"id": 1, "connectorId": 1}}

CHANGES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "TC_G_03": (EVSE, "Inoperative"),
    "TC_G_04": (EVSE, "Operative"),
    "TC_G_05": ({}, "Inoperative"),
    "TC_G_06": ({}, "Operative"),
    "TC_G_07": (CONNECTOR, "Inoperative"),
    "TC_G_08": (CONNECTOR, "Operative"),
}
WHILE_CHARGING: Final[dict[str, dict[str, Any]]] = {"TC_G_11": EVSE, "TC_G_14": {}, "TC_G_17": CONNECTOR}


def report(station: Station, place: dict[str, Any], status: str) -> None:
    for evse_no in (1,) if place else (1, 2):
        station.status(status, evse_no)
        assert station.evse(evse_no).status == status


@pytest.mark.parametrize("case", CHANGES)
def test_a_place_is_taken_out_of_service_or_put_back(station: Station, case: str) -> None:
    """A station, an EVSE or a connector; the request names just that, and the new state is shown."""
    place, wanted = CHANGES[case]
    asked = station.ask("ChangeAvailability", {"operationalStatus": wanted, **place})
    assert asked.payload == {"operationalStatus": wanted, **place}
    assert asked.reply() == "accepted"
    report(station, place, "Available" if wanted == "Operative" else "Unavailable")


@pytest.mark.parametrize("case", WHILE_CHARGING)
def test_a_car_that_charges_is_not_disturbed(station: Station, case: str) -> None:
    """The change is scheduled; the delivery goes on, is sold, and the place is out of service afterwards."""
    transaction = station.transaction().charging()
    asked = station.ask("ChangeAvailability", {"operationalStatus": "Inoperative", **WHILE_CHARGING[case]})
    assert asked.reply("Scheduled") == "accepted"
    transaction.updated("MeterValuePeriodic", "Charging", wh=1100)
    transaction.finished()
    assert station.sold()
    report(station, WHILE_CHARGING[case], "Unavailable")


def test_tc_g_20_a_lock_fails(station: Station) -> None:
    """NotifyEvent: the connector's lock has a problem. It is in the station's journal."""
    event = {
        "eventId": 1,
        "timestamp": station.now(),
        "trigger": "Alerting",
        "actualValue": "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "Problem"},
    }
    assert station.call("NotifyEvent", {"generatedAt": station.now(), "seqNo": 0, "eventData": [event]}) == {}
    [kept] = station.kept("events?kind=device")["data"]
    assert "ConnectorPlugRetentionLock" in str(kept)
