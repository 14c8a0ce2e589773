"""Every 2.0.1 and 2.1 action that is served, from the schema files themselves: schema-valid in, schema-valid out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.ocpp.v21.routes import V21
from chalicelib.ocpp.v201.routes import V201
from chalicelib.ocpp.version import Version
from tests.contract.ocpp import from_schema
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

VERSIONS = {"2.0.1": V201, "2.1": V21}
ACTIONS = [(name, action) for name, version in VERSIONS.items() for action in sorted(version.actions)]
WHILE_PENDING = {"BootNotification", "NotifyReport"}


@pytest.fixture
def wires(world: World, operator: Operator) -> dict[str, Wire]:
    """A placed charger for each version, connected, not booted."""
    found = {}
    for name, version in VERSIONS.items():
        place(world, operator, f"WIRE-{name}")
        found[name] = Wire(world, f"WIRE-{name}")
        echo = {"Sec-WebSocket-Protocol": version.protocol}
        assert found[name].connect(protocols=version.protocol) == (200, echo)
    return found


def all_actions(version: Version) -> set[str]:
    """Every action of the version; the one that is sent unanswered (2.1 SEND) has a schema without a suffix."""
    folder = version.schemas.path("HeartbeatRequest").parent
    return {path.stem.removesuffix("Request").removesuffix("Response") for path in folder.glob("*.json")}


@pytest.mark.parametrize(("name", "count"), [("2.0.1", 64), ("2.1", 91)])
def test_every_action_is_in_exactly_one_place(name: str, count: int) -> None:
    version = VERSIONS[name]
    assert len(all_actions(version)) == count
    places = [*version.actions, *version.commands, *version.unserved]
    assert set(places) == all_actions(version)
    assert sorted(action for action in set(places) if places.count(action) > 1) == ["DataTransfer"]


def test_only_what_comes_unanswered_is_not_served() -> None:
    assert not V201.unserved
    assert set(V21.unserved) == {"NotifyPeriodicEventStream"}


@pytest.mark.parametrize("make", [from_schema.minimal, from_schema.maximal], ids=["minimal", "maximal"])
@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_valid_in_valid_out(wires: dict[str, Wire], name: str, action: str, make: Any) -> None:
    """Also what nobody would send and that conforms all the same: numbers at their ends, texts at their longest."""
    version = VERSIONS[name]
    payload = make(version, f"{action}Request")
    assert version.request_violation(action, payload) is None
    answer = wires[name].call(action, payload)
    assert version.answer_violation(action, answer) is None


@pytest.mark.parametrize("make", [from_schema.minimal, from_schema.maximal], ids=["minimal", "maximal"])
@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_the_same_call_again_gets_the_same_answer(wires: dict[str, Wire], name: str, action: str, make: Any) -> None:
    text = json.dumps([2, "again", action, make(VERSIONS[name], f"{action}Request")])
    assert wires[name].send(text) == wires[name].send(text)


@pytest.mark.parametrize(
    ("name", "action"),
    [
        (name, action)
        for name, version in VERSIONS.items()
        for action in sorted(set(version.commands) - {"DataTransfer"})
    ],
)
def test_what_only_we_may_ask_is_not_served(wires: dict[str, Wire], name: str, action: str) -> None:
    assert wires[name].error(action, {}) == "NotSupported"


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize("action", ["StartTransaction", "authorize", "", "Nonsense"])
def test_what_the_version_does_not_have_is_not_implemented(wires: dict[str, Wire], name: str, action: str) -> None:
    assert wires[name].error(action, {}) == "NotImplemented"


def test_what_2_1_added_is_not_implemented_in_2_0_1(wires: dict[str, Wire]) -> None:
    for action in sorted(set(V21.actions) - set(V201.actions)):
        assert wires["2.0.1"].error(action, {}) == "NotImplemented"


@pytest.mark.parametrize(("name", "action"), ACTIONS)
def test_before_it_is_placed_a_charger_may_only_boot_and_report(
    world: World, operator: Operator, name: str, action: str
) -> None:
    """B02.FR.09, B03.FR.07."""
    place(world, operator, "UNPLACED", placed=False)
    wire = Wire(world, "UNPLACED")
    wire.connect(protocols=VERSIONS[name].protocol)
    payload = from_schema.minimal(VERSIONS[name], f"{action}Request")
    if action in WHILE_PENDING:
        wire.call(action, payload)
    else:
        assert wire.error(action, payload) == "SecurityError"
