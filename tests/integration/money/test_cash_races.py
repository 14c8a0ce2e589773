"""Twenty people at the counter take cash back at once: no more than was put in, and nothing of what the driver paid
to the platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.wallets import service as wallets
from chalicelib.wallets.model import Direction
from tests.integration.money.test_contention import DRIVER, THREADS, at_once
from tests.world import World

DAY = "2026-03-02"


def booker(world: World, direction: Direction, amount: int, operator_id: str = "org_1") -> Callable[[], object]:
    entry_id = world.ctx.new_id("ent")
    return lambda: world.commit(
        lambda uow: wallets.adjust_wallet(
            uow,
            entry_id=entry_id,
            driver_id=DRIVER,
            operator_id=operator_id,
            direction=direction,
            amount=Money(amount, "EUR"),
            reason="cash",
            business_day=DAY,
        )
    )


def pay_in(world: World, amount: int) -> None:
    now = world.ctx.now()
    topup_id = derived_id("top", now, "paid")
    world.commit(
        lambda uow: wallets.begin_topup(
            uow,
            topup_id=topup_id,
            payment_id=derived_id("pay", now, "paid"),
            driver_id=DRIVER,
            amount=Money(amount, "EUR"),
        )
    )
    world.commit(lambda uow: wallets.credit_topup(uow, topup_id, provider="stripe"))


def cash_of(world: World, operator_id: str) -> int:
    return ledger.total_of_period(world.ctx, f"cash:{operator_id}:EUR", DAY).amount


def test_no_more_cash_is_taken_back_than_was_put_in(world: World) -> None:
    pay_in(world, 10_000)
    booker(world, "top_up", 1050)()
    results = at_once([booker(world, "deduct", 100) for _ in range(THREADS)])
    assert results == {"done": 10, "wallet.deduct_exceeds_cash": 10}
    assert wallets.available(world.ctx, DRIVER, "EUR") == Money(10_050, "EUR")
    assert wallets.cash_taken(world.ctx, DRIVER, "org_1", "EUR") == Money(50, "EUR")
    assert cash_of(world, "org_1") == -50
    assert proving.prove_ledger(world.ctx).fault_count == 0


def test_two_operators_at_once_do_not_take_each_others_cash(world: World) -> None:
    booker(world, "top_up", 500, "org_1")()
    booker(world, "top_up", 500, "org_2")()
    half = THREADS // 2
    results = at_once(
        [booker(world, "deduct", 100, operator_id) for operator_id in ("org_1", "org_2") for _ in range(half)]
    )
    assert results["done"] == 10
    assert (cash_of(world, "org_1"), cash_of(world, "org_2")) == (0, 0)
    assert proving.prove_ledger(world.ctx).fault_count == 0


def test_the_same_click_from_twenty_threads_is_one(world: World) -> None:
    booker(world, "top_up", 1000)()
    assert at_once([booker(world, "deduct", 100)] * THREADS)["done"] == THREADS
    assert wallets.cash_taken(world.ctx, DRIVER, "org_1", "EUR") == Money(900, "EUR")


def test_what_was_spent_of_the_cash_nobody_takes_however_many_try(world: World) -> None:
    pay_in(world, 10_000)
    booker(world, "top_up", 1050)()
    spend(world, 400)
    results = at_once([booker(world, "deduct", 100) for _ in range(THREADS)])
    assert results == {"done": 6, "wallet.deduct_exceeds_cash": 14}
    assert wallets.cash_left(world.ctx, DRIVER, "org_1", "EUR") == Money(50, "EUR")
    assert proving.prove_ledger(world.ctx).fault_count == 0


def test_cash_that_is_spent_while_it_is_taken_back_is_not_there_twice(world: World) -> None:
    """A charge of the same moment comes before or after; what is left in the end is by one of these orders."""
    booker(world, "top_up", 1000)()
    results = at_once(
        [booker(world, "deduct", 100) for _ in range(THREADS)] + [lambda: spend(world, 50) for _ in range(4)]
    )
    assert sum(results.values()) == THREADS + 4
    assert wallets.available(world.ctx, DRIVER, "EUR").amount >= 0
    assert wallets.cash_left(world.ctx, DRIVER, "org_1", "EUR") == wallets.available(world.ctx, DRIVER, "EUR")
    assert proving.prove_ledger(world.ctx).fault_count == 0


def spend(world: World, cost: int) -> None:
    session_id, held, until = world.ctx.new_id("ses"), Money(cost, "EUR"), world.ctx.now() + timedelta(hours=1)
    world.commit(
        lambda uow: wallets.place_session_hold(
            uow, driver_id=DRIVER, session_id=session_id, amount=held, expires_at=until
        )
    )
    world.commit(
        lambda uow: wallets.settle_session(
            uow,
            driver_id=DRIVER,
            session_id=session_id,
            held=held,
            cost=held,
            operator_id="org_9",
            business_day=DAY,
        )
    )
