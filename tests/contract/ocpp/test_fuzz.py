"""Damage to valid frames of every action of every version: always an answer or silence as the standard says, never an
exception, and nobody's money moves.

Two sweeps damage each place of each payload in ways that follow the schema; hypothesis damages at random.
"""

from __future__ import annotations

import copy
import json
import logging
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.ocpp.errors import Failure
from chalicelib.ocpp.repairs import NEVER_LOST
from chalicelib.ocpp.schemas import Violation
from chalicelib.ocpp.version import Version
from chalicelib.ocpp.versions import VERSIONS
from tests.contract.ocpp import from_schema, people
from tests.contract.ocpp.test_actions import MAXIMAL, MINIMAL
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

CODES = {
    protocol: {code for failure, code in version.codes.items() if failure is not Failure.INTERNAL}
    for protocol, version in VERSIONS.items()
}
MESSAGE_LIMIT = 128 * 1024
"""What is longer does not reach us."""
TERMINAL = {"accepted", "rejected", "failed"}
DAMAGES_PER_PLACE = 3
Place = tuple[str | int, ...]


@pytest.fixture
def wires(world: World, operator: Operator, caplog: pytest.LogCaptureFixture) -> Iterator[dict[str, Wire]]:
    """A placed, booted charger of each version. Nothing may be logged as an error while they speak."""
    caplog.set_level(logging.ERROR)
    found = {}
    for number, protocol in enumerate(VERSIONS):
        place(world, operator, f"FUZZ-{number}")
        found[protocol] = Wire(world, f"FUZZ-{number}", protocol=protocol)
        assert found[protocol].connect()[0] == 200
        found[protocol].boot()
    yield found
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def check(protocol: str, text: str, answer: str | None) -> None:
    """What any frame may be answered with; what a CALL must be."""
    version = VERSIONS[protocol]
    if answer is not None:
        frame = json.loads(answer)
        if frame[0] == 3:
            assert len(frame) == 3
            assert isinstance(frame[2], dict)
        else:
            kind, _, code, description, details = frame
            assert kind == 4
            assert code in CODES[protocol], text
            assert len(description) <= 255
            assert details == {}
    try:
        sent = json.loads(text)
    except ValueError:
        return
    if isinstance(sent, list) and len(sent) == 4 and sent[0] == 2 and type(sent[0]) is int and is_text(sent[1]):
        assert answer is not None, text
        result = json.loads(answer)
        assert result[1] == sent[1]
        if result[0] == 3:
            assert version.answer_violation(sent[2], result[2]) is None, text
        elif isinstance(sent[3], dict) and isinstance(sent[2], str):
            assert sent[2] not in NEVER_LOST & set(version.actions), (text, answer)


def is_text(value: Any) -> bool:
    """Not so half a surrogate pair, which `json` lets pass and JSON does not."""
    return type(value) is str and value.encode(errors="replace").decode() == value


# -- sweeps ---------------------------------------------------------------------------------------------------


def places(node: Any, path: Place = ()) -> Iterator[Place]:
    """Every place within a payload; of an array its first element."""
    children: list[tuple[str | int, Any]] = []
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list) and node:
        children = [(0, node[0])]
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def lean(node: Any) -> Any:
    """With one element in each array."""
    if isinstance(node, dict):
        return {key: lean(child) for key, child in node.items()}
    return [lean(child) for child in node[:1]] if isinstance(node, list) else node


def fresh_places(payload: Any, seen: set[Place]) -> Iterator[Place]:
    """Those at the top, and below it what no other action had: the same objects come in many of them."""
    for path in places(payload):
        kind = tuple(key for key in path if isinstance(key, str))[-2:]
        if len(path) == 1 or kind not in seen:
            seen.add(kind)
            yield path


