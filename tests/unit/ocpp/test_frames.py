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
        ("", Malformed(Fault.UNREADABLE)),
        ("hello", Malformed(Fault.UNREADABLE)),
        ('[2,"id","X",{', Malformed(Fault.NOT_JSON, 2, "id")),
        (' [ 2 , "i\\"d" , "X"', Malformed(Fault.NOT_JSON, 2, 'i"d')),
        ('[2,"\\ud800","X",{', Malformed(Fault.UNREADABLE, 2)),
        ('[2,"id","X",{"a":1,,}]', Malformed(Fault.NOT_JSON, 2, "id")),
        ('[2,"id","X",{a:1}]', Malformed(Fault.NOT_JSON, 2, "id")),
        ('[2,"id","X",{"a":"tag\\"}]', Malformed(Fault.NOT_JSON, 2, "id")),
        ('[3,"id",{"configurationKey":[]', Malformed(Fault.NOT_JSON, 3, "id")),
        ('[2,"unfinished', Malformed(Fault.UNREADABLE, 2)),
        ('[3,"unfinished', Malformed(Fault.UNREADABLE, 3)),
        ("[4,", Malformed(Fault.UNREADABLE, 4)),
        ('[2,77,"X",{', Malformed(Fault.NOT_JSON, 2, 77)),
        ('[5,"id",{', Malformed(Fault.NEWER_TYPE, 5, "id")),
        ('[9,"id",{', Malformed(Fault.MESSAGE_TYPE, 9, "id")),
        ("[9", Malformed(Fault.UNREADABLE)),
        ("[" * 100_000, Malformed(Fault.UNREADABLE)),
        ('[2,"id","X",' + '{"a":' * 50_000, Malformed(Fault.NOT_JSON, 2, "id")),
        ("{}", Malformed(Fault.NOT_A_FRAME)),
        ("null", Malformed(Fault.NOT_A_FRAME)),
        ("[]", Malformed(Fault.NOT_A_FRAME)),
        ("[2]", Malformed(Fault.NOT_A_FRAME, 2)),
        ("[3]", Malformed(Fault.NOT_A_FRAME, 3)),
        ('["2"]', Malformed(Fault.NOT_A_FRAME)),
        ("[6]", Malformed(Fault.NEWER_TYPE, 6)),
        ('[5,"id","GenericError","",{}]', Malformed(Fault.NEWER_TYPE, 5, "id")),
        ('[6,"id","NotifyPeriodicEventStream",{}]', Malformed(Fault.NEWER_TYPE, 6, "id")),
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


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ('[2,"id","Heartbeat",{}]', []),
        (' [2,"id","Heartbeat",{}]\r\n', []),
        ('[2,5,"Heartbeat",{}]', ["message_id_not_text"]),
        (f'[2,"{"x" * 37}","Heartbeat",{{}}]', ["message_id_too_long"]),
        ('[2,"id","Heartbeat",{}]\x00', ["padding"]),
        ('\ufeff[2,7,"Heartbeat",{}]', ["message_id_not_text", "padding"]),
    ],
)
def test_what_was_forgiven_is_named(text: str, rules: list[str]) -> None:
    call = frames.decode(text)
    assert isinstance(call, Call)
    assert [rule for rule, _ in frames.oddities(text, call)] == rules


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ('{"a":NaN,"b":Infinity,"c":-Infinity,"d":1}', {"a": None, "b": None, "c": None, "d": 1}),
        ('{"a":1e400,"b":-1e999}', {"a": None, "b": None}),
        ('{"a":"\\ud800x"}', {"a": "?x"}),
        ('{"a":"\ud800x"}', {"a": "?x"}),
        ('{"a":"two\nlines\tand a tab"}', {"a": "two\nlines\tand a tab"}),
        ('{"a":[1,2,],"b":{"c":1 , },}', {"a": [1, 2], "b": {"c": 1}}),
        ('{"a":"not ,} this ,]","b":[1,]}', {"a": "not ,} this ,]", "b": [1]}),
        ('{"a":"quoted \\",}","b":[1,]}', {"a": 'quoted ",}', "b": [1]}),
    ],
)
def test_what_is_nearly_json_is_read(text: str, payload: dict[str, object]) -> None:
    frame = frames.decode(f'[2,"id","X",{text}]')
    assert frame == Call("id", "X", payload, is_mended=True)
    assert isinstance(frame, Call)
    assert ("nearly_json", "") in frames.oddities(text, frame)


def test_the_longest_rubbish_is_looked_at_once() -> None:
    """128 KB of quotes that never end: a second's work would already be minutes with a pattern that starts over."""
    for rubbish in ('\\"' * 65_000, '",' * 65_000, "\\" * 130_000, ",  " * 43_000, '"' * 130_000):
        assert isinstance(frames.decode(f'[2,"id","X",{{"a":"{rubbish}'), Malformed)
