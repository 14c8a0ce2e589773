"""OCPP-J 1.6: what is answered to what, and what is never answered."""

from __future__ import annotations

import pytest

from chalicelib.ocpp import frames
from chalicelib.ocpp.errors import V16_FAULTS, Failure
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
    ],
)
def test_silence(text: str) -> None:
    assert isinstance(step(text), Ignore)


def test_every_fault_has_its_row_in_1_6() -> None:
    assert set(V16_FAULTS) == set(Fault)
