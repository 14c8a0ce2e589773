"""As test_power_cuts, for OCPP 2.x: at whichever call of the store the process dies, the piece that is told again
finds what is there, and the books are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from chalicelib.kernel import context
from infra.local import aws_hooks
from tests import world as worlds
from tests.contract.ocpp.wire import Wire
from tests.integration.ocpp.test_no_lost_energy_v2 import PAID_SEVEN, Charger
from tests.integration.ocpp.test_power_cuts import MOST_CALLS, Fuse, PowerCut
from tests.site import CARD, build_site

Piece = dict[str, Any]
BOTH = pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])


@dataclass
class _Street:
    """What a fuse needs of a charger: its world."""

    charger: Charger
    world: worlds.World = field(init=False)

    def __post_init__(self) -> None:
        self.world = self.charger.site.world

    def restart_platform(self) -> None:
        fresh = worlds.WorldContext(self.world.ctx.settings, self.world.clock, worlds.SECRETS)
        self.world.ctx = fresh
        context.install(fresh)
        self.charger.reconnect()


@contextmanager
def new_street() -> Iterator[_Street]:
    world = worlds.build()
    try:
        site = build_site(world)
        charger = Charger(site, Wire(world, site.charger.charger_id, protocol="ocpp2.0.1"))
        charger.reconnect()
        assert charger.wire.boot()["status"] == "Accepted"
        yield _Street(charger)
    finally:
        world.close()


def cut_everywhere(tell: Callable[[Charger], tuple[list[Piece], Piece, list[Piece]]], *, after: bool) -> None:
    """`tell` gives what came before, the piece at which the power fails, and what follows when it was told again."""
    for number in count(1):
        assert number < MOST_CALLS, "a piece must not need that many calls"
        with new_street() as street:
            charger = street.charger
            before, piece, behind = tell(charger)
            charger.tell(*before)
            fuse = Fuse(street.world, number, after=after)
            restore = aws_hooks.register("dynamodb", fuse.call)
            try:
                charger.tell(piece)
            except PowerCut:
                pass
            finally:
                restore()
            if fuse.blown:
                street.restart_platform()
                charger.tell(piece)
            charger.tell(*behind)
            ends_right(street)
            if not fuse.blown:
                assert number > 3, "the piece made hardly a call: nothing was tried"
                return


def ends_right(street: _Street) -> None:
    site = street.charger.site
    [session] = site.sessions()
    assert (session.state, session.energy_wh, session.captured) == ("settled", 200, 7)
    assert site.lines() == PAID_SEVEN
    assert (site.available(), site.income()) == (1993, 7)
    ended = [event for event in street.world.pending_events() if event.type == "charging_session.ended"]
    assert len(ended) == 1


@BOTH
def test_started(after: bool) -> None:
    def tell(charger: Charger) -> tuple[list[Piece], Piece, list[Piece]]:
        started, updated, ended = charger.charge(charger.site.world.clock.now())
        return [], started, [updated, ended]

    cut_everywhere(tell, after=after)


@BOTH
def test_ended(after: bool) -> None:
    def tell(charger: Charger) -> tuple[list[Piece], Piece, list[Piece]]:
        started, updated, ended = charger.charge(charger.site.world.clock.now())
        return [started, updated], ended, []

    cut_everywhere(tell, after=after)


@BOTH
def test_begin_and_end_at_once(after: bool) -> None:
    """Two commits: the delivery that was begun in the first is ended by the piece that comes again."""

    def tell(charger: Charger) -> tuple[list[Piece], Piece, list[Piece]]:
        started, _, ended = charger.charge(charger.site.world.clock.now())
        return [ended], started, []

    cut_everywhere(tell, after=after)


@BOTH
def test_an_end_that_names_who_pays(after: bool) -> None:
    def tell(charger: Charger) -> tuple[list[Piece], Piece, list[Piece]]:
        started, updated, ended = charger.charge(charger.site.world.clock.now(), card=None)
        return [started, updated], ended | {"idToken": {"idToken": CARD, "type": "ISO14443"}}, []

    cut_everywhere(tell, after=after)
