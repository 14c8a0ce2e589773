"""Cases of 2.1 that chargers begin, or that go to and fro: payment, faults, grid control, battery swap."""

from __future__ import annotations

from typing import Any, Final

import pytest

from chalicelib.chargers.model import web_payments
from tests.contract.ocpp import people
from tests.contract.ocpp.octt201.station import STATION, Station

PREPAID: Final[dict[str, tuple[int, set[str]]]] = {
    "TC_C_103": (1000, {"Accepted"}),
    "TC_C_104": (0, {"NoCredit", "Blocked"}),
}


@pytest.mark.parametrize("case", PREPAID)
def test_a_card_with_money_or_without(station: Station, case: str) -> None:
    """Whose wallet has money may charge; whose wallet is empty is told so."""
    cents, allowed = PREPAID[case]
    people.driver(station.world, station.operator, cents=cents, card="04C0FFEE")
    assert station.authorize("04C0FFEE")["status"] in allowed


def test_tc_c_108_a_vat_number(station: Station) -> None:
    """A number that has the form of one is accepted, another one is not."""
    for number, status in (("DE136695976", "Accepted"), ("DE1", "Rejected")):
        answer = station.call("VatNumberValidation", {"vatNumber": number, "evseId": 1})
        assert (answer["status"], answer["vatNumber"], answer["evseId"]) == (status, number, 1)


def shown_code(station: Station) -> dict[str, Any]:
    """The station is told how to make codes; gives what the driver's page reads from the one that it shows now."""
    reply = station.write(f"/v1/chargers/{STATION}/web-payments", {})
    assert reply.status == 202, reply.body
    [asked] = station.received()
    told = {item["variable"]["name"]: item["attributeValue"] for item in asked.payload["setVariableData"]}
    results = [
        {"component": item["component"], "variable": item["variable"], "attributeStatus": "Accepted"}
        for item in asked.payload["setVariableData"]
    ]
    assert asked.reply({"setVariableResult": results}) == "accepted"
    password = web_payments.password_at(
        told["SharedSecret"], station.world.ctx.now(), validity_s=int(told["ValidityTime"]), length=int(told["Length"])
    )
    return {"charger_id": STATION, "evse_no": 1, "password": password, "version": told["TOTPVersion"]}


def scanned(station: Station, code: dict[str, Any]) -> int:
    token = station.world.driver_token(station.driver.driver_id)
    return int(station.world.rest.post("/v1/driver/web-payments", code, token=token).status)


def test_tc_c_131_a_code_is_scanned(station: Station) -> None:
    """The code on the display leads to the place, the station hears that somebody pays, and the driver charges."""
    assert scanned(station, shown_code(station)) == 200
    [asked] = station.received()
    assert (asked.action, asked.payload["evseId"]) == ("NotifyWebPaymentStarted", 1)
    assert asked.reply({}) == "accepted"
    start = station.request()
    assert start.reply() == "accepted"
    transaction = station.transaction(remote_start_id=start.payload["remoteStartId"])
    transaction.started("RemoteStart", "EVConnected", idToken=start.payload["idToken"])
    transaction.energised()
    transaction.finished()
    assert station.sold()


FORGERIES: Final[dict[str, dict[str, Any]]] = {
    "TC_C_132": {"evse_no": 9, "charger_id": "NOWHERE"},
    "TC_C_133": {"password": "000000000000"},
}


@pytest.mark.parametrize("case", FORGERIES)
def test_a_code_that_is_none(station: Station, case: str) -> None:
    """Parts of the URL that lead nowhere, or a wrong password: refused, and the station hears nothing."""
    assert scanned(station, {**shown_code(station), **FORGERIES[case]}) == 422
    assert station.received() == []


def test_tc_g_20_a_lock_fails(station: Station) -> None:
    """NotifyEvent with the severity that 2.1 adds: in the journal, as grave as that."""
    event = {
        "eventId": 1,
        "timestamp": station.now(),
        "trigger": "Alerting",
        "actualValue": "true",
        "severity": 3,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "Problem"},
    }
    assert station.call("NotifyEvent", {"generatedAt": station.now(), "seqNo": 0, "eventData": [event]}) == {}
    [kept] = station.kept("events?kind=device")["data"]
    assert kept["severity"] == "critical"


DISCHARGE: Final = {"priority": 1, "pctMaxDischargePower": 50.0}
CONTROL: Final = {"controlId": "c1", "controlType": "LimitMaxDischarge", "isDefault": False}


def test_tc_r_107_the_grid_is_told_how_to_behave(station: Station) -> None:
    """A control is set, asked for, reported and cleared."""
    assert station.obeys("SetDERControl", {**CONTROL, "limitMaxDischarge": DISCHARGE})
    asked = station.ask("GetDERControl", {"controlId": "c1"})
    assert asked.reply() == "accepted"
    limit = {"id": "c1", "isDefault": False, "isSuperseded": False, "limitMaxDischarge": DISCHARGE}
    report = {"requestId": asked.payload["requestId"], "limitMaxDischarge": [limit]}
    assert station.call("ReportDERControl", report) == {}
    assert asked.progress() != []
    assert station.obeys("ClearDERControl", {"isDefault": False, "controlId": "c1"})


def test_tc_r_108_the_grid_acts(station: Station) -> None:
    """A control starts and raises an alarm: both are in the journal."""
    started = {"controlId": "c1", "started": True, "timestamp": station.now()}
    assert station.call("NotifyDERStartStop", started) == {}
    alarm = {"controlType": "LimitMaxDischarge", "gridEventFault": "OverVoltage", "timestamp": station.now()}
    assert station.call("NotifyDERAlarm", alarm) == {}
    assert len(station.kept("events?kind=device")["data"]) == 2


SWAPS: Final[dict[str, tuple[str, str]]] = {"TC_S_102": ("Rejected", "rejected"), "TC_S_103": ("Accepted", "accepted")}


@pytest.mark.parametrize("case", SWAPS)
def test_batteries_are_swapped(station: Station, case: str) -> None:
    """RequestBatterySwap: too few batteries; or enough, and the station tells those that go in and out."""
    word, state = SWAPS[case]
    asked = station.ask("RequestBatterySwap", {"idToken": {"idToken": "04A2B3C4", "type": "ISO14443"}})
    assert asked.reply(word) == state
    if state == "rejected":
        return
    battery = {"evseId": 1, "serialNumber": "B-1", "soC": 20.0, "soH": 95.0}
    for kind in ("BatteryIn", "BatteryOut"):
        swap = {
            "eventType": kind,
            "requestId": asked.payload["requestId"],
            "idToken": asked.payload["idToken"],
            "batteryData": [battery],
        }
        assert station.call("BatterySwap", swap) == {}
    assert asked.progress() == ["BatteryIn", "BatteryOut"]
