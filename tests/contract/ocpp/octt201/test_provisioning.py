"""Block B: a station comes up, is set up, and is restarted."""

from __future__ import annotations

from typing import Any, Final

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Location
from tests.contract.ocpp.octt201.station import STATION, Station, build_station
from tests.world import Operator, World

OFFLINE = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
START_POINT = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "AuthorizeRemoteStart"}}
DOOR = {"component": {"name": "DeviceDataCtrlr"}, "variable": {"name": "ItemsPerMessage", "instance": "GetVariables"}}


@pytest.fixture
def pending(world: World, operator: Operator) -> Station:
    """Registered, connected, without a place; not booted."""
    return build_station(world, operator, "ocpp2.0.1", placed=False)


def put_in_place(station: Station) -> None:
    """The installer says where it stands."""
    world, operator_id = station.world, station.operator.operator_id
    location = Location(
        location_id=world.ctx.new_id("loc"),
        operator_id=operator_id,
        name="Harbour",
        address="Quay 1",
        city="Kiel",
        country="DE",
        time_zone="Europe/Berlin",
        created_at=world.ctx.now(),
    )
    world.commit(lambda uow: chargers.add_location(uow, location))
    charger = chargers.require_charger(world.ctx, STATION)
    world.commit(lambda uow: chargers.place_charger(uow, charger, location))


def test_tc_b_01_a_registered_station_boots(world: World, operator: Operator) -> None:
    """Accepted, with the time and a heartbeat below the gateway's idle limit; the connectors' states are shown."""
    station = build_station(world, operator, "ocpp2.0.1")
    answer = station.boot()
    assert answer["status"] == "Accepted"
    assert 0 < answer["interval"] < 600
    for evse_no in (1, 2):
        station.status("Available", evse_no)
        assert station.evse(evse_no).status == "Available"
    assert station.call("Heartbeat", {})["currentTime"] == station.now()


def test_tc_b_02_pending_then_accepted(pending: Station) -> None:
    """A station without a place is told to wait and to ask again soon; placed, it is accepted."""
    answer = pending.boot()
    assert answer["status"] == "Pending"
    assert answer["interval"] > 0
    put_in_place(pending)
    pending.world.advance(answer["interval"])
    assert pending.boot()["status"] == "Accepted"


