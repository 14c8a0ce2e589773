"""Every 1.6 action that is served, from a table that cannot leave one out: schema-valid in, schema-valid out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.ocpp.v16.routes import ACTIONS, COMMANDS, KNOWN_ELSEWHERE, V16
from tests.contract.ocpp.wire import Wire

AT = "2026-03-02T07:59:00.000Z"
READING = {"timestamp": AT, "sampledValue": [{"value": "1250"}]}

MINIMAL: dict[str, dict[str, Any]] = {
    "Authorize": {"idTag": "NOBODY"},
    "BootNotification": {"chargePointVendor": "V", "chargePointModel": "M"},
    "DataTransfer": {"vendorId": "V"},
    "Heartbeat": {},
    "MeterValues": {"connectorId": 0, "meterValue": [READING]},
    "StartTransaction": {"connectorId": 1, "idTag": "NOBODY", "meterStart": 0, "timestamp": AT},
    "StatusNotification": {"connectorId": 0, "errorCode": "NoError", "status": "Available"},
    "StopTransaction": {"transactionId": 0, "meterStop": 0, "timestamp": AT},
}

FULL_VALUE = {
    "value": "1250.5",
    "context": "Transaction.End",
    "format": "Raw",
    "measurand": "Energy.Active.Import.Register",
    "phase": "L1",
    "location": "Outlet",
    "unit": "Wh",
}

MAXIMAL: dict[str, dict[str, Any]] = {
    "Authorize": {"idTag": "0123456789abcdefghij"},
    "BootNotification": {
        "chargePointVendor": "v" * 20,
        "chargePointModel": "m" * 20,
        "chargePointSerialNumber": "s" * 25,
        "chargeBoxSerialNumber": "b" * 25,
        "firmwareVersion": "f" * 50,
        "iccid": "i" * 20,
        "imsi": "j" * 20,
        "meterType": "t" * 25,
        "meterSerialNumber": "n" * 25,
    },
    "DataTransfer": {"vendorId": "v" * 255, "messageId": "m" * 50, "data": "d" * 5000},
    "Heartbeat": {},
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 5,
        "meterValue": [{"timestamp": AT, "sampledValue": [FULL_VALUE] * 9}] * 3,
    },
    "StartTransaction": {
        "connectorId": 2,
        "idTag": "0123456789abcdefghij",
        "meterStart": 2**31 - 1,
        "timestamp": AT,
        "reservationId": 0,
    },
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "ConnectorLockFailure",
        "status": "Faulted",
        "info": "i" * 50,
        "timestamp": AT,
        "vendorId": "v" * 255,
        "vendorErrorCode": "e" * 50,
    },
    "StopTransaction": {
        "transactionId": 2**31 - 1,
        "meterStop": 2**31 - 1,
        "timestamp": AT,
        "idTag": "0123456789abcdefghij",
        "reason": "PowerLoss",
        "transactionData": [{"timestamp": AT, "sampledValue": [FULL_VALUE]}],
    },
}


def all_actions() -> set[str]:
    """Every action of the version: one that has a schema and a schema of its answer."""
    folder = V16.schemas.path("Heartbeat").parent
    names = {path.stem for path in folder.glob("*.json")}
    return {name for name in names if f"{name}Response" in names}


def test_every_action_of_1_6_is_in_exactly_one_place() -> None:
    only_known = set(KNOWN_ELSEWHERE)
    assert set(ACTIONS) | set(COMMANDS) | only_known == all_actions()
    assert not only_known & (set(ACTIONS) | set(COMMANDS))
    assert set(ACTIONS) & set(COMMANDS) == {"DataTransfer"}


@pytest.mark.parametrize("payloads", [MINIMAL, MAXIMAL], ids=["minimal", "maximal"])
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_valid_in_valid_out(wire: Wire, action: str, payloads: dict[str, dict[str, Any]]) -> None:
    payload = payloads[action]
    assert V16.schemas.violation(action, payload) is None
    answer = wire.call(action, payload)
    assert V16.schemas.violation(f"{action}Response", answer) is None


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_the_same_call_again_gets_the_same_answer(wire: Wire, action: str) -> None:
    text = json.dumps([2, "again", action, MAXIMAL[action]])
    assert wire.send(text) == wire.send(text)


@pytest.mark.parametrize("action", sorted(all_actions() - set(ACTIONS)))
def test_what_is_known_and_not_served_says_so(wire: Wire, action: str) -> None:
    assert wire.error(action, {}) == "NotSupported"
