"""One delivery, told in every order that a bad line makes of it: one session with all of its energy, and paid once, to
the cent."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.ocpp.field import CARD, MONEY, Field, build_field
from tests.world import build

DELIVERED_WH, CENTS = 2000, 70
READING = {"unitOfMeasure": {"unit": "Wh"}}


def event(kind: str, seq_no: int, minute: int, wh: int, **more: Any) -> dict[str, Any]:
    at = f"2026-03-02T07:{minute:02d}:00Z"
    return {
        "eventType": kind,
        "seqNo": seq_no,
        "timestamp": at,
        "triggerReason": "Authorized",
        "transactionInfo": {"transactionId": "T-1"},
        "evse": {"id": 1},
        "meterValue": [{"timestamp": at, "sampledValue": [{"value": wh, **READING}]}],
        **more,
    }


EVENTS = [
    event("Started", 0, 0, 1000, idToken={"idToken": CARD, "type": "ISO14443"}),
    event("Updated", 1, 10, 1500),
    event("Updated", 2, 20, 2500),
    event("Ended", 3, 30, 1000 + DELIVERED_WH),
]


def frames_of_1_6(transaction_id: int) -> list[tuple[str, dict[str, Any]]]:
    at = "2026-03-02T07:{:02d}:00Z"
    start = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": at.format(0)}

    def meter(minute: int, wh: int) -> dict[str, Any]:
        values = [{"timestamp": at.format(minute), "sampledValue": [{"value": str(wh)}]}]
        return {"connectorId": 1, "transactionId": transaction_id, "meterValue": values}

    stop = {"transactionId": transaction_id, "meterStop": 1000 + DELIVERED_WH, "timestamp": at.format(30)}
    return [
        ("StartTransaction", start),
        ("MeterValues", meter(10, 1500)),
        ("MeterValues", meter(20, 2500)),
        ("StopTransaction", {**stop, "idTag": CARD, "reason": "Local"}),
    ]


def in_a_world(protocol: str, play: Callable[[Field], None]) -> None:
    """A platform of its own for each telling."""
    world = build()
    try:
        field = build_field(world, world.operator(), protocol)
        play(field)
        session = field.session()
        assert (session.state, session.energy_wh, session.cost) == ("settled", DELIVERED_WH, CENTS)
        assert field.cents() == MONEY - CENTS
        assert field.orphans() == []
    finally:
        world.close()


def tell(field: Field, message_id: str, action: str, payload: dict[str, Any]) -> Any:
    return field.result(json.dumps([2, message_id, action, payload]))


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
@pytest.mark.parametrize(
    "order", list(itertools.permutations(range(len(EVENTS)))), ids=lambda order: "".join(map(str, order))
)
def test_every_order_of_the_events_of_a_transaction(protocol: str, order: tuple[int, ...]) -> None:
    def play(field: Field) -> None:
        for number in order:
            tell(field, f"e{number}", "TransactionEvent", EVENTS[number])

    in_a_world(protocol, play)


slowly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@slowly
@given(order=st.lists(st.integers(0, 3), max_size=8), more=st.permutations(range(4)), again=st.booleans())
def test_events_doubled_and_shuffled(order: list[int], more: list[int], again: bool) -> None:
    """Each at least once, some often, under the old message id or a new one, over two sockets."""

    def play(field: Field) -> None:
        for turn, number in enumerate([*order, *more]):
            tell(field, f"e{turn if again else number}", "TransactionEvent", EVENTS[number])
            if turn == len(order):
                field.wire.connect()

    in_a_world("ocpp2.0.1", play)


@slowly
@given(
    echoes=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6),
    again=st.booleans(),
    wait_s=st.sampled_from([0, 1, 3600]),
)
def test_frames_of_1_6_told_again_later(echoes: list[tuple[int, int]], again: bool, wait_s: int) -> None:
    """After each frame any earlier one may come again; the start always first, for it gives the id."""

    def play(field: Field) -> None:
        transaction_id = 0
        for number in range(4):
            for told in [number, *(what for after, what in echoes if after == number and what <= number)]:
                action, payload = frames_of_1_6(transaction_id)[told]
                answer = tell(field, f"m{number if again else told}", action, payload)
                if told == 0:
                    assert transaction_id in (0, answer["transactionId"])
                    transaction_id = answer["transactionId"]
                field.world.advance(wait_s)

    in_a_world("ocpp1.6", play)
