"""A top-up is paid back with the share of its bonus: never more than is there, and no bonus outlives its money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.payments import service as payments
from chalicelib.payments.model import Refund
from chalicelib.payments.providers.port import RefundState
from chalicelib.wallets import model, service
from chalicelib.wallets.model import TopUp, TopUpPackage
from tests.integration.money.memory_provider import MemoryProvider
from tests.world import START, World

DRIVER = "drv_1"
DAY = "2026-03-02"


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


# -- the arithmetic ---------------------------------------------------------------------------------------------------

sizes = st.tuples(st.integers(1, 3000), st.integers(0, 3000)).map(lambda pair: (pair[0], min(pair)))


@given(size=sizes, parts=st.lists(st.integers(1, 1000), max_size=8))
def test_parts_take_the_bonus_back_as_the_whole_would(size: tuple[int, int], parts: list[int]) -> None:
    """With the last cent of the money the last cent of the bonus is back, however it was cut."""
    amount, bonus = size
    topup = credited(amount, bonus)
    refunded = 0
    for number, part in enumerate([*parts, amount]):
        part = min(part, amount - refunded)
        share = model.bonus_share(topup, refunded, part)
        assert share >= 0
        topup = with_share(topup, str(number), share)
        refunded += part
        assert sum(topup.shares_back.values()) * amount >= bonus * refunded  # never less than its part
    assert sum(topup.shares_back.values()) == bonus


@given(size=sizes, refunded=st.integers(0, 3000), available=st.integers(0, 7000))
def test_the_most_that_can_be_paid_back_is_just_what_the_wallet_bears(
    size: tuple[int, int], refunded: int, available: int
) -> None:
    amount, bonus = size
    refunded = min(refunded, amount)
    topup = credited(amount, bonus)
    topup = with_share(topup, "before", model.bonus_share(topup, 0, refunded))
    most = model.most_refundable(topup, refunded=refunded, available=available)
    taken = lambda part: part + model.bonus_share(topup, refunded, part)  # noqa: E731
    assert most == 0 or taken(most) <= available
    assert most == amount - refunded or taken(most + 1) > available


def credited(amount: int, bonus: int) -> TopUp:
    given_bonus = eur(bonus) if bonus else None
    return TopUp("top_1", DRIVER, "pay_1", eur(amount), "credited", START, bonus=given_bonus, package_owner_id="org_1")


def with_share(topup: TopUp, refund_id: str, share: int) -> TopUp:
    return replace(topup, bonus_back={**topup.shares_back, refund_id: share})


# -- with the books ---------------------------------------------------------------------------------------------------


@pytest.fixture
def provider(world: World) -> MemoryProvider:
    world.platform_admin()
    return MemoryProvider(world.ctx.now)


def pay_in(world: World, provider: MemoryProvider, amount: int = 1000, bonus: int = 100) -> str:
    """A paid top-up with the platform's package."""
    now = world.ctx.now()
    package = TopUpPackage("tpk_1", PLATFORM_ID, "Ten", eur(amount), "on", 0, now, eur(bonus) if bonus else None)
    topup_id, payment_id = derived_id("top", now, "1"), derived_id("pay", now, "1")
    _, payment = world.commit(
        lambda uow: service.begin_topup(
            uow,
            topup_id=topup_id,
            payment_id=payment_id,
            driver_id=DRIVER,
            amount=package.amount,
            package=package,
        )
    )
    opened = world.commit(lambda uow: payments.open_checkout(uow, provider, payment))
    provider.pay(opened.provider_ref)
    world.commit(lambda uow: payments.resolve_payment(uow, provider, payment_id))
    world.commit(lambda uow: service.credit_topup(uow, topup_id, provider=provider.name))
    world.advance(1)
    return topup_id


def refund(world: World, topup_id: str, amount: int | None, refund_id: str = "") -> Refund:
    refund_id = refund_id or world.ctx.new_id("ref")

    def ask(uow: UnitOfWork) -> Refund:
        return service.refund_topup(
            uow,
            refund_id=refund_id,
            topup_id=topup_id,
            amount=None if amount is None else eur(amount),
            reason="asked for",
            requested_by="usr_1",
        )

    made: Refund = world.commit(ask)
    world.advance(1)
    return made


