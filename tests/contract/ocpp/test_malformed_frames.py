"""OCPP-J 1.6, 4.1.3 to 4.2.3: which CALLERROR a malformed frame gets, and which frames get none.

Each row is a text and the codes that the standard allows for it, the preferred one first; `None` is silence. The
connection survives all of them.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.ocpp.wire import Wire

DEEP = "[" * 200 + "]" * 200
BOTTOMLESS = '{"a":' * 40_000

ROWS: list[tuple[str, str, str | None]] = [
    ("not JSON, id unreadable", "Heartbeat please", None),
    ("empty message", "", None),
    ("not JSON, id recoverable", '[2,"id","Heartbeat",{', "FormationViolation"),
    ("JSON, but an object", '{"id":"id"}', None),
    ("an empty array", "[]", None),
    ("an array that stops after the type", "[2]", None),
    ("message type 0", '[0,"id","Heartbeat",{}]', None),
    ("message type 9", '[9,"id","Heartbeat",{}]', None),
    ("message type as text", '["2","id","Heartbeat",{}]', None),
    ("3 elements", '[2,"id","Heartbeat"]', "FormationViolation"),
    ("5 elements", '[2,"id","Heartbeat",{},{}]', "FormationViolation"),
    ("unknown action", '[2,"id","MakeCoffee",{}]', "NotImplemented"),
    ("known action in wrong case", '[2,"id","heartbeat",{}]', "NotImplemented"),
    ("action is a number", '[2,"id",5,{}]', "NotImplemented"),
    ("action of OCPP 2.0.1", '[2,"id","TransactionEvent",{}]', "NotImplemented"),
    ("an action for chargers", '[2,"id","Reset",{"type":"Hard"}]', "NotSupported"),
    ("an action of a profile not served", '[2,"id","SignCertificate",{"csr":"x"}]', "NotSupported"),
    ("payload is an array", '[2,"id","Heartbeat",[]]', "FormationViolation"),
    ("payload is a text", '[2,"id","Heartbeat","{}"]', "FormationViolation"),
    ("payload is a number", '[2,"id","Heartbeat",0]', "FormationViolation"),
    ("required field missing", '[2,"id","Authorize",{}]', "ProtocolError"),
    ("payload null where fields are required", '[2,"id","Authorize",null]', "ProtocolError"),
    ("unknown field", '[2,"id","Heartbeat",{"x":1}]', "FormationViolation"),
    ("wrong JSON type", '[2,"id","Authorize",{"idTag":7}]', "TypeConstraintViolation"),
    ("field null", '[2,"id","Authorize",{"idTag":null}]', "TypeConstraintViolation"),
    ("text too long", '[2,"id","Authorize",{"idTag":"123456789012345678901"}]', "PropertyConstraintViolation"),
    (
        "enum value unknown",
        '[2,"id","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Sleeping"}]',
        "PropertyConstraintViolation",
    ),
    ("array too short", '[2,"id","MeterValues",{"connectorId":1,"meterValue":[]}]', "OccurenceConstraintViolation"),
    (
        "number beyond all bounds",
        '[2,"id","StopTransaction",{"transactionId":1,"meterStop":1e30,"timestamp":"2026-03-02T08:00:00Z"}]',
        "TypeConstraintViolation",
    ),
    (
        "integer beyond all bounds",
        f'[2,"id","StopTransaction",{{"transactionId":1,"meterStop":{10**30},"timestamp":"2026-03-02T08:00:00Z"}}]',
        "PropertyConstraintViolation",
    ),
    ("not a number", '[2,"id","Authorize",{"idTag":NaN}]', "FormationViolation"),
    ("nested deeply", f'[2,"id","Heartbeat",{{"a":{DEEP}}}]', "FormationViolation"),
    ("nested without end", f'[2,"id","Heartbeat",{BOTTOMLESS}', "FormationViolation"),
    ("half a surrogate pair", '[2,"id","Authorize",{"idTag":"\\ud800"}]', "FormationViolation"),
    ("CALLRESULT that nobody waits for", '[3,"id",{}]', None),
    ("CALLERROR that nobody waits for", '[4,"id","GenericError","",{}]', None),
    ("CALLERROR with three elements", '[4,"id","GenericError"]', None),
    ("broken CALLRESULT", '[3,"id",{"status":', None),
]


@pytest.mark.parametrize(("text", "code"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_code(wire: Wire, text: str, code: str | None) -> None:
    answer = wire.send(text)
    if code is None:
        assert answer is None
    else:
        kind, message_id, sent, description, details = json.loads(answer or "null")
        assert (kind, message_id, sent) == (4, "id", code)
        assert isinstance(description, str)
        assert len(description) <= 255
        assert details == {}
    assert "currentTime" in wire.call("Heartbeat", {})


TOLERATED: list[tuple[str, str, Any]] = [
    ("trailing NUL", '[2,"id","Heartbeat",{}]\x00', "id"),
    ("byte order mark", '\ufeff[2,"id","Heartbeat",{}]', "id"),
    ("pretty printed", '[\n  2,\n  "id",\n  "Heartbeat",\n  {\n  }\n]\r\n', "id"),
    ("payload null", '[2,"id","Heartbeat",null]', "id"),
    ("numeric id comes back as a number", '[2,12345,"Heartbeat",{}]', 12345),
    ("empty id", '[2,"","Heartbeat",{}]', ""),
    ("id of 40 characters", f'[2,"{"0123456789" * 4}","Heartbeat",{{}}]', "0123456789" * 4),
]


@pytest.mark.parametrize(("text", "message_id"), [row[1:] for row in TOLERATED], ids=[row[0] for row in TOLERATED])
def test_tolerated(wire: Wire, text: str, message_id: Any) -> None:
    answer = json.loads(wire.send(text) or "null")
    assert answer[:2] == [3, message_id]
    assert "currentTime" in answer[2]


@pytest.mark.parametrize("message_id", ["null", "[]", "{}", "true", "1.5", json.dumps("x" * 2000)])
def test_an_id_that_cannot_be_echoed_is_answered_under_minus_one(wire: Wire, message_id: str) -> None:
    answer = json.loads(wire.send(f'[2,{message_id},"Heartbeat",{{}}]') or "null")
    assert answer[:3] == [4, "-1", "FormationViolation"]


def test_the_same_id_twice_is_answered_twice(wire: Wire) -> None:
    answers = [wire.send('[2,"dup","Heartbeat",{}]') for _ in range(2)]
    assert all(answer is not None and answer.startswith('[3,"dup"') for answer in answers)


def test_of_two_equal_keys_the_last_counts(wire: Wire) -> None:
    answer = wire.call("Authorize", {"idTag": "NOBODY"})
    twice = json.loads(wire.send('[2,"id","Authorize",{"idTag":5,"idTag":"NOBODY"}]') or "null")
    assert twice == [3, "id", answer]
