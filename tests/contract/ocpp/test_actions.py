"""Every 1.6 action that is served, from tables that cannot leave one out: schema-valid in, schema-valid out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.ocpp.v16.routes import ACTIONS, COMMANDS, V16
from tests.contract.ocpp import from_schema
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

AT = "2026-03-02T07:59:00.000Z"
READING = {"timestamp": AT, "sampledValue": [{"value": "1250"}]}

MINIMAL: dict[str, dict[str, Any]] = {
    "Authorize": {"idTag": "NOBODY"},
    "BootNotification": {"chargePointVendor": "V", "chargePointModel": "M"},
    "DataTransfer": {"vendorId": "V"},
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "FirmwareStatusNotification": {"status": "Idle"},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Idle"},
    "MeterValues": {"connectorId": 0, "meterValue": [READING]},
    "SecurityEventNotification": {"type": "StartupOfTheDevice", "timestamp": AT},
    "SignCertificate": {"csr": "no request at all"},
    "SignedFirmwareStatusNotification": {"status": "Idle"},
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
    "DiagnosticsStatusNotification": {"status": "UploadFailed"},
    "FirmwareStatusNotification": {"status": "InstallationFailed"},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "NotSupportedOperation", "requestId": 2**31 - 1},
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 5,
        "meterValue": [{"timestamp": AT, "sampledValue": [FULL_VALUE] * 9}] * 3,
    },
    "SecurityEventNotification": {"type": "t" * 50, "timestamp": AT, "techInfo": "i" * 255},
    "SignCertificate": {"csr": "c" * 5500},
    "SignedFirmwareStatusNotification": {"status": "InstallVerificationFailed", "requestId": 2**31 - 1},
    "StartTransaction": {
        "connectorId": 2,
        "idTag": "0123456789abcdefghij",
        "meterStart": 2**31 - 1,
        "timestamp": AT,
        "reservationId": 2**31 - 1,
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
    assert len(all_actions()) == 39
    assert set(ACTIONS) | set(COMMANDS) == all_actions()
    assert set(ACTIONS) & set(COMMANDS) == {"DataTransfer"}
    assert not V16.unserved


def test_the_tables_leave_no_action_out() -> None:
    assert set(MINIMAL) == set(MAXIMAL) == set(ACTIONS)


@pytest.mark.parametrize("payloads", [MINIMAL, MAXIMAL], ids=["minimal", "maximal"])
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_valid_in_valid_out(wire: Wire, action: str, payloads: dict[str, dict[str, Any]]) -> None:
    payload = payloads[action]
    assert V16.request_violation(action, payload) is None
    answer = wire.call(action, payload)
    assert V16.answer_violation(action, answer) is None


@pytest.mark.parametrize("make", [from_schema.minimal, from_schema.maximal], ids=["minimal", "maximal"])
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_whatever_the_schema_allows_is_answered(wire: Wire, action: str, make: Any) -> None:
    """Payloads that nobody would send, and that conform all the same: numbers at their ends, texts at their longest."""
    payload = make(V16, action)
    assert V16.request_violation(action, payload) is None
    answer = wire.call(action, payload)
    assert V16.answer_violation(action, answer) is None


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_the_same_call_again_gets_the_same_answer(wire: Wire, action: str) -> None:
    text = json.dumps([2, "again", action, MAXIMAL[action]])
    assert wire.send(text) == wire.send(text)


@pytest.mark.parametrize("action", sorted(all_actions() - set(ACTIONS)))
def test_what_only_we_may_ask_is_not_served(wire: Wire, action: str) -> None:
    assert wire.error(action, {}) == "NotSupported"


SERVED_WHILE_PENDING = {
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "MeterValues",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
    "StopTransaction",
}
"""What is heard of a charger without a place: how it is, and what has happened. What it may do waits."""


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_charger_that_waits_for_its_place_is_heard_and_gets_nothing(
    world: World, operator: Operator, action: str
) -> None:
    place(world, operator, "WAITS", placed=False)
    wire = Wire(world, "WAITS")
    wire.connect()
    if action in SERVED_WHILE_PENDING:
        assert V16.answer_violation(action, wire.call(action, MAXIMAL[action])) is None
        boots = world.rest.get("/v1/chargers/WAITS/events?kind=boot", token=operator.access_token)
        assert boots.body["data"] == [], "it boots every minute until it is placed"
    else:
        assert wire.error(action, MAXIMAL[action]) == "SecurityError"
