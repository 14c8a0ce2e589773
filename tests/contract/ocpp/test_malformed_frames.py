"""OCPP-J, which CALLERROR a malformed frame gets, and which frames get none: 1.6 4.1.3 to 4.2.3, 2.0.1 and 2.1 part 4,
4.1.3 to 4.4.

Each row is a text and the code that each version answers with; `None` is silence, `-1` behind it the id that stands for
one that cannot be read. The connection survives all of them. What was sent wrongly and served all the same is in
TOLERATED, and in test_repairs.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

BOTTOMLESS = '{"a":' * 40_000
FRAMEWORK, NOWHERE = "RpcFrameworkError", "RpcFrameworkError -1"
UNKNOWN_TYPE, UNKNOWN = "MessageTypeNotSupported", "NotImplemented"

Row = tuple[str, str, str | None, str | None]

ROWS: list[Row] = [
    ("not JSON, id unreadable", "Heartbeat please", None, NOWHERE),
    ("empty message", "", None, NOWHERE),
    ("a CALL cut off within its id", '[2,"unfin', None, NOWHERE),
    ("not JSON, id recoverable", '[2,"id","Heartbeat",{', "FormationViolation", FRAMEWORK),
    ("JSON, but an object", '{"id":"id"}', None, NOWHERE),
    ("an empty array", "[]", None, NOWHERE),
    ("an array that stops after the type", "[2]", None, NOWHERE),
    ("message type 0", '[0,"id","Heartbeat",{}]', None, UNKNOWN_TYPE),
    ("message type 9", '[9,"id","Heartbeat",{}]', None, UNKNOWN_TYPE),
    ("message type 9 and no id", '[9,[],"Heartbeat",{}]', None, f"{UNKNOWN_TYPE} -1"),
    ("message type as text", '["2","id","Heartbeat",{}]', None, UNKNOWN_TYPE),
    ("3 elements", '[2,"id","Heartbeat"]', "FormationViolation", FRAMEWORK),
    ("5 elements", '[2,"id","Heartbeat",{},{}]', "FormationViolation", FRAMEWORK),
    ("id is no id", '[2,{},"Heartbeat",{}]', "FormationViolation -1", NOWHERE),
    ("unknown action", '[2,"id","MakeCoffee",{}]', UNKNOWN, UNKNOWN),
    ("known action in wrong case", '[2,"id","heartbeat",{}]', UNKNOWN, UNKNOWN),
    ("action is a number", '[2,"id",5,{}]', UNKNOWN, FRAMEWORK),
    ("an action for chargers", '[2,"id","Reset",{"type":"Hard"}]', "NotSupported", "NotSupported"),
    ("payload is an array", '[2,"id","Heartbeat",[]]', "FormationViolation", "FormatViolation"),
    ("payload is a text", '[2,"id","Heartbeat","{}"]', "FormationViolation", "FormatViolation"),
    ("payload is a number", '[2,"id","Heartbeat",0]', "FormationViolation", "FormatViolation"),
    ("required field missing", '[2,"id","Authorize",{}]', "ProtocolError", "OccurrenceConstraintViolation"),
    ("required fields, payload null", '[2,"id","Authorize",null]', "ProtocolError", "OccurrenceConstraintViolation"),
    (
        "enum value unknown",
        '[2,"id","FirmwareStatusNotification",{"status":"Sleeping"}]',
        "PropertyConstraintViolation",
        "PropertyConstraintViolation",
    ),
    (
        "wrong JSON type",
        '[2,"id","FirmwareStatusNotification",{"status":[1]}]',
        "TypeConstraintViolation",
        "TypeConstraintViolation",
    ),
    ("a comma too many", '[2,"id","Authorize",{"idTag":"x",,}]', "FormationViolation", FRAMEWORK),
    ("nested without end", f'[2,"id","Heartbeat",{BOTTOMLESS}', "FormationViolation", FRAMEWORK),
    ("CALLRESULT that nobody waits for", '[3,"id",{}]', None, None),
    ("CALLERROR that nobody waits for", '[4,"id","GenericError","",{}]', None, None),
    ("CALLERROR with three elements", '[4,"id","GenericError"]', None, None),
    ("CALLERROR of an unknown code", '[4,"id","Nonsense","",{}]', None, None),
    ("broken CALLRESULT", '[3,"id",{"status":', None, None),
    ("CALLRESULT cut off within its id", '[3,"unfin', None, None),
    ("CALLRESULT without an id", "[3]", None, None),
    ("CALLRESULT with a number for payload", '[3,"id",5]', None, None),
]

ROWS_16: list[tuple[str, str, str | None]] = [
    ("field null", '[2,"id","Authorize",{"idTag":null}]', "TypeConstraintViolation"),
    ("action of OCPP 2.0.1", '[2,"id","TransactionEvent",{}]', UNKNOWN),
    ("CALLRESULTERROR", '[5,"id","GenericError","",{}]', None),
    ("SEND", '[6,"id","NotifyPeriodicEventStream",{}]', None),
]
ROWS_201: list[tuple[str, str, str | None]] = [
    ("CALLRESULTERROR", '[5,"id","GenericError","",{}]', UNKNOWN_TYPE),
    ("SEND", '[6,"id","NotifyPeriodicEventStream",{}]', UNKNOWN_TYPE),
    ("a broken SEND", '[6,"id","NotifyPeri', UNKNOWN_TYPE),
    ("action of OCPP 1.6", '[2,"id","StartTransaction",{}]', UNKNOWN),
    (
        "array too short",
        '[2,"id","NotifyEvent",{"generatedAt":"2026-03-02T08:00:00Z","seqNo":0,"eventData":[]}]',
        "OccurrenceConstraintViolation",
    ),
    (
        "integer beyond all bounds",
        f'[2,"id","NotifyReport",{{"requestId":{10**30},"generatedAt":"2026-03-02T08:00:00Z","seqNo":0}}]',
        "PropertyConstraintViolation",
    ),
]
ROWS_21: list[tuple[str, str, str | None]] = [
    ("CALLRESULTERROR", '[5,"id","GenericError","",{}]', None),
    ("CALLRESULTERROR cut short", '[5,"id"]', None),
    ("SEND", '[6,"id","NotifyPeriodicEventStream",{}]', None),
    ("a broken SEND", '[6,"id","NotifyPeri', None),
    ("a SEND of nothing", "[6]", None),
]

CASES = [
    *((f"1.6: {name}", "ocpp1.6", text, code) for name, text, code, _ in ROWS),
    *((f"2.0.1: {name}", "ocpp2.0.1", text, code) for name, text, _, code in ROWS),
    *((f"2.1: {name}", "ocpp2.1", text, code) for name, text, _, code in ROWS),
    *((f"1.6: {name}", "ocpp1.6", text, code) for name, text, code in ROWS_16),
    *((f"2.0.1: {name}", "ocpp2.0.1", text, code) for name, text, code in ROWS_201),
    *((f"2.1: {name}", "ocpp2.1", text, code) for name, text, code in ROWS_21),
]


@pytest.mark.parametrize(("protocol", "text", "code"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_code(wire: Wire, protocol: str, text: str, code: str | None) -> None:
    answer = wire.send(text)
    if code is None:
        assert answer is None
    else:
        expected, _, message_id = code.partition(" ")
        kind, echoed, sent, description, details = json.loads(answer or "null")
        assert (kind, echoed, sent) == (4, message_id or "id", expected)
        assert isinstance(description, str)
        assert len(description) <= 255
        assert details == {}
    assert "currentTime" in wire.call("Heartbeat", {})


TOLERATED: list[tuple[str, str, Any]] = [
    ("trailing NUL", '[2,"id","Heartbeat",{}]\x00', "id"),
    ("byte order mark", '\ufeff[2,"id","Heartbeat",{}]', "id"),
    ("pretty printed", '[\n  2,\n  "id",\n  "Heartbeat",\n  {\n  }\n]\r\n', "id"),
    ("payload null", '[2,"id","Heartbeat",null]', "id"),
    ("unknown field", '[2,"id","Heartbeat",{"x":1}]', "id"),
    ("not a number", '[2,"id","Heartbeat",{"x":NaN}]', "id"),
    ("half a surrogate pair", '[2,"id","Heartbeat",{"x":"\\ud800"}]', "id"),
    ("a comma behind the last element", '[2,"id","Heartbeat",{},]', "id"),
    ("an unknown field nested deeply", f'[2,"id","Heartbeat",{{"a":{"[" * 200 + "]" * 200}}}]', "id"),
    ("numeric id comes back as a number", '[2,12345,"Heartbeat",{}]', 12345),
    ("empty id", '[2,"","Heartbeat",{}]', ""),
    ("id of 40 characters", f'[2,"{"0123456789" * 4}","Heartbeat",{{}}]', "0123456789" * 4),
]


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
@pytest.mark.parametrize(("text", "message_id"), [row[1:] for row in TOLERATED], ids=[row[0] for row in TOLERATED])
def test_tolerated(wire: Wire, protocol: str, text: str, message_id: Any) -> None:
    answer = json.loads(wire.send(text) or "null")
    assert answer[:2] == [3, message_id]
    assert "currentTime" in answer[2]


@pytest.mark.parametrize("message_id", ["null", "[]", "{}", "true", "1.5", json.dumps("x" * 2000)])
def test_an_id_that_cannot_be_echoed_is_answered_under_minus_one(wire: Wire, message_id: str) -> None:
    answer = json.loads(wire.send(f'[2,{message_id},"Heartbeat",{{}}]') or "null")
    assert answer[:3] == [4, "-1", "FormationViolation"]


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
def test_a_charger_that_was_never_accepted_may_only_boot(
    world: World, operator: Operator, wire: Wire, protocol: str
) -> None:
    place(world, operator, "NEW-1", placed=False)
    new = Wire(world, "NEW-1", protocol=protocol)
    assert new.connect()[0] == 200
    assert new.error("DataTransfer", {"vendorId": "V"}) == "SecurityError"
    assert new.boot()["status"] == "Pending"
    assert new.error("DataTransfer", {"vendorId": "V"}) == "SecurityError"


def test_the_same_id_twice_is_answered_twice(wire: Wire) -> None:
    answers = [wire.send('[2,"dup","Heartbeat",{}]') for _ in range(2)]
    assert all(answer is not None and answer.startswith('[3,"dup"') for answer in answers)


def test_of_two_equal_keys_the_last_counts(wire: Wire) -> None:
    answer = wire.call("Authorize", {"idTag": "NOBODY"})
    twice = json.loads(wire.send('[2,"id","Authorize",{"idTag":5,"idTag":"NOBODY"}]') or "null")
    assert twice == [3, "id", answer]