def spend(world: World, amount: int) -> None:
    session_id = world.ctx.new_id("ses")
    until = world.ctx.now() + timedelta(hours=1)
    fields: dict[str, Any] = {"driver_id": DRIVER, "session_id": session_id}
    world.commit(lambda uow: service.place_session_hold(uow, amount=eur(amount), expires_at=until, **fields))
    world.advance(1)
    world.commit(
        lambda uow: service.settle_session(
            uow, held=eur(amount), cost=eur(amount), operator_id="org_1", business_day=DAY, **fields
        )
    )


def balance(world: World) -> int:
    assert proving.prove_ledger(world.ctx).faults == []
    return service.available(world.ctx, DRIVER, "EUR").amount


def given_as_bonus(world: World) -> int:
    day = world.ctx.now().date().isoformat()
    return -ledger.total_of_period(world.ctx, f"promotion:{PLATFORM_ID}:EUR", day).amount


def refused_code(action: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refused:
        action()
    return refused.value.code


def test_money_and_bonus_go_back_in_one_entry(world: World, provider: MemoryProvider) -> None:
    topup_id = pay_in(world, provider)
    assert (balance(world), given_as_bonus(world)) == (1100, 100)
    refund(world, topup_id, 500)
    assert (balance(world), given_as_bonus(world)) == (550, 50)
    refund(world, topup_id, 500)
    assert (balance(world), given_as_bonus(world)) == (0, 0)
    assert refused_code(lambda: refund(world, topup_id, 1)) in (
        "refund.exceeds_captured",
        "wallet.refund_exceeds_balance",
    )


def test_what_was_spent_stays_spent(world: World, provider: MemoryProvider) -> None:
    topup_id = pay_in(world, provider)
    spend(world, 660)
    assert refused_code(lambda: refund(world, topup_id, 401)) == "wallet.refund_exceeds_balance"
    assert refund(world, topup_id, None).amount == eur(400)
    assert (balance(world), given_as_bonus(world)) == (0, 60)
    assert refused_code(lambda: refund(world, topup_id, None)) == "wallet.refund_exceeds_balance"


def test_the_same_refund_again_is_the_same(world: World, provider: MemoryProvider) -> None:
    topup_id, refund_id = pay_in(world, provider), world.ctx.new_id("ref")
    first = refund(world, topup_id, None, refund_id)
    assert refund(world, topup_id, None, refund_id) == first
    assert refund(world, topup_id, 1000, refund_id) == first
    assert (balance(world), given_as_bonus(world)) == (0, 0)


def test_a_refund_that_fails_brings_the_bonus_back_with_the_money_and_may_be_asked_for_again(
    world: World, provider: MemoryProvider
) -> None:
    topup_id = pay_in(world, provider)
    provider.refund_state = RefundState.FAILED
    asked = refund(world, topup_id, 700)
    world.commit(lambda uow: payments.send_refund(uow, provider, asked.payment_id, asked.refund_id))
    assert (balance(world), given_as_bonus(world)) == (1100, 100)
    refund(world, topup_id, 1000)
    assert (balance(world), given_as_bonus(world)) == (0, 0)


def test_two_who_pay_back_at_once_do_not_pay_twice(world: World, provider: MemoryProvider) -> None:
    topup_id = pay_in(world, provider)
    raced: list[bool] = []

    def decide(uow: UnitOfWork) -> Refund:
        made = service.refund_topup(
            uow, refund_id="ref_slow", topup_id=topup_id, amount=eur(600), reason="one", requested_by="usr_1"
        )
        if not raced:
            raced.append(True)
            world.advance(1)
            refund(world, topup_id, 600)
        return made

    assert refused_code(lambda: world.commit(decide)) in ("refund.exceeds_captured", "wallet.refund_exceeds_balance")
    assert balance(world) == 440


def test_a_topup_that_was_not_paid_is_not_paid_back(world: World, provider: MemoryProvider) -> None:
    now = world.ctx.now()
    topup_id = derived_id("top", now, "unpaid")
    world.commit(
        lambda uow: service.begin_topup(
            uow, topup_id=topup_id, payment_id=derived_id("pay", now), driver_id=DRIVER, amount=eur(500)
        )
    )
    assert refused_code(lambda: refund(world, topup_id, 500)) == "topup.not_credited"
