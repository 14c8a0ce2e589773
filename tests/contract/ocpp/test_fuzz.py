"""Random damage to valid frames: always an answer or silence as the standard says, never an exception, and nobody's
money moves."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.ocpp.errors import V16_CODES, Failure
from chalicelib.ocpp.v16.routes import ACTIONS, V16
from tests.contract.ocpp import people
from tests.contract.ocpp.test_actions import MAXIMAL, MINIMAL
from tests.contract.ocpp.wire import Wire
from tests.world import Operator, World

CODES = {code for failure, code in V16_CODES.items() if failure is not Failure.INTERNAL}

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
seeds = st.sampled_from(sorted(ACTIONS)).flatmap(
    lambda action: st.sampled_from([[2, "id", action, MINIMAL[action]], [2, "id", action, MAXIMAL[action]]])
)


@st.composite
def damaged_values(draw: Callable[[Any], Any]) -> Any:
    """A valid CALL with one to three values somewhere inside replaced, removed or added."""
    frame = copy.deepcopy(draw(seeds))
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
    return json.dumps(frame)


@st.composite
def damaged_texts(draw: Callable[[Any], Any]) -> str:
    """The text of a valid CALL, cut off, with characters exchanged or put in."""
    text = json.dumps(draw(seeds))
    place = draw(st.integers(0, len(text)))
    junk = draw(st.text(alphabet='[]{}",:\\\x00\ufeff\ud8000e-9naé', max_size=4))
    kept = draw(st.sampled_from([0, 1, 5, len(text)]))
    return text[:place] + junk + text[place + 1 : place + 1 + kept]


def check(answer: str | None) -> None:
    if answer is None:
        return
    frame = json.loads(answer)
    if frame[0] == 3:
        assert len(frame) == 3
        assert isinstance(frame[2], dict)
        return
    kind, _, code, description, details = frame
    assert kind == 4
    assert code in CODES
    assert len(description) <= 255
    assert details == {}


lasting = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@lasting
@given(text=damaged_values())
def test_damaged_values(wire: Wire, text: str) -> None:
    frame = json.loads(text)
    answer = wire.send(text)
    check(answer)
    if isinstance(frame, list) and len(frame) == 4 and frame[0] == 2 and isinstance(frame[1], str):
        assert answer is not None
        result = json.loads(answer)
        assert result[1] == frame[1]
        if result[0] == 3:
            assert V16.schemas.violation(f"{frame[2]}Response", result[2]) is None


@lasting
@given(text=damaged_texts())
def test_damaged_texts(wire: Wire, text: str) -> None:
    check(wire.send(text))


@lasting
@given(text=st.text(max_size=80))
def test_any_text(wire: Wire, text: str) -> None:
    check(wire.send(text))


@settings(lasting, max_examples=60)
@given(texts=st.lists(damaged_values() | damaged_texts(), max_size=12))
def test_no_damage_moves_money(world: World, operator: Operator, wire: Wire, texts: list[str]) -> None:
    rich = people.driver(world, operator, cents=1000, card=f"RICH-{world.ctx.new_id('x')[-8:]}")
    for text in texts:
        check(wire.send(text))
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
