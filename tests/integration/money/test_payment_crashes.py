"""The process dies at any store call of a capture, a release or a refund: money moves once, and the books know it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.kernel import context
from chalicelib.payments.model import Payment
from chalicelib.payments.providers.port import RefundState
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.unit.payments.till import INCOME, WALLET, Till, euro, page
from tests.world import World

FEES = "fees:stripe:EUR"
CLEARING = "clearing:stripe:EUR"
MOST_CALLS = 60

Books = dict[str, int]


def capture(till: Till, payment: Payment) -> None:
    till.ask_capture(payment, 1234)


def release(till: Till, payment: Payment) -> None:
    till.ask_release(payment)


def refund(till: Till, payment: Payment) -> None:
    till.ask_refund(payment, 500, f"ref_{payment.payment_id}")


FLOWS: dict[str, tuple[Callable[[Till], Payment], Callable[[Till, Payment], None], RefundState, Books]] = {
    "capture": (Till.authorized, capture, RefundState.SUCCEEDED, {INCOME: 1234, CLEARING: -1204, FEES: -30}),
    "release": (Till.authorized, release, RefundState.SUCCEEDED, {}),
    "refund of a guest": (Till.captured, refund, RefundState.SUCCEEDED, {INCOME: -500, CLEARING: 500}),
    "refund of a wallet": (Till.topped_up, refund, RefundState.SUCCEEDED, {WALLET: -500, CLEARING: 500}),
    "refund of a wallet that fails": (Till.topped_up, refund, RefundState.FAILED, {}),
}


@pytest.fixture
def mortal(world: World) -> MortalContext:
    ctx = MortalContext(world.ctx)
    world.ctx = ctx
    context.install(ctx)
    return ctx


def difference(after: Books, before: Books) -> Books:
    moved = {account_id: after.get(account_id, 0) - before.get(account_id, 0) for account_id in {*after, *before}}
    return {account_id: amount for account_id, amount in moved.items() if amount}


def run(till: Till, payment: Payment, ask: Callable[[Till, Payment], None]) -> None:
    """As it is done: the caller's commit, then the consumers; what is left the reconciliation finishes."""
    ask(till, payment)
    till.run_events()
    till.world.advance(601)
    till.reconcile()
    till.run_events()


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", FLOWS)
def test_a_crash_at_any_store_call(mortal: MortalContext, world: World, name: str, carried_out: bool) -> None:
    begin, ask, refund_state, expected = FLOWS[name]
    till = Till(world, fee=euro(30))
    till.provider.refund_state = refund_state
    for call in range(1, MOST_CALLS):
        payment = begin(till)
        till.run_events()
        before = till.books()
        mortal.calls, mortal.crash_at = 0, (call, carried_out)
        try:
            run(till, payment, ask)
            died = False
        except Crash:
            died = True
        mortal.crash_at = None
        run(till, payment, ask)
        assert difference(till.books(), before) == expected, f"at call {call}"
        assert till.faults == []
        assert till.provider.outcomes[page(payment)].captured == till.stored(payment).captured
        if not died:
            assert call > 5, "the flow has so few store calls that nothing was tried"
            return
    raise AssertionError("the flow never ends")
