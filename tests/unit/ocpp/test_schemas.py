from __future__ import annotations

from typing import Any

import pytest

from chalicelib.ocpp.errors import V16_CODES, Failure
from chalicelib.ocpp.schemas import MAX_INTEGER, SchemaFolder

V16 = SchemaFolder("v16")
METER_VALUES: dict[str, Any] = {
    "connectorId": 1,
    "meterValue": [{"timestamp": "2026-01-01T10:00:00Z", "sampledValue": [{"value": "1"}]}],
}


def nested(depth: int) -> dict[str, Any]:
    payload: dict[str, Any] = {}
    for _ in range(depth):
        payload = {"a": payload}
    return payload


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Heartbeat", {}),
        ("MeterValues", METER_VALUES),
        ("Authorize", {"idTag": "x" * 20}),
        ("StatusNotification", {"connectorId": 0, "errorCode": "NoError", "status": "Available", "timestamp": "?"}),
        ("RemoteStartTransactionResponse", {"status": "Accepted"}),
    ],
)
def test_valid(action: str, payload: dict[str, Any]) -> None:
    assert V16.violation(action, payload) is None


@pytest.mark.parametrize(
    ("action", "payload", "failure"),
    [
        ("Authorize", {}, Failure.PROTOCOL),
        ("Authorize", {"idTag": 5}, Failure.TYPE),
        ("Authorize", {"idTag": None}, Failure.TYPE),
        ("Authorize", {"idTag": "x" * 21}, Failure.PROPERTY),
        ("Authorize", {"idTag": "x", "extra": 1}, Failure.FORMATION),
        ("StatusNotification", {"connectorId": 1, "errorCode": "Error", "status": "Available"}, Failure.PROPERTY),
        ("MeterValues", {**METER_VALUES, "meterValue": []}, Failure.OCCURRENCE),
        ("MeterValues", {**METER_VALUES, "connectorId": "1"}, Failure.TYPE),
        ("MeterValues", {**METER_VALUES, "connectorId": MAX_INTEGER + 1}, Failure.PROPERTY),
        ("MeterValues", {**METER_VALUES, "connectorId": -(10**40)}, Failure.PROPERTY),
        ("Heartbeat", nested(10), Failure.FORMATION),
        ("Heartbeat", nested(300), Failure.FORMATION),
    ],
)
def test_each_broken_rule_has_its_failure(action: str, payload: dict[str, Any], failure: Failure) -> None:
    violation = V16.violation(action, payload)
    assert violation is not None
    assert violation.failure is failure
    assert violation.detail


def test_an_unknown_schema_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        V16.violation("NoSuchAction", {})


def test_every_failure_has_a_1_6_code() -> None:
    assert set(V16_CODES) == set(Failure)
    assert V16_CODES[Failure.FORMATION] == "FormationViolation"
    assert V16_CODES[Failure.OCCURRENCE] == "OccurenceConstraintViolation"


@pytest.mark.parametrize("folder", ["v16", "v201", "v21"])
def test_every_schema_compiles_and_takes_no_fraction_for_a_whole_number(folder: str) -> None:
    schemas = SchemaFolder(folder)
    names = sorted(path.stem for path in schemas.path("HeartbeatResponse").parent.glob("*.json"))
    assert len(names) > 70
    for name in names:
        for key, spec in schemas.schema(name).get("properties", {}).items():
            if spec.get("type") == "integer":
                required = schemas.violation(name, {key: 1})
                whole = schemas.violation(name, {key: 1.0})
                assert whole is not None, (name, key)
                assert required is None or required.failure is not Failure.TYPE


def test_an_object_may_have_a_property_called_id() -> None:
    """To draft 4 `id` is also a keyword."""
    event = {
        "eventType": "Started",
        "timestamp": "2026-01-01T10:00:00Z",
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "T"},
        "evse": {"id": 1},
    }
    v201 = SchemaFolder("v201")
    assert v201.violation("TransactionEventRequest", event) is None
    assert v201.violation("TransactionEventRequest", {**event, "evse": {"id": "1"}}) is not None
    assert v201.violation("TransactionEventRequest", {**event, "evse": {}}) is not None
