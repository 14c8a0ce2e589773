"""A payload that breaks its schema is read as what was meant, or a part of it is left out; never is anything invented
that moves money."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.ocpp.repairs import Repaired, repair
from chalicelib.ocpp.schemas import SchemaFolder

V16, V201 = SchemaFolder("v16"), SchemaFolder("v201")
RECEIVED = datetime(2026, 3, 2, 8, tzinfo=UTC)
AT = "2026-03-02T07:59:00Z"
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 5, "timestamp": AT}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


def mended(schema: str, payload: dict[str, Any], folder: SchemaFolder = V16) -> Repaired:
    """The repair, which must conform as far as nothing is absent."""
    before = json.dumps(payload)
    found = repair(folder.schema(schema), payload, RECEIVED)
    assert json.dumps(payload) == before
    if not found.absent:
        assert folder.violation(schema, found.payload) is None, found.payload
    return found


def rules(found: Repaired) -> list[tuple[str, str]]:
    return [(each.rule, each.pointer) for each in found.repairs]


def sampled(*values: dict[str, Any]) -> dict[str, Any]:
    return {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": list(values)}]}


def test_what_conforms_is_left_alone() -> None:
    found = mended("StartTransaction", START)
    assert (found.payload, found.repairs, found.absent) == (START, (), ())


@pytest.mark.parametrize(
    ("change", "result", "rule"),
    [
        ({"status": "available"}, {}, ("enum_case", "/status")),
        ({"status": " AVAILABLE "}, {}, ("enum_case", "/status")),
        ({"status": "suspended_ev"}, {"status": "SuspendedEV"}, ("enum_case", "/status")),
        ({"status": "Occupied"}, {"status": "Preparing"}, ("synonym", "/status")),
        ({"errorCode": "noError"}, {}, ("enum_case", "/errorCode")),
        ({"errorCode": "Error"}, {"errorCode": "OtherError"}, ("synonym", "/errorCode")),
        ({"errorCode": "E-17"}, {"errorCode": "OtherError"}, ("unknown_value", "/errorCode")),
        ({"errorCode": ""}, {}, ("missing", "/errorCode")),
        ({"errorCode": None}, {}, ("missing", "/errorCode")),
        ({"connectorId": "1"}, {}, ("text_for_number", "/connectorId")),
        ({"connectorId": 1.0}, {}, ("not_whole", "/connectorId")),
        ({"info": "x" * 60}, {"info": "x" * 50}, ("too_long", "/info")),
        ({"info": 17}, {"info": "17"}, ("not_text", "/info")),
        ({"info": True}, {"info": "true"}, ("not_text", "/info")),
        ({"info": None}, {}, ("empty", "/info")),
        ({"info": {}}, {}, ("empty", "/info")),
        ({"info": ["x"]}, {}, ("unreadable", "/info")),
        ({"vendorErrorCode": []}, {}, ("empty", "/vendorErrorCode")),
        ({"rogue": {"a": [1]}}, {}, ("unknown_property", "/*")),
        ({"vendorid": "V"}, {"vendorId": "V"}, ("property_case", "/vendorId")),
    ],
)
def test_one_flaw(change: dict[str, Any], result: dict[str, Any], rule: tuple[str, str]) -> None:
    found = mended("StatusNotification", {**STATUS, **change})
    assert found.payload == {**STATUS, **result}
    assert rules(found) == [rule] or rules(found)[-1] == rule
    assert found.absent == ()


@pytest.mark.parametrize(
    ("sent", "meter_start"),
    [
        ("100", 100),
        (" 100 ", 100),
        (100.0, 100),
        (100.4, 100),
        (100.5, 101),
        ("12,5", 13),
        ("12.5 kWh", 12500),
        ("100 Wh", 100),
        ("1e3", 1000),
    ],
)
def test_a_register_is_read_in_wh(sent: object, meter_start: int) -> None:
    found = mended("StartTransaction", {**START, "meterStart": sent})
    assert found.payload["meterStart"] == meter_start
    assert type(found.payload["meterStart"]) is int


@pytest.mark.parametrize("sent", [None, "", "abc", [], {}, True, "5 A", 1e30, 10**30, "1e99", [100, 200]])
def test_a_register_that_cannot_be_read_is_unknown_and_not_zero(sent: object) -> None:
    found = mended("StartTransaction", {**START, "meterStart": sent})
    assert found.absent == ("meterStart",)
    assert "meterStart" not in found.payload


def test_a_missing_moment_is_that_of_receipt() -> None:
    without = {name: value for name, value in START.items() if name != "timestamp"}
    assert mended("StartTransaction", without).payload["timestamp"] == "2026-03-02T08:00:00.000Z"
    assert mended("StartTransaction", {**START, "timestamp": 1772434800}).payload["timestamp"] == "1772434800"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"value": 1250.5}, {"value": "1250.5"}),
        ({"value": "21", "unit": "celsius"}, {"value": "21", "unit": "Celsius"}),
        (
            {"value": "50", "measurand": "Frequency", "unit": "Hz"},
            {"value": "50", "measurand": "Frequency", "unit": "Hertz"},
        ),
        ({"value": "5", "context": "Whenever"}, {"value": "5"}),
        ({"value": "5", "context": "sample.periodic"}, {"value": "5", "context": "Sample.Periodic"}),
        ({"value": "5", "unit": None}, {"value": "5"}),
        ({"value": "5", "unit": ""}, {"value": "5"}),
        ({"value": "5", "measurand": ""}, {"value": "5"}),
    ],
)
def test_a_sampled_value_is_mended(value: dict[str, Any], kept: dict[str, Any]) -> None:
    assert mended("MeterValues", sampled(value)).payload == sampled(kept)


@pytest.mark.parametrize(
    "value",
    [
        {"value": "21", "measurand": "Humidity"},
        {"value": "12", "unit": "MWh"},
        {"value": "12", "phase": "L4"},
        {"value": "12", "location": "Roof"},
        {"value": None},
        {"measurand": "SoC"},
        "12",
        None,
    ],
)
def test_a_sampled_value_that_could_be_misread_goes_as_a_whole(value: Any) -> None:
    """Without its unit or measurand it would be energy in Wh: the default."""
    good = {"value": "7"}
    assert mended("MeterValues", sampled(value, good)).payload == sampled(good)


def test_meter_values_without_any_value_are_absent() -> None:
    for values in ([], [{"value": None}]):
        found = mended("MeterValues", sampled(*values))
        assert found.absent == ("meterValue",)
        assert found.payload == {"connectorId": 1}


def test_an_object_for_an_array_and_back() -> None:
    one = {"connectorId": 1, "meterValue": {"timestamp": AT, "sampledValue": {"value": "7"}}}
    found = mended("MeterValues", one)
    assert found.payload == sampled({"value": "7"})
    assert rules(found) == [("object_for_array", "/meterValue"), ("object_for_array", "/meterValue/*/sampledValue")]
    event = {"eventType": "Started", "seqNo": 0, "timestamp": AT, "triggerReason": "Authorized"}
    for told in ([{"transactionId": "T"}], "T"):
        payload = mended("TransactionEventRequest", {**event, "transactionInfo": told}, V201).payload
        assert payload["transactionInfo"] == {"transactionId": "T"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"value": "12.5"}, {"value": 12.5}),
        ({"value": "12,5"}, {"value": 12.5}),
        ({"value": "12.5 kWh"}, {"value": 12.5, "unitOfMeasure": {"unit": "kWh"}}),
        ({"value": 5, "unitOfMeasure": "kWh"}, {"value": 5, "unitOfMeasure": {"unit": "kWh"}}),
        (
            {"value": 5, "unitOfMeasure": {"unit": "Wh", "multiplier": "3"}},
            {"value": 5, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}},
        ),
    ],
)
def test_a_sampled_value_of_2_x(value: dict[str, Any], kept: dict[str, Any]) -> None:
    payload = {"evseId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [value]}]}
    found = mended("MeterValuesRequest", payload, V201)
    assert found.payload["meterValue"][0]["sampledValue"] == [kept]


@pytest.mark.parametrize("unit", [{"unit": "Wh", "multiplier": "many"}, [1, 2]])
def test_a_power_of_ten_that_cannot_be_read_takes_its_value_along(unit: object) -> None:
    values = [{"value": 5, "unitOfMeasure": unit}, {"value": 7}]
    payload = {"evseId": 1, "meterValue": [{"timestamp": AT, "sampledValue": values}]}
    kept = mended("MeterValuesRequest", payload, V201).payload["meterValue"][0]["sampledValue"]
    assert kept == [{"value": 7}]


def test_a_boot_is_understood_whatever_it_lacks() -> None:
    assert mended("BootNotification", {}).payload == {"chargePointVendor": "", "chargePointModel": ""}
    found = mended("BootNotificationRequest", {}, V201)
    assert found.payload == {"reason": "Unknown", "chargingStation": {"vendorName": "", "model": ""}}
    known = {"reason": "Kicked", "chargingStation": {"model": "M", "vendorName": "V" * 60, "modem": {"imsi": 5}}}
    payload = mended("BootNotificationRequest", known, V201).payload
    assert payload["reason"] == "Unknown"
    assert payload["chargingStation"] == {"model": "M", "vendorName": "V" * 50, "modem": {"imsi": "5"}}


def test_an_id_token_in_the_words_of_the_field() -> None:
    event = {"eventType": "start", "seqNo": "0", "timestamp": AT, "triggerReason": "authorized"}
    event |= {
        "transactionInfo": {"transactionId": 7, "chargingState": "?"},
        "evse": 2,
        "idToken": "CAFE",
        "offline": "no",
    }
    found = mended("TransactionEventRequest", event, V201)
    assert found.payload == {
        "eventType": "Started",
        "seqNo": 0,
        "timestamp": AT,
        "triggerReason": "Authorized",
        "transactionInfo": {"transactionId": "7"},
        "evse": {"id": 2},
        "idToken": {"idToken": "CAFE", "type": "ISO14443"},
        "offline": False,
    }


def test_an_answer_is_mended_too_and_keeps_passwords_to_itself() -> None:
    told = {"configurationKey": [{"key": "AuthorizationKey", "readonly": "false", "value": 31337}], "unknownKey": "X"}
    found = mended("GetConfigurationResponse", told)
    assert found.payload == {
        "configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": "31337"}],
        "unknownKey": ["X"],
    }
    assert not any("31337" in each.example for each in found.repairs)


def test_a_status_that_nobody_knows_is_no_answer() -> None:
    assert mended("TriggerMessageResponse", {}).absent == ("status",)
    assert mended("TriggerMessageResponse", {"status": "Maybe"}).absent == ("status",)
    assert mended("TriggerMessageResponse", {"status": "ACCEPTED", "x": 1}).payload == {"status": "Accepted"}


def test_a_vendors_data_may_be_an_object_where_1_6_wants_text() -> None:
    found = mended("DataTransfer", {"vendorId": "V", "data": {"a": [1, 2]}})
    assert found.payload == {"vendorId": "V", "data": '{"a":[1,2]}'}


def test_nesting_without_end_is_left_out() -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = {"a": deep}
    heartbeat = mended("HeartbeatRequest", {"customData": {"vendorId": "V", "deep": deep}}, V201)
    assert heartbeat.payload == {"customData": {"vendorId": "V"}}
    assert mended("DataTransferRequest", {"vendorId": "V", "data": deep}, V201).payload == {"vendorId": "V"}
    assert mended("DataTransfer", {"vendorId": "V", "data": deep}).payload == {"vendorId": "V"}


def test_examples_are_short_and_places_of_arrays_are_one() -> None:
    found = mended("MeterValues", sampled(*({"value": "5", "rogue" * 50: 1} for _ in range(40))))
    assert rules(found) == [("unknown_property", "/meterValue/*/sampledValue/*/*")]
    assert len(found.repairs[0].example) == 80