def test_tc_b_30_nothing_but_a_boot_while_it_waits(pending: Station) -> None:
    """A pending station that speaks all the same gets the error SecurityError, and is accepted when it is placed."""
    assert pending.boot()["status"] == "Pending"
    status = {"timestamp": pending.now(), "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    assert pending.wire.error("StatusNotification", status) == "SecurityError"
    put_in_place(pending)
    assert pending.boot()["status"] == "Accepted"
    assert pending.call("StatusNotification", status) == {}


def test_tc_b_31_asked_to_boot_again(pending: Station) -> None:
    """The operator places a waiting station and does not let it wait: it is triggered to boot, and accepted."""
    assert pending.boot()["status"] == "Pending"
    put_in_place(pending)
    assert pending.obeys("TriggerMessage", {"requestedMessage": "BootNotification"})
    assert pending.boot("Triggered")["status"] == "Accepted"


def read(station: Station, *addresses: dict[str, Any]) -> str:
    asked = station.ask("GetVariables", {"getVariableData": list(addresses)})
    results = [{**address, "attributeStatus": "Accepted", "attributeValue": "60"} for address in addresses]
    return asked.reply({"getVariableResult": results})


def shown(station: Station) -> dict[str, Any]:
    """What the station has told; the list also has what is expected of it."""
    return {row["name"]: row["value"] for row in station.kept("configuration")["data"] if row["value"] is not None}


def test_tc_b_06_one_variable_is_read(station: Station) -> None:
    """GetVariables of one; its value is then shown."""
    assert read(station, OFFLINE) == "accepted"
    assert shown(station) == {"OCPPCommCtrlr/OfflineThreshold": "60"}


def test_tc_b_07_several_variables_are_read(station: Station) -> None:
    """GetVariables of two in one message."""
    assert read(station, OFFLINE, START_POINT) == "accepted"
    assert set(shown(station)) == {"OCPPCommCtrlr/OfflineThreshold", "AuthCtrlr/AuthorizeRemoteStart"}


def test_tc_b_08_no_more_than_the_station_takes(station: Station) -> None:
    """Five variables for a station that takes four at a time: four, then one."""
    assert read(station, OFFLINE, START_POINT, DOOR, {**OFFLINE, "variable": {"name": "MessageTimeout"}}) == "accepted"
    assert read(station, {**OFFLINE, "variable": {"name": "RetryBackOffWaitMinimum"}}) == "accepted"
    assert len(shown(station)) == 5


def write(station: Station, *addresses: dict[str, Any], status: str = "Accepted") -> str:
    asked = station.ask(
        "SetVariables", {"setVariableData": [{**address, "attributeValue": "120"} for address in addresses]}
    )
    return asked.reply({"setVariableResult": [{**address, "attributeStatus": status} for address in addresses]})


def test_tc_b_09_one_variable_is_set(station: Station) -> None:
    """SetVariables of one; the new value is then shown."""
    assert write(station, OFFLINE) == "accepted"
    assert shown(station) == {"OCPPCommCtrlr/OfflineThreshold": "120"}


def test_tc_b_10_several_variables_are_set(station: Station) -> None:
    """SetVariables of two in one message."""
    assert write(station, OFFLINE, START_POINT) == "accepted"
    assert set(shown(station).values()) == {"120"}


BASE_REPORTS: Final[dict[str, str]] = {
    "TC_B_12": "ConfigurationInventory",
    "TC_B_13": "FullInventory",
    "TC_B_14": "SummaryInventory",
}


def report(station: Station, request_id: int) -> None:
    """Two parts, of which the second is the last."""
    for seq_no, address in enumerate((OFFLINE, START_POINT)):
        attribute = {"type": "Actual", "value": "60", "mutability": "ReadWrite"}
        payload = {
            "requestId": request_id,
            "generatedAt": station.now(),
            "seqNo": seq_no,
            "tbc": seq_no == 0,
            "reportData": [{**address, "variableAttribute": [attribute]}],
        }
        assert station.call("NotifyReport", payload) == {}


@pytest.mark.parametrize("case", BASE_REPORTS)
def test_an_inventory_is_reported(station: Station, case: str) -> None:
    """GetBaseReport gets a number; the report comes in parts with that number, and its variables are shown."""
    asked = station.ask("GetBaseReport", {"reportBase": BASE_REPORTS[case]})
    assert asked.payload["requestId"] >= 0
    assert asked.reply() == "accepted"
    report(station, asked.payload["requestId"])
    assert set(shown(station)) == {"OCPPCommCtrlr/OfflineThreshold", "AuthCtrlr/AuthorizeRemoteStart"}
    assert asked.progress() != []


def test_tc_b_18_a_report_of_what_is_wrong(station: Station) -> None:
    """GetReport with criteria, with components, and with both; the last finds nothing, and that is an answer."""
    evse = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}
    for payload in ({"componentCriteria": ["Problem"]}, {"componentVariable": [evse]}):
        asked = station.ask("GetReport", payload)
        assert asked.reply() == "accepted"
        report(station, asked.payload["requestId"])
        assert asked.progress() != []
    both = station.ask("GetReport", {"componentCriteria": ["Problem"], "componentVariable": [evse]})
    assert both.reply("EmptyResultSet") == "accepted"


RESETS: Final[dict[str, tuple[dict[str, Any], bool]]] = {
    "TC_B_20": ({"type": "OnIdle"}, False),
    "TC_B_21": ({"type": "OnIdle"}, True),
    "TC_B_22": ({"type": "Immediate"}, True),
    "TC_B_25": ({"type": "OnIdle", "evseId": 1}, False),
    "TC_B_26": ({"type": "OnIdle", "evseId": 1}, True),
    "TC_B_27": ({"type": "Immediate", "evseId": 1}, True),
}
"""The request, and whether a car is charging."""


@pytest.mark.parametrize("case", RESETS)
def test_a_station_or_one_evse_is_restarted(station: Station, case: str) -> None:
    """At once, or when nothing charges any more. A delivery that it ends is sold; the whole station boots again."""
    request, is_charging = RESETS[case]
    transaction = station.transaction().charging() if is_charging else None
    waits = is_charging and request["type"] == "OnIdle"
    assert station.ask("Reset", request).reply("Scheduled" if waits else "Accepted") == "accepted"
    if transaction is not None:
        if waits:
            transaction.finished()
        else:
            transaction.ended("ResetCommand", "ImmediateReset", "EVConnected")
        assert station.sold()
    if "evseId" not in request:
        station.reboot("ScheduledReset" if waits else "RemoteReset")
    else:
        station.status("Unavailable")
        station.status("Available")
    assert station.evse().status == "Available"


NETWORK: Final[dict[str, Any]] = {
    "configurationSlot": 2,
    "connectionData": {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://csms.example/ocpp",
        "messageTimeout": 30,
        "securityProfile": 1,
        "ocppInterface": "Wired0",
    },
}
NETWORK_ANSWERS: Final[dict[str, tuple[str, str]]] = {
    "TC_B_42": ("Accepted", "accepted"),
    "TC_B_44": ("Failed", "rejected"),
}


@pytest.mark.parametrize("case", NETWORK_ANSWERS)
def test_a_network_profile(station: Station, case: str) -> None:
    """SetNetworkProfile for a slot; the operator sees whether the station stored it."""
    status, state = NETWORK_ANSWERS[case]
    assert station.ask("SetNetworkProfile", NETWORK).reply(status) == state
