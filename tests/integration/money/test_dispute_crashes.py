"""The process dies at any store call of a dispute, from first word to last: money moves once, and all know it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.kernel import context
from chalicelib.payments.jobs import reconcile
from chalicelib.wallets.model import TopUp
from tests.integration.money.memory_provider import DISPUTE_FEE
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.unit.payments.till import page
from tests.unit.wallets.purse import CLEARING, DISPUTES, FEES, LOSSES, WALLET, Purse
from tests.world import World

MOST_CALLS = 80
SPENT = 700
Books = dict[str, int]
NOTED: Books = {CLEARING: 2000 + DISPUTE_FEE, FEES: -DISPUTE_FEE}
"""By itself, what the provider took."""


@pytest.fixture
def mortal(world: World) -> MortalContext:
    ctx = MortalContext(world.ctx)
    world.ctx = ctx
    context.install(ctx)
    return ctx


def opened(purse: Purse, ref: str) -> None:
    """Told twice."""
    for number in range(2):
        purse.till.take(purse.provider.word_of_dispute(ref, f"{ref}.opened.{number}"))
        purse.run()


def decided(purse: Purse, ref: str) -> None:
    purse.till.take(purse.provider.word_of_dispute(ref, f"{ref}.decided"))
    purse.run()


FLOWS: dict[str, tuple[bool | None, Callable[[Purse, str], None], Books]] = {
    "opened": (None, opened, NOTED | {WALLET: -2000 + SPENT, DISPUTES: -SPENT}),
    "won": (True, decided, {CLEARING: -2000, WALLET: 2000 - SPENT, DISPUTES: SPENT}),
    "lost": (False, decided, {LOSSES: -SPENT, DISPUTES: SPENT}),
}


def difference(after: Books, before: Books) -> Books:
    moved = {account_id: after.get(account_id, 0) - before.get(account_id, 0) for account_id in {*after, *before}}
    return {account_id: amount for account_id, amount in moved.items() if amount}


def finish(purse: Purse) -> None:
    """What is left the relay and the job finish."""
    purse.run()
    purse.world.advance(601)
    reconcile(purse.world.ctx, lambda _name: purse.provider)
    purse.run()


def fresh(purse: Purse) -> TopUp:
    """A top-up of which a part is spent; nothing else is in the wallet, and nothing keeps it from being used."""
    topup = purse.top_up(2000)
    purse.spend(SPENT)
    return topup


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", FLOWS)
def test_a_crash_at_any_store_call(mortal: MortalContext, world: World, name: str, carried_out: bool) -> None:
    won, tell, expected = FLOWS[name]
    purse = Purse(world)
    for call in range(1, MOST_CALLS):
        ref = purse.provider.dispute(page(purse.payment(fresh(purse))))
        if won is not None:
            opened(purse, ref)
            purse.provider.decide(ref, won=won)
        before = purse.books()
        mortal.calls, mortal.crash_at = 0, (call, carried_out)
        try:
            tell(purse, ref)
            died = False
        except Crash:
            died = True
        mortal.crash_at = None
        tell(purse, ref)
        finish(purse)
        assert difference(purse.books(), before) == expected, f"at call {call}"
        dispute = purse.look(ref)
        assert (dispute.is_blocking, len(dispute.booked)) == (won is not True, 2 if won else 1)
        clear(purse, ref)
        if not died:
            assert call > 5, "the flow has so few store calls that nothing was tried"
            return
    raise AssertionError("the flow never ends")


def clear(purse: Purse, ref: str) -> None:
    """For the next one: nothing is missing, and nothing is there."""
    if purse.look(ref).is_blocking:
        assert purse.forgive(purse.look(ref)) == "done"
    if purse.has():
        purse.spend(purse.has())
