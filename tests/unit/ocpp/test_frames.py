"""Every text becomes a frame: nothing a charger sends may raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ocpp import frames
from chalicelib.ocpp.frames import Call, CallError, CallResult, Fault, Malformed

HEARTBEAT = Call("id", "Heartbeat", {})


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('[2,"id","Heartbeat",{}]', HEARTBEAT),
        ('[2,"id","Heartbeat",{}]\x00', HEARTBEAT),
        ('\ufeff[2,"id","Heartbeat",{}]\r\n\x00\x00', HEARTBEAT),
        ('[2,\n "id",\n\t"Heartbeat", {\n}\n]', HEARTBEAT),
        ('[2,"id","Heartbeat",null]', HEARTBEAT),
        ('[2,12345,"Heartbeat",{}]', Call(12345, "Heartbeat", {})),
        ('[2,"","Heartbeat",{}]', Call("", "Heartbeat", {})),
        (f'[2,"{"x" * 40}","Heartbeat",{{}}]', Call("x" * 40, "Heartbeat", {})),
        ('[2,"id","A",{"idTag":"1","idTag":"2"}]', Call("id", "A", {"idTag": "2"})),
        ('[3,"id",{"status":"Accepted"}]', CallResult("id", {"status": "Accepted"})),
        ('[3,"id"]', CallResult("id", None)),
        ("[3,7,{}]", CallResult("7", {})),
        ('[4,"id","GenericError","text",{"a":1}]', CallError("id", "GenericError", "text", {"a": 1})),
        ('[4,"id","FormationViolation",""]', CallError("id", "FormationViolation", "", {})),
        ('[4,"id"]', CallError("id", "", "", {})),
        ('[4,"id",5,null,[]]', CallError("id", "5", "null", [])),
    ],
)
def test_what_is_meant_is_read(text: str, frame: frames.Frame) -> None:
    assert frames.decode(text) == frame


@pytest.mark.parametrize(
    ("text", "malformed"),
    [
        ("", Malformed(Fault.NOT_JSON)),
        ("hello", Malformed(Fault.NOT_JSON)),
        ('[2,"id","X",{', Malformed(Fault.NOT_JSON, 2, "id")),
        (' [ 2 , "i\\"d" , "X"', Malformed(Fault.NOT_JSON, 2, 'i"d')),
        ('[2,"id","X",{"a":NaN}]', Malformed(Fault.NOT_JSON, 2, "id")),
        ('[2,"id","X",{"a":1e400}]', Malformed(Fault.NOT_JSON, 2, "id")),
        ('[2,"id","X",{"a":"\ud800"}]', Malformed(Fault.NOT_JSON, 2, "id")),
        ('[2,"\\ud800","X",{', Malformed(Fault.NOT_JSON, 2)),
        ('[3,"id",{"configurationKey":[]', Malformed(Fault.NOT_JSON, 3, "id")),
        ('[2,"unfinished', Malformed(Fault.NOT_JSON)),
        ("[" * 100_000, Malformed(Fault.NOT_JSON)),
        ('[2,"id","X",' + '{"a":' * 50_000, Malformed(Fault.NOT_JSON, 2, "id")),
        ("{}", Malformed(Fault.NOT_A_FRAME)),
        ("null", Malformed(Fault.NOT_A_FRAME)),
        ("[]", Malformed(Fault.NOT_A_FRAME)),
        ("[2]", Malformed(Fault.NOT_A_FRAME)),
        ('[9,"id","Heartbeat",{}]', Malformed(Fault.MESSAGE_TYPE, 9, "id")),
        ('["2","id","Heartbeat",{}]', Malformed(Fault.MESSAGE_TYPE, None, "id")),
        ('[2.0,"id","Heartbeat",{}]', Malformed(Fault.MESSAGE_TYPE, None, "id")),
        ('[true,"id","Heartbeat",{}]', Malformed(Fault.MESSAGE_TYPE, None, "id")),
        ('[2,null,"Heartbeat",{}]', Malformed(Fault.MESSAGE_ID, 2)),
        ('[2,["id"],"Heartbeat",{}]', Malformed(Fault.MESSAGE_ID, 2)),
        ('[2,true,"Heartbeat",{}]', Malformed(Fault.MESSAGE_ID, 2)),
        (f'[2,"{"x" * 2000}","Heartbeat",{{}}]', Malformed(Fault.MESSAGE_ID, 2)),
        ('[3,{},"Heartbeat"]', Malformed(Fault.MESSAGE_ID, 3)),
        ('[2,"id","Heartbeat"]', Malformed(Fault.ELEMENT_COUNT, 2, "id")),
        ('[2,"id","Heartbeat",{},{}]', Malformed(Fault.ELEMENT_COUNT, 2, "id")),
        ('[2,"id",5,{}]', Malformed(Fault.ACTION, 2, "id")),
        ('[2,"id","Heartbeat",[]]', Malformed(Fault.PAYLOAD, 2, "id")),
        ('[2,"id","Heartbeat","text"]', Malformed(Fault.PAYLOAD, 2, "id")),
        ('[2,"id","Heartbeat",0]', Malformed(Fault.PAYLOAD, 2, "id")),
    ],
)
def test_what_cannot_be_read_says_why(text: str, malformed: Malformed) -> None:
    assert frames.decode(text) == malformed


@given(st.text())
def test_no_text_raises(text: str) -> None:
    frames.decode(text)


@given(st.text(alphabet='[]{}",:23456789.eE+-\\u d8tfnul\x00\ufeff', max_size=60))
def test_no_text_that_looks_like_json_raises(text: str) -> None:
    frames.decode(text)


def test_a_number_is_echoed_as_a_number() -> None:
    assert frames.encode_result(12345, {}) == "[3,12345,{}]"


def test_encoding() -> None:
    assert frames.encode_call("c1", "Reset", {"type": "Hard"}) == b'[2,"c1","Reset",{"type":"Hard"}]'
    assert frames.encode_error("id", "InternalError") == '[4,"id","InternalError","",{}]'


def test_an_error_description_is_at_most_255_characters() -> None:
    assert frames.encode_error("id", "InternalError", "x" * 300) == f'[4,"id","InternalError","{"x" * 255}",{{}}]'