def replaced(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


DAMAGES: list[Callable[[Any], Any]] = [
    *(replaced(value) for value in (None, "", {}, [], 0, -1, True, "rubbish", 12.5, 10**30, 1e300, ["x"], {"x": [1]})),
    lambda value: [value],
    lambda value: [value] * 1100,
    lambda value: str(value).lower(),
    lambda value: str(value).upper(),
    lambda value: f"{value} kWh",
    lambda value: str(value) + "x" * 8000,
    lambda value: {**value, "rogue": {"a": [1]}} if isinstance(value, dict) else str(value),
    lambda value: value[0] if isinstance(value, list) and value else value,
    lambda value: float(value) if isinstance(value, int) else value,
]


def damaged(payload: Any, path: Place) -> Iterator[Any]:
    """The payload without this place, and with some of DAMAGES there: which, the place itself decides."""
    picks = zlib.crc32(repr(path).encode())
    for damage in (None, *(DAMAGES[(picks + 7 * turn) % len(DAMAGES)] for turn in range(DAMAGES_PER_PLACE))):
        copied = copy.deepcopy(payload)
        node = copied
        for key in path[:-1]:
            node = node[key]
        if damage is None:
            del node[path[-1]]
        else:
            node[path[-1]] = damage(node[path[-1]])
        yield copied


def seeds_of(version: Version, action: str) -> list[Any]:
    name = action + version.request_suffix
    return [from_schema.minimal(version, name), from_schema.maximal(version, name)]


@pytest.mark.parametrize("protocol", list(VERSIONS))
def test_each_place_of_each_request(world: World, operator: Operator, wires: dict[str, Wire], protocol: str) -> None:
    rich = people.driver(world, operator, cents=1000, card="RICH")
    version, wire = VERSIONS[protocol], wires[protocol]
    seen: set[Place] = set()
    for action in sorted(version.actions):
        full = lean(seeds_of(version, action)[1])
        for path in fresh_places(full, seen):
            for payload in damaged(full, path):
                text = json.dumps([2, "id", action, payload])
                if len(text) <= MESSAGE_LIMIT:
                    check(protocol, text, wire.send(text))
    assert people.cents_of(world, rich) == 1000


@pytest.mark.parametrize("protocol", list(VERSIONS))
def test_each_place_of_each_answer(world: World, wires: dict[str, Wire], protocol: str) -> None:
    """Whatever comes back for a command of ours, the command ends and the next one goes out."""
    version, wire = VERSIONS[protocol], wires[protocol]
    for action in sorted(version.commands):
        request = from_schema.minimal(version, action + version.request_suffix)
        full = from_schema.maximal(version, f"{action}Response")
        tops = [path for path in places(full) if len(path) == 1]
        answers = [full, None, *(payload for path in tops[:2] for payload in damaged(full, path))]
        for payload in answers:
            command = wire.queue(action, request)
            posted = wire.commands()
            if not posted:  # the schema alone does not make a sensible command of each action
                assert wire.outcome(command)[0] == "failed"
                break
            assert wire.send(json.dumps([3, posted[-1][1], payload])) is None
            assert wire.outcome(command)[0] in TERMINAL
            read = version.read_answer(action, payload, world.ctx.now())
            assert (wire.outcome(command)[0] == "failed") == isinstance(read, Violation)


# -- at random ------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=30)
    | st.sampled_from(["", "Accepted", "2026-03-02T08:00:00Z", "0", "1e3", "NaN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SEEDS = [
    *(("ocpp1.6", [2, "id", action, table[action]]) for action in MINIMAL for table in (MINIMAL, MAXIMAL)),
    *(
        (protocol, [2, "id", action, payload])
        for protocol, version in VERSIONS.items()
        for action in sorted(version.actions)
        for payload in seeds_of(version, action)
    ),
]
seeds = st.sampled_from(SEEDS)
Sent = tuple[str, str]


@st.composite
def damaged_values(draw: Callable[[Any], Any]) -> Sent:
    """A valid CALL with one to three values somewhere inside replaced, removed or added."""
    protocol, seed = draw(seeds)
    frame = copy.deepcopy(seed)
    for _ in range(draw(st.integers(1, 3))):
        node: Any = frame
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(node[key], dict | list) and draw(st.booleans()):
                node = node[key]
                continue
            change = draw(st.sampled_from(["replace", "remove", "add"]))
            if change == "replace":
                node[key] = draw(json_values)
            elif change == "remove":
                del node[key]
            elif isinstance(node, dict):
                node[draw(st.text(max_size=10))] = draw(json_values)
            else:
                node.append(draw(json_values))
            break
    return protocol, json.dumps(frame)


@st.composite
def damaged_texts(draw: Callable[[Any], Any]) -> Sent:
    """The text of a valid CALL, cut off, with characters exchanged or put in."""
    protocol, seed = draw(seeds)
    text = json.dumps(seed)
    place_ = draw(st.integers(0, len(text)))
    junk = draw(st.text(alphabet='[]{}",:\\\x00\ufeff\ud8000e-9naé', max_size=4))
    kept = draw(st.sampled_from([0, 1, 5, len(text)]))
    return protocol, text[:place_] + junk + text[place_ + 1 : place_ + 1 + kept]


protocols = st.sampled_from(sorted(VERSIONS))
lasting = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@lasting
@given(sent=damaged_values())
def test_damaged_values(wires: dict[str, Wire], sent: Sent) -> None:
    protocol, text = sent
    check(protocol, text, wires[protocol].send(text))


@lasting
@given(sent=damaged_texts())
def test_damaged_texts(wires: dict[str, Wire], sent: Sent) -> None:
    protocol, text = sent
    check(protocol, text, wires[protocol].send(text))


@lasting
@given(protocol=protocols, text=st.text(max_size=80) | st.text(alphabet='[]{}",:23456 id\\', max_size=30))
def test_any_text(wires: dict[str, Wire], protocol: str, text: str) -> None:
    check(protocol, text, wires[protocol].send(text))


@settings(lasting, max_examples=40)
@given(frames=st.lists(damaged_values() | damaged_texts(), max_size=12))
def test_no_damage_moves_money(world: World, operator: Operator, wires: dict[str, Wire], frames: list[Sent]) -> None:
    rich = people.driver(world, operator, cents=1000, card=f"RICH-{world.ctx.new_id('x')[-8:]}")
    for protocol, text in frames:
        check(protocol, text, wires[protocol].send(text))
    assert people.cents_of(world, rich) == 1000


@lasting
@given(
    identity=st.text(max_size=20),
    headers=st.dictionaries(
        st.sampled_from(["Authorization", "authorization", "Sec-WebSocket-Protocol", "x-origin-verify", "X"]),
        st.text(max_size=40) | st.sampled_from(["Basic ", "Basic V0lSRS0xOng=", ",,", "ocpp1.6,,ocpp2.0.1"]),
    ),
)
def test_any_handshake_is_decided(wire: Wire, identity: str, headers: dict[str, str]) -> None:
    status, _ = wire.connect(identity=identity, password=None, protocols=None, headers=headers)
    assert status in {400, 401, 404}
