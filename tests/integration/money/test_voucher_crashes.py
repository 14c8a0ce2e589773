"""The process dies at any call to the store while vouchers are made, handed out, redeemed or taken back.

Started again, each happened once.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel import context
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.wallets import service as wallets
from tests import world as worlds
from tests.integration.money.counter import Counter
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.world import World

MAX_CALLS = 40
LONG = timedelta(days=30)


def live(world: World, work: Callable[[UnitOfWork], Any], crash_at: int, carried_out: bool) -> bool:
    """Whether the process died in it; it was then started again, a moment later, and ended its work."""
    assert isinstance(world.ctx, MortalContext)
    world.ctx.calls, world.ctx.crash_at = 0, (crash_at, carried_out)
    try:
        decide_and_commit(world.ctx, work)
        return False
    except Crash:
        world.ctx.crash_at = None
        world.advance(1)
        decide_and_commit(world.ctx, work)
        return True
    finally:
        world.ctx.crash_at = None


def facts(counter: Counter, batch_id: str) -> tuple[str, int, int, int, int]:
    """Of the batch its state and counts; what drivers have; lines that the platform lists."""
    counter.check_books()
    batch = counter.batch(batch_id)
    assert sum(counter.balances()) == counter.cash_of_today()
    records = wallets.list_topup_records(counter.world.ctx, PLATFORM_ID, limit=9, cursor=None).data
    return batch.state, batch.redeemed, batch.voided, sum(counter.balances()), len(records)


EXPECTED = {
    "make": ("draft", 0, 0, 0, 0),
    "activate": ("active", 0, 0, 0, 0),
    "redeem": ("active", 1, 0, 1000, 1),
    "void": ("active", 0, 1, 0, 0),
    "block": ("blocked", 0, 0, 0, 0),
}


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("step", EXPECTED)
def test_each_step_happens_once_wherever_the_process_dies(step: str, carried_out: bool) -> None:
    deaths = 0
    for crash_at in range(1, MAX_CALLS):
        built = worlds.build()
        try:
            died = die_in(Counter(built), step, crash_at, carried_out)
        finally:
            built.close()
        if not died:
            break
        deaths += 1
    assert 2 < deaths < MAX_CALLS - 1


def die_in(counter: Counter, step: str, crash_at: int, carried_out: bool) -> bool:
    world, batch_id = counter.world, counter.world.ctx.new_id("vcb")
    world.ctx = MortalContext(world.ctx)
    context.install(world.ctx)
    make = counter.making(batch_id, 3, 1000, LONG)
    if step == "make":
        died = live(world, make, crash_at, carried_out)
        assert len(set(counter.codes(batch_id))) == 3
    else:
        world.commit(make)
        if step != "activate":
            world.commit(counter.activating(batch_id))
        works = {
            "activate": counter.activating(batch_id),
            "redeem": counter.redeeming(counter.codes(batch_id)[0], counter.driver_ids[0]),
            "void": counter.voiding(f"{batch_id}-0001"),
            "block": counter.blocking(batch_id),
        }
        died = live(world, works[step], crash_at, carried_out)
    assert facts(counter, batch_id) == EXPECTED[step], crash_at
    return died
