"""Twenty threads fight for one wallet: it is never overdrawn, and nobody is refused who could have been served."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.ledger import proving
from chalicelib.wallets import service as wallets
from tests.unit.payments.till import Till
from tests.world import World

THREADS = 20
RIVALS = 5
DRIVER = "drv_1"


def fill(world: World, amount: int) -> None:
    world.commit(
        lambda uow: wallets.adjust_wallet(
            uow,
            entry_id=world.ctx.new_id("ent"),
            driver_id=DRIVER,
            operator_id="org_1",
            direction="top_up",
            amount=Money(amount, "EUR"),
            reason="cash",
            business_day="2026-03-02",
        )
    )


def at_once(works: list[Callable[[], object]]) -> Counter[str]:
    """Runs all at the same moment, each in a thread; counts `done` and the codes of refusals."""
    barrier = threading.Barrier(len(works))
    results: Counter[str] = Counter()

    def run(work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            work()
        except DomainError as error:
            results[error.code] += 1
        else:
            results["done"] += 1

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def holder(world: World, session_id: str, amount: int) -> Callable[[], object]:
    return lambda: world.commit(
        lambda uow: wallets.place_session_hold(
            uow,
            driver_id=DRIVER,
            session_id=session_id,
            amount=Money(amount, "EUR"),
            expires_at=world.ctx.now() + timedelta(hours=24),
        )
    )


def test_as_many_holds_as_there_is_money_for(world: World) -> None:
    fill(world, 1050)
    results = at_once([holder(world, world.ctx.new_id("ses"), 100) for _ in range(THREADS)])
    assert results == {"done": 10, "ledger.insufficient_funds": 10}
    assert wallets.available(world.ctx, DRIVER, "EUR") == Money(50, "EUR")
    assert proving.prove_ledger(world.ctx).fault_count == 0


def test_one_session_is_held_and_settled_by_one_of_all_who_try(world: World) -> None:
    fill(world, 10_000)
    session_id = world.ctx.new_id("ses")
    assert at_once([holder(world, session_id, 500)] * THREADS) == {"done": 1, "ledger.entry_conflict": THREADS - 1}

    def settle() -> object:
        return world.commit(
            lambda uow: wallets.settle_session(
                uow,
                driver_id=DRIVER,
                session_id=session_id,
                held=Money(500, "EUR"),
                cost=Money(7, "EUR"),
                operator_id="org_1",
                business_day="2026-03-02",
            )
        )

    assert at_once([settle] * THREADS) == {"done": 1, "ledger.hold_not_open": THREADS - 1}
    assert wallets.available(world.ctx, DRIVER, "EUR") == Money(9_993, "EUR")
    assert proving.prove_ledger(world.ctx).fault_count == 0


def test_one_of_all_who_pay_back_the_whole_does(world: World) -> None:
    till = Till(world)
    payment = till.captured(cost=1234)
    works: list[Callable[[], object]] = [
        partial(till.ask_refund, payment, 1234, f"ref_{number}") for number in range(RIVALS)
    ]
    assert at_once(works) == {"done": 1, "refund.exceeds_captured": RIVALS - 1}
    till.run_events()
    assert till.books() == {}
