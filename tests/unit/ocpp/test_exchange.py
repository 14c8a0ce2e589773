"""OCPP-J: what is answered to what in which version, and what is never answered."""

from __future__ import annotations

import pytest

from chalicelib.ocpp import frames
from chalicelib.ocpp.errors import V2_FAULTS, V16_FAULTS, V21_FAULTS, Failure
from chalicelib.ocpp.exchange import Ignore, Refuse, Serve, Settle, Step, next_step
from chalicelib.ocpp.frames import Call, Fault


def step(text: str) -> Step:
    return next_step(frames.decode(text), V16_FAULTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[2,"id","Heartbeat",{}]', Serve(Call("id", "Heartbeat", {}))),
        ('[2,"id","X",{', Refuse("id", Failure.FORMATION, "not_json")),
        ('[2,"id","X"]', Refuse("id", Failure.FORMATION, "element_count")),
        ('[2,"id","X",{},1]', Refuse("id", Failure.FORMATION, "element_count")),
        ('[2,{},"X",{}]', Refuse("-1", Failure.FORMATION, "message_id")),
        ('[2,"id",{},{}]', Refuse("id", Failure.NOT_IMPLEMENTED, "action")),
        ('[2,"id","X",[]]', Refuse("id", Failure.FORMATION, "payload")),
        ('[3,"id",{"a":1}]', Settle("id", {"a": 1})),
        ('[3,"id",{"a":', Settle("id", error="the charger's answer is malformed (not_json)")),
        ('[4,"id","NotSupported","no",{}]', Settle("id", error="NotSupported: no")),
        ('[4,"id","NotSupported",""]', Settle("id", error="NotSupported")),
        (f'[4,"id","X","{"y" * 5000}",{{}}]', Settle("id", error="X: " + "y" * 497)),
    ],
)
def test_steps(text: str, expected: Step) -> None:
    assert step(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{}",
        "[]",
        "[2]",
        "5",
        '[2,"unfinished',
        '[0,"id","X",{}]',
        '["2","id","X",{}]',
        "[3,{},{}]",
        '[9,"id",{',
        '[5,"id","X","",{}]',
        '[6,"id","X",{}]',
    ],
)
def test_silence(text: str) -> None:
    assert isinstance(step(text), Ignore)


@pytest.mark.parametrize(
    ("text", "in_2_0_1", "in_2_1"),
    [
        ("nonsense", Refuse("-1", Failure.FRAMEWORK, "unreadable"), None),
        ('[2,"unfinished', Refuse("-1", Failure.FRAMEWORK, "unreadable"), None),
        ('[2,"id","X",{', Refuse("id", Failure.FRAMEWORK, "not_json"), None),
        ("{}", Refuse("-1", Failure.FRAMEWORK, "not_a_frame"), None),
        ("[2]", Refuse("-1", Failure.FRAMEWORK, "not_a_frame"), None),
        ('[9,"id","X",{}]', Refuse("id", Failure.MESSAGE_TYPE, "message_type"), None),
        ('["2","id","X",{}]', Refuse("id", Failure.MESSAGE_TYPE, "message_type"), None),
        ("[9,{}]", Refuse("-1", Failure.MESSAGE_TYPE, "message_type"), None),
        ('[5,"id","X","",{}]', Refuse("id", Failure.MESSAGE_TYPE, "newer_type"), Ignore("newer_type")),
        ('[6,"id","X",{}]', Refuse("id", Failure.MESSAGE_TYPE, "newer_type"), Ignore("newer_type")),
        ('[6,"id",{', Refuse("id", Failure.MESSAGE_TYPE, "newer_type"), Ignore("newer_type")),
        ("[6]", Refuse("-1", Failure.MESSAGE_TYPE, "newer_type"), Ignore("newer_type")),
        ("[2,{},{},{}]", Refuse("-1", Failure.FRAMEWORK, "message_id"), None),
        ('[2,"id","X"]', Refuse("id", Failure.FRAMEWORK, "element_count"), None),
        ('[2,"id",5,{}]', Refuse("id", Failure.FRAMEWORK, "action"), None),
        ('[2,"id","X",[]]', Refuse("id", Failure.FORMATION, "payload"), None),
        ('[3,"unfinished', Ignore("unreadable"), None),
        ("[3]", Ignore("not_a_frame"), None),
        ('[4,"id",{', Settle("id", error="the charger's answer is malformed (not_json)"), None),
    ],
)
def test_steps_of_2_x(text: str, in_2_0_1: Step, in_2_1: Step | None) -> None:
    """`in_2_1` where it differs."""
    frame = frames.decode(text)
    assert next_step(frame, V2_FAULTS) == in_2_0_1
    assert next_step(frame, V21_FAULTS) == (in_2_1 or in_2_0_1)


@pytest.mark.parametrize("faults", [V16_FAULTS, V2_FAULTS, V21_FAULTS], ids=["1.6", "2.0.1", "2.1"])
def test_every_fault_has_its_row(faults: dict[Fault, Failure | None]) -> None:
    assert set(faults) == set(Fault)
