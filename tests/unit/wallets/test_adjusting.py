"""Cash at the counter: what an operator may take back out of a wallet, and what not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.wallets import service
from tests.world import World

DRIVER = "drv_1"
DAY = "2026-03-02"


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def adjust(
    world: World, amount: int, operator_id: str = "org_1", *, driver_id: str = DRIVER, currency: str = "EUR"
) -> None:
    """Above zero cash for the wallet, below out of it."""
    world.advance(1)
    world.commit(
        lambda uow: service.adjust_wallet(
            uow,
            entry_id=world.ctx.new_id("ent"),
            driver_id=driver_id,
            operator_id=operator_id,
            direction="top_up" if amount > 0 else "deduct",
            amount=Money(abs(amount), currency),
            reason="cash",
            business_day=DAY,
        )
    )


def refused_code(action: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refused:
        action()
    return refused.value.code


def pay_in(world: World, amount: int) -> None:
    """Online, to the platform."""
    now = world.ctx.now()
    topup_id = derived_id("top", now, str(amount))
    world.commit(
        lambda uow: service.begin_topup(
            uow, topup_id=topup_id, payment_id=derived_id("pay", now), driver_id=DRIVER, amount=eur(amount)
        )
    )
    world.commit(lambda uow: service.credit_topup(uow, topup_id, provider="stripe"))


def test_what_a_driver_paid_to_the_platform_is_not_the_operators_to_take(world: World) -> None:
    pay_in(world, 10_000)
    assert refused_code(lambda: adjust(world, -1)) == "wallet.deduct_exceeds_cash"
    adjust(world, 300)
    assert refused_code(lambda: adjust(world, -301)) == "wallet.deduct_exceeds_cash"
    adjust(world, -300)
    assert refused_code(lambda: adjust(world, -1)) == "wallet.deduct_exceeds_cash"
    assert service.available(world.ctx, DRIVER, "EUR") == eur(10_000)
    assert ledger.total_of_period(world.ctx, "cash:org_1:EUR", DAY) == eur(0)


def test_the_refusal_says_how_much_it_was(world: World) -> None:
    adjust(world, 300)
    adjust(world, 900, "org_2")
    with pytest.raises(DomainError, match=r"3\.00 EUR"):
        adjust(world, -500)


def test_cash_counts_per_operator_driver_and_currency(world: World) -> None:
    adjust(world, 500, "org_1")
    adjust(world, 500, "org_2")
    adjust(world, 500, currency="USD")
    adjust(world, 500, driver_id="drv_2")
    assert refused_code(lambda: adjust(world, -600, "org_1")) == "wallet.deduct_exceeds_cash"
    adjust(world, -500, "org_1")
    assert service.cash_taken(world.ctx, DRIVER, "org_2", "EUR") == eur(500)
    assert service.cash_taken(world.ctx, DRIVER, "org_1", "USD") == Money(500, "USD")
    assert service.cash_taken(world.ctx, "drv_2", "org_1", "EUR") == eur(500)


def test_what_was_spent_is_not_taken_back_either(world: World) -> None:
    adjust(world, 500)
    adjust(world, -200)
    pay_in(world, 100)
    adjust(world, -300)
    assert service.available(world.ctx, DRIVER, "EUR") == eur(100)


def test_too_little_in_the_wallet_is_told_with_what_is_missing(world: World) -> None:
    adjust(world, 500)
    with pytest.raises(DomainError) as refused:
        adjust(world, -700)
    assert (refused.value.code, refused.value.shortfall) == ("ledger.insufficient_funds", eur(200))


def test_the_platform_corrects_beyond_on_its_own_account(world: World) -> None:
    pay_in(world, 1000)
    adjust(world, -400, PLATFORM_ID)
    assert service.available(world.ctx, DRIVER, "EUR") == eur(600)
    assert ledger.total_of_period(world.ctx, f"cash:{PLATFORM_ID}:EUR", DAY) == eur(400)


def test_the_same_entry_again_counts_its_cash_once(world: World) -> None:
    entry_id = world.ctx.new_id("ent")
    for _ in range(2):
        world.commit(
            lambda uow: service.adjust_wallet(
                uow,
                entry_id=entry_id,
                driver_id=DRIVER,
                operator_id="org_1",
                direction="top_up",
                amount=eur(500),
                reason="cash",
                business_day=DAY,
            )
        )
    assert service.cash_taken(world.ctx, DRIVER, "org_1", "EUR") == eur(500)
    assert len(service.list_topup_records(world.ctx, "org_1", limit=9, cursor=None).data) == 1


def test_adjustments_are_listed_for_the_operator_and_the_platform(world: World) -> None:
    adjust(world, 500)
    adjust(world, -100)
    adjust(world, 40, "org_2")
    amounts = lambda owner: [  # noqa: E731
        record.amount.amount for record in service.list_topup_records(world.ctx, owner, limit=9, cursor=None).data
    ]
    assert (amounts("org_1"), amounts("org_2"), amounts(PLATFORM_ID)) == ([-100, 500], [40], [40, -100, 500])
