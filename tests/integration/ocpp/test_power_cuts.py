"""The process dies between any two calls of the store: the frame that is sent again gives the same session and money.

Every place is tried: before each call (nothing of it happened) and after it (it happened, nobody heard). The cut is a
BaseException, so that no handler of ours can answer in its place, and what was in memory is gone after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

import pytest

from chalicelib.ocpp import jobs
from infra.local import aws_hooks
from tests import world as worlds
from tests.integration.ocpp.street import Street, open_street
from tests.site import build_site
from tests.world import World

Prepared = TypeVar("Prepared")

MOST_CALLS = 60
CHARGED_SEVEN = [("top_up", 2000), ("consumption", -500), ("refund", 493)]


class PowerCut(BaseException):
    """The process is no more."""


class Fuse:
    """Blows at the `number`-th call of the store; `after`: once the call has been done."""

    def __init__(self, world: World, number: int, *, after: bool) -> None:
        self.blown = False
        self._world = world
        self._left = number
        self._after = after

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self._left -= 1
        if self._left != 0:
            return self._world.engine.execute(operation, request)
        self.blown = True
        if self._after:
            self._world.engine.execute(operation, request)
        raise PowerCut(operation)


@contextmanager
def fused(street: Street, number: int, *, after: bool) -> Iterator[Fuse]:
    """Inside, the process dies at that call; afterwards another one takes over."""
    fuse = Fuse(street.world, number, after=after)
    restore = aws_hooks.register("dynamodb", fuse.call)
    try:
        yield fuse
    except PowerCut:
        pass
    finally:
        restore()
    if fuse.blown:
        street.restart_platform()


@contextmanager
def new_street() -> Iterator[Street]:
    world = worlds.build()
    try:
        yield open_street(build_site(world))
    finally:
        world.close()


def cut_everywhere(
    before: Callable[[Street], Prepared],
    frame: Callable[[Street, Prepared], Any],
    then: Callable[[Street, Prepared], Any],
    *,
    after: bool,
) -> None:
    """For each call that `frame` makes: a new street, `before`, the cut, and what must hold `then`."""
    for number in count(1):
        assert number < MOST_CALLS, "a frame must not need that many calls"
        with new_street() as street:
            prepared = before(street)
            with fused(street, number, after=after) as fuse:
                frame(street, prepared)
            if not fuse.blown:
                assert number > 3, "the frame made hardly a call: nothing was tried"
                return
            then(street, prepared)


def asked(street: Street) -> dict[str, Any]:
    """The driver has asked for 5.00, the charger has accepted; the frame with which it will start."""
    street.site.request(500)
    [command] = street.wire.commands()
    street.wire.reply(command, {"status": "Accepted"})
    return street.start_frame(command[3]["idTag"])


def started(street: Street) -> dict[str, Any]:
    """The charge runs; the frame with which it will stop."""
    answer = street.call("StartTransaction", asked(street), "start-1")
    street.call("MeterValues", street.meter_frame(answer["transactionId"], 1100))
    return street.stop_frame(answer["transactionId"], 1200)


def ends_right(street: Street) -> None:
    [session] = street.site.sessions()
    assert (session.state, session.energy_wh, session.captured) == ("settled", 200, 7)
    assert street.site.lines() == CHARGED_SEVEN
    assert street.site.available() == 1993
    assert street.site.income() == 7
    ended = [event for event in street.world.pending_events() if event.type == "charging_session.ended"]
    assert len(ended) == 1


BOTH = pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])


@BOTH
@pytest.mark.parametrize("retried_id", ["start-1", "start-2"])
def test_start_transaction(after: bool, retried_id: str) -> None:
    def then(street: Street, frame: dict[str, Any]) -> None:
        answer = street.call("StartTransaction", frame, retried_id)
        assert answer["idTagInfo"]["status"] == "Accepted"
        assert street.states() == ["charging"]
        assert street.site.available() == 1500
        street.call("StopTransaction", street.stop_frame(answer["transactionId"], 1200))
        ends_right(street)

    cut_everywhere(asked, lambda s, frame: s.call("StartTransaction", frame, "start-1"), then, after=after)


@BOTH
@pytest.mark.parametrize("retried_id", ["stop-1", "stop-2"])
def test_stop_transaction(after: bool, retried_id: str) -> None:
    def then(street: Street, frame: dict[str, Any]) -> None:
        answer = street.call("StopTransaction", frame, retried_id)
        assert answer["idTagInfo"]["status"] == "Accepted"
        ends_right(street)

    cut_everywhere(started, lambda s, frame: s.call("StopTransaction", frame, "stop-1"), then, after=after)


@BOTH
def test_a_start_with_a_card(after: bool) -> None:
    def then(street: Street, frame: dict[str, Any]) -> None:
        answer = street.call("StartTransaction", frame, "start-1")
        assert answer["idTagInfo"]["status"] == "Accepted"
        assert street.states() == ["charging"]
        street.call("StopTransaction", street.stop_frame(answer["transactionId"], 1200))
        assert street.site.lines() == [("top_up", 2000), ("consumption", -2000), ("refund", 1993)]

    cut_everywhere(
        lambda s: s.start_frame(), lambda s, frame: s.call("StartTransaction", frame, "start-1"), then, after=after
    )


@BOTH
def test_the_answer_to_a_remote_start(after: bool) -> None:
    """The charger does not repeat an answer. What was lost with the process times out, and nothing is left held."""

    def before(street: Street) -> tuple[str, Any]:
        session = street.site.request(500)
        return session.session_id, street.wire.commands()[0]

    def then(street: Street, prepared: tuple[str, Any]) -> None:
        street.world.advance(31)
        street.call("Heartbeat", {})
        street.world.run_job(jobs.expire_commands)
        assert street.site.session(prepared[0]).state == "refused"
        assert street.site.available() == 2000
        assert street.site.lines() == [("top_up", 2000), ("consumption", -500), ("refund", 500)]

    cut_everywhere(before, lambda s, prepared: s.wire.reply(prepared[1], {"status": "Rejected"}), then, after=after)
