"""The process dies at any call to the store while a bonus is credited, cash is booked, or a top-up is paid back.

Started again, each happened once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel import context
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.payments import service as payments
from chalicelib.wallets import service
from chalicelib.wallets.model import TopUpPackage
from tests import world as worlds
from tests.integration.money.memory_provider import MemoryProvider
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.world import START, World

DRIVER = "drv_1"
DAY = "2026-03-02"
TOPUP, PAYMENT = derived_id("top", START, "1"), derived_id("pay", START, "1")
MAX_CALLS = 40


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


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


def paid_topup(world: World) -> MemoryProvider:
    """10.00 with 1.00 on top, paid and not credited."""
    provider = MemoryProvider(world.ctx.now)
    package = TopUpPackage("tpk_1", PLATFORM_ID, "Ten", eur(1000), "on", 0, START, eur(100))
    _, payment = world.commit(
        lambda uow: service.begin_topup(
            uow, topup_id=TOPUP, payment_id=PAYMENT, driver_id=DRIVER, amount=eur(1000), package=package
        )
    )
    opened = world.commit(lambda uow: payments.open_checkout(uow, provider, payment))
    provider.pay(opened.provider_ref)
    world.commit(lambda uow: payments.resolve_payment(uow, provider, PAYMENT))
    return provider


def credit(uow: UnitOfWork) -> object:
    return service.credit_topup(uow, TOPUP, provider="stripe")


def refund(uow: UnitOfWork) -> object:
    return service.refund_topup(
        uow, refund_id="ref_1", topup_id=TOPUP, amount=eur(400), reason="asked for", requested_by="usr_1"
    )


def adjusting(entry_id: str, amount: int) -> Callable[[UnitOfWork], object]:
    return lambda uow: service.adjust_wallet(
        uow,
        entry_id=entry_id,
        driver_id=DRIVER,
        operator_id="org_1",
        direction="top_up" if amount > 0 else "deduct",
        amount=eur(abs(amount)),
        reason="cash",
        business_day=DAY,
    )


def books(world: World) -> tuple[int, int, int, int]:
    """In the wallet, given as bonus, taken in cash, lines that the platform lists."""
    assert proving.prove_ledger(world.ctx).faults == []
    return (
        service.available(world.ctx, DRIVER, "EUR").amount,
        -ledger.total_of_period(world.ctx, f"promotion:{PLATFORM_ID}:EUR", DAY).amount,
        service.cash_taken(world.ctx, DRIVER, "org_1", "EUR").amount,
        len(service.list_topup_records(world.ctx, PLATFORM_ID, limit=9, cursor=None).data),
    )


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("step", ["credit", "refund", "cash", "cash back"])
def test_each_step_happens_once_wherever_the_process_dies(step: str, carried_out: bool) -> None:
    expected = {
        "credit": (1100, 100, 0, 1),
        "refund": (660, 60, 0, 1),
        "cash": (1600, 100, 500, 2),
        "cash back": (1400, 100, 300, 3),
    }
    deaths = 0
    for crash_at in range(1, MAX_CALLS):
        built = worlds.build()
        try:
            died = die_in(built, step, crash_at, carried_out)
            assert books(built) == expected[step], crash_at
        finally:
            built.close()
        if not died:
            break
        deaths += 1
    assert 2 < deaths < MAX_CALLS - 1


def die_in(world: World, step: str, crash_at: int, carried_out: bool) -> bool:
    world.platform_admin()
    paid_topup(world)
    world.ctx = MortalContext(world.ctx)
    context.install(world.ctx)
    cash, back = world.ctx.new_id("ent"), world.ctx.new_id("ent")
    if step == "credit":
        return live(world, credit, crash_at, carried_out)
    world.commit(credit)
    world.advance(1)
    if step == "refund":
        return live(world, refund, crash_at, carried_out)
    if step == "cash":
        return live(world, adjusting(cash, 500), crash_at, carried_out)
    world.commit(adjusting(cash, 500))
    world.advance(1)
    return live(world, adjusting(back, -200), crash_at, carried_out)
