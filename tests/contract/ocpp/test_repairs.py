"""Accept, repair, record: what is made of frames that break the schema, what it costs, and what the operator reads.

Which value becomes which is in tests/unit/ocpp/test_repairs.py; here frames go through the handlers and end as
sessions, places and findings.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.ocpp.repairs import NEVER_LOST
from chalicelib.ocpp.versions import VERSIONS
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from tests.contract.ocpp import from_schema
from tests.contract.ocpp.field import CARD, MONEY, Field, field
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World, encoded

__all__ = ["field"]
V201 = pytest.mark.parametrize("protocol", ["ocpp2.0.1"])
START = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": "2026-03-02T07:00:00Z"}
STOP = {"meterStop": 3000, "timestamp": "2026-03-02T07:30:00Z"}
RUBBISH: list[Any] = [None, "", {}, [], "rubbish", -1, 1.5, True, ["x"], {"a": 1}, 10**30]

NEVER_LOST_CASES = [
    (protocol, action, name)
    for protocol, version in VERSIONS.items()
    for action in sorted(NEVER_LOST & set(version.actions))
    for name in sorted(version.schemas.schema(action + version.request_suffix)["properties"])
]


def calls(field: Field, action: str, payload: Any) -> Any:
    return field.result(json.dumps([2, "call", action, payload]))


# -- sessions -------------------------------------------------------------------------------------------------


def test_a_session_of_a_charger_that_gets_every_form_wrong(field: Field) -> None:
    """Numbers as text, words in small letters, tags too long, units in values: the bill is right to the cent."""
    start = {"ConnectorID": "1", "IdTag": CARD.lower(), "meterStart": "1 kWh", "timestamp": "2026/03/02 07:00:00"}
    answer = calls(field, "StartTransaction", {**start, "reservationId": "none", "vendor": {"x": [1]}})
    assert answer["idTagInfo"]["status"] == "Accepted"
    values = {"value": 1500, "unit": "WH", "measurand": "energy.active.import.register", "context": "periodic"}
    reading = {"timestamp": 1772438400, "sampledValue": values}
    meter = {"connectorId": 1.0, "transactionId": str(answer["transactionId"]), "meterValue": reading}
    assert calls(field, "MeterValues", meter) == {}
    assert [found.energy_wh for found in field.readings(field.session())] == [1500]
    stop = {"transactionId": str(answer["transactionId"]), "meterStop": "3000.0", "reason": "car left", "idTag": None}
    calls(field, "StopTransaction", {**stop, "timestamp": "2026-03-02T07:30"})
    session = field.session()
    assert (session.state, session.energy_wh, session.cost, session.stop_reason) == ("settled", 2000, 70, "Other")
    assert field.cents() == MONEY - 70


@pytest.mark.parametrize("meter_start", [None, "abc", {}, 10**30])
def test_an_unknown_begin_is_not_zero(field: Field, meter_start: object) -> None:
    """The register of the whole life of the meter must not become the energy of one session."""
    answer = calls(field, "StartTransaction", {**START, "meterStart": meter_start})
    assert answer["idTagInfo"]["status"] == "Accepted"
    calls(field, "StopTransaction", {**STOP, "transactionId": answer["transactionId"], "meterStop": 9_000_000})
    session = field.session()
    assert not session.is_open
    assert session.abnormal_cause
    assert field.cents() == MONEY


def test_an_unknown_end_is_not_zero(field: Field) -> None:
    answer = calls(field, "StartTransaction", START)
    calls(field, "StopTransaction", {**STOP, "transactionId": answer["transactionId"], "meterStop": "full"})
    session = field.session()
    assert not session.is_open
    assert session.abnormal_cause
    assert field.cents() == MONEY


def test_what_is_nearly_json_is_no_lost_stop(field: Field) -> None:
    """NaN in a sample, half a character in the tag, a comma too many: the energy is what the stop tells."""
    calls(field, "StartTransaction", START)
    values = '{"timestamp":"2026-03-02T07:20:00Z","sampledValue":[{"value":NaN,"measurand":"SoC"},{"value":"2500"},]}'
    stop = '{"transactionId":${TX},"meterStop":3000,"timestamp":"2026-03-02T07:30:00Z","idTag":"TAG\\ud800"'
    answer = field.send(f'[2,"stop","StopTransaction",{stop},"transactionData":[{values}],}}]')
    assert answer[:2] == [3, "stop"]
    session = field.session()
    assert (session.state, session.energy_wh) == ("settled", 2000)
    assert field.findings()[0] == ("StopTransaction", "nearly_json", "")


def test_a_start_without_its_connector_is_at_the_only_one(world: World, operator: Operator) -> None:
    place(world, operator, "SOLO-1", evse_count=1)
    solo = Wire(world, "SOLO-1")
    solo.connect()
    solo.boot()
    solo.call("StartTransaction", {name: value for name, value in START.items() if name != "connectorId"})
    solo.call("StatusNotification", {"status": "Charging"})
    [evse] = chargers.list_evses(world.ctx, "SOLO-1")
    assert (evse.evse_no, evse.status, evse.error_code) == (1, "Charging", "NoError")


def test_a_start_without_its_connector_is_nowhere_where_there_are_two(field: Field) -> None:
    """Refused in the words of the protocol, with an id to stop under; nobody is charged for a guess."""
    answer = calls(field, "StartTransaction", {name: value for name, value in START.items() if name != "connectorId"})
    assert answer["idTagInfo"]["status"] == "Invalid"
    assert field.sessions() == []


@V201
def test_a_transaction_of_2_0_1_that_gets_every_form_wrong(field: Field) -> None:
    def event(kind: str, seq_no: Any, wh: str, **more: Any) -> Any:
        sample = {"value": wh, "measurand": "energy.active.import.register"}
        meter = {"timestamp": "2026-03-02T07:00:00", "sampledValue": sample}
        told = {"eventType": kind, "seqNo": seq_no, "timestamp": "2026-03-02 07:00", "meterValue": meter, **more}
        return calls(field, "TransactionEvent", told)

    start = {"transactionInfo": "T-1", "evse": "1", "idToken": CARD, "triggerReason": "authorized"}
    assert event("start", "0", "1 kWh", **start)["idTokenInfo"]["status"] == "Accepted"
    event("Updated", 1.0, "1,5kWh", transactionInfo={"transactionId": "T-1", "chargingState": "busy"})
    event("stopped", 2, "3000", transactionInfo={"transactionId": "T-1", "stoppedReason": "CarLeft"})
    session = field.session()
    assert (session.state, session.energy_wh, session.cost, session.evse_no) == ("settled", 2000, 70, 1)
    assert field.cents() == MONEY - 70


# -- never lost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("protocol", "action", "name"), NEVER_LOST_CASES)
def test_what_may_not_be_lost_is_never_refused_for_its_form(
    field: Field, protocol: str, action: str, name: str
) -> None:
    """Each property of each of these actions missing, and as rubbish: always a result that conforms, no money moves."""
    version = VERSIONS[protocol]
    full = from_schema.maximal(version, action + version.request_suffix)
    full = {"timestamp": "2026-03-02T07:00:00Z", **full}
    for value in RUBBISH:
        calls(field, action, {**full, name: value})
    calls(field, action, {key: value for key, value in full.items() if key != name})
    assert field.cents() == MONEY


@pytest.mark.parametrize("protocol", list(VERSIONS))
def test_an_empty_payload_is_understood_as_far_as_it_goes(field: Field, protocol: str) -> None:
    for action in sorted(NEVER_LOST & set(VERSIONS[protocol].actions)):
        calls(field, action, {})
        calls(field, action, None)


def test_what_cannot_be_told_is_refused_for_all_others(field: Field) -> None:
    assert field.wire.error("FirmwareStatusNotification", {"status": "Sleeping"}) == "PropertyConstraintViolation"
    assert field.wire.error("Authorize", {"idTag": None}) == "TypeConstraintViolation"
    assert field.wire.call("FirmwareStatusNotification", {"status": "installed", "x": 1}) == {}
    assert field.findings()[:1] == [("Authorize", "not_conforming", "")]


# -- answers to our commands ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"status": "accepted"}, "accepted"),
        ({"status": "Accepted", "vendorSays": "ok"}, "accepted"),
        ({"Status": "REJECTED"}, "rejected"),
        ({"status": "Maybe"}, "failed"),
        ({}, "failed"),
        (None, "failed"),
        ([], "failed"),
        ("Accepted", "failed"),
    ],
)
def test_an_answer_is_judged_by_what_it_means(field: Field, answer: Any, state: str) -> None:
    field.ask("ClearCache", {})
    assert field.send(json.dumps([3, field.call_id, answer])) is None
    assert field.outcome()[0] == state


def test_a_configuration_in_the_wrong_form_is_read(field: Field) -> None:
    field.ask("GetConfiguration", {})
    told = {"configurationKey": {"key": "HeartbeatInterval", "readonly": "false", "value": 300}}
    assert field.send(json.dumps([3, field.call_id, told])) is None
    state, answer = field.outcome()
    assert state == "accepted"
    assert answer == {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}
    assert all(action == "GetConfiguration" for action, _, _ in field.findings())


# -- findings -------------------------------------------------------------------------------------------------


def seen(field: Field) -> list[Any]:
    path = f"/v1/chargers/{field.wire.charger_id}/conformance-findings"
    status, body = field.world.rest.get(path, token=field.world.access_token(field.operator.user.email))
    assert status == 200
    return list(body["data"])


def test_a_finding_tells_what_was_sent_and_what_was_made_of_it(field: Field) -> None:
    calls(field, "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "available"})
    [finding] = seen(field)
    at = finding.pop("first_at")
    assert finding.pop("last_at") == at
    assert finding == {
        "action": "StatusNotification",
        "protocol": "ocpp1.6",
        "rule": "enum_case",
        "pointer": "/status",
        "detail": "read as Available",
        "example": "available",
        "times": 1,
    }


def test_a_habit_is_counted_and_costs_one_write_in_ten_minutes(field: Field) -> None:
    text = json.dumps([2, "hb", "Heartbeat", {"rogue": 1}])
    for _ in range(5):
        field.result(text)
    assert [finding["times"] for finding in seen(field)] == [1]
    field.world.advance(timedelta(minutes=10).total_seconds())
    field.result(text)
    [finding] = seen(field)
    assert finding["times"] == 6
    assert finding["last_at"] > finding["first_at"]


def test_of_several_findings_each_has_its_turn(field: Field) -> None:
    text = json.dumps(
        [2, "st", "StatusNotification", {"connectorId": "1", "errorCode": "noError", "status": "AVAILABLE"}]
    )
    for turn in (1, 2, 3):
        field.result(text)
        assert len(seen(field)) == turn


def test_a_charger_cannot_make_findings_without_end(field: Field) -> None:
    """Names that it invents are examples, not keys."""
    for number in range(20):
        field.result(json.dumps([2, "hb", "Heartbeat", {f"rogue{number}": number}]))
        field.send(json.dumps([2, "id", f"Action{number}", {}]))
        field.send(f"rubbish {number}")
        field.world.advance(601)
    assert len(seen(field)) == 3


def test_a_finding_that_cannot_be_stored_costs_no_answer(field: Field) -> None:
    def fail(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "UpdateItem" and request["TableName"].endswith("ocpp"):
            raise AwsError("ThrottlingException", "the store is on fire", 400)
        return field.world.engine.execute(operation, request)

    repair = aws_hooks.register("dynamodb", fail)
    try:
        assert "currentTime" in calls(field, "Heartbeat", {"rogue": 1})
    finally:
        repair()
    assert seen(field) == []


def test_findings_are_their_operators_alone(field: Field) -> None:
    stranger = field.world.operator()
    path = f"/v1/chargers/{encoded(field.wire.charger_id)}/conformance-findings"
    assert field.world.rest.get(path, token=stranger.access_token).status == 404
    assert field.world.rest.get(path).status == 401
