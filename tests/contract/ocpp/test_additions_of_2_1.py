"""What 2.1 adds to 2.0.1 is answered as far as the platform does it, and kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.ocpp.reporting import AT, CARD, ask, connected, journal, progress
from tests.contract.ocpp.wire import Wire
from tests.world import Operator, World


@pytest.fixture
def wire21(world: World, operator: Operator) -> Wire:
    return connected(world, operator, "ocpp2.1")


@pytest.mark.parametrize(
    ("number", "status"), [("DE123456789", "Accepted"), ("de 123 456 789", "Accepted"), ("DE12", "Rejected")]
)
def test_a_vat_number_is_checked_by_its_form(wire21: Wire, number: str, status: str) -> None:
    answer = wire21.call("VatNumberValidation", {"vatNumber": number, "evseId": 1})
    assert (answer["vatNumber"], answer["evseId"], answer["status"]) == (number, 1, status)


@pytest.mark.parametrize(
    ("action", "payload", "kind", "summary"),
    [
        (
            "NotifySettlement",
            {"pspRef": "psp-1", "status": "Failed", "settlementAmount": 4.2, "settlementTime": AT},
            "payment",
            "Failed: 4.2, psp-1",
        ),
        (
            "NotifyDERAlarm",
            {"controlType": "FreqDroop", "timestamp": AT, "gridEventFault": "OverVoltage"},
            "device",
            "alarm of FreqDroop: OverVoltage",
        ),
        (
            "NotifyDERStartStop",
            {"controlId": "c-1", "started": True, "timestamp": AT},
            "device",
            "DER control c-1 started",
        ),
        (
            "NotifyPriorityCharging",
            {"transactionId": "tx-1", "activated": True},
            "charging_schedule",
            "priority charging on, transaction tx-1",
        ),
    ],
)
def test_what_2_1_adds_is_kept(wire21: Wire, action: str, payload: dict[str, Any], kind: str, summary: str) -> None:
    for _ in range(2):
        assert wire21.call(action, payload) == {}
    assert [line.summary for line in journal(wire21, kind)] == [summary]


def test_controls_and_swaps_answer_the_request_that_asked_for_them(wire21: Wire) -> None:
    ask(wire21, "GetDERControl", {"requestId": 11}, {"status": "Accepted"})
    wire21.call("ReportDERControl", {"requestId": 11, "tbc": True})
    assert progress(wire21) == []
    wire21.call("ReportDERControl", {"requestId": 11})
    assert progress(wire21) == [("reported", "")]
    battery = {"evseId": 1, "serialNumber": "B-1", "soC": 80, "soH": 95}
    swap = {
        "batteryData": [battery],
        "eventType": "BatteryOut",
        "idToken": {"idToken": CARD, "type": "ISO14443"},
        "requestId": 12,
    }
    assert wire21.call("BatterySwap", swap) == {}
    assert "BatteryOut: B-1" in [line.summary for line in journal(wire21, "device")]


def test_streams_are_not_taken(wire21: Wire) -> None:
    stream = {"constantStreamData": {"id": 1, "params": {}, "variableMonitoringId": 1}}
    assert wire21.call("OpenPeriodicEventStream", stream)["status"] == "Rejected"
    assert wire21.call("ClosePeriodicEventStream", {"id": 1}) == {}
    send = {"id": 1, "pending": 0, "basetime": AT, "data": [{"t": 0, "v": "1"}]}
    assert wire21.send(json.dumps([6, "s-1", "NotifyPeriodicEventStream", send])) is None
    assert wire21.error("NotifyPeriodicEventStream", send) == "NotSupported"
