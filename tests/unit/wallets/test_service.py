"""Holds of sessions, top-ups, adjustments and what the driver reads of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.wallets import service, views
from chalicelib.wallets.model import Settlement
from tests.world import World

DRIVER = "drv_1"
DAY = "2026-03-02"


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def adjust(world: World, amount: int, currency: str = "EUR") -> None:
    world.commit(
        lambda uow: service.adjust_wallet(
            uow,
            entry_id=world.ctx.new_id("ent"),
            driver_id=DRIVER,
            operator_id="org_1",
            direction="top_up" if amount > 0 else "deduct",
            amount=Money(abs(amount), currency),
            reason="cash at the desk",
            business_day=DAY,
        )
    )
    world.advance(1)


def hold(world: World, amount: int) -> str:
    session_id = world.ctx.new_id("ses")
    world.commit(
        lambda uow: service.place_session_hold(
            uow,
            driver_id=DRIVER,
            session_id=session_id,
            amount=eur(amount),
            expires_at=world.ctx.now() + timedelta(hours=24),
        )
    )
    world.advance(1)
    return session_id


def settle(world: World, session_id: str, held: int, cost: int, *, beyond_hold: bool = False) -> Settlement:
    result: Settlement = world.commit(
        lambda uow: service.settle_session(
            uow,
            driver_id=DRIVER,
            session_id=session_id,
            held=eur(held),
            cost=eur(cost),
            operator_id="org_1",
            business_day=DAY,
            beyond_hold=beyond_hold,
        )
    )
    world.advance(1)
    return result


def read(world: World, **filters: Any) -> list[tuple[str, int]]:
    page = service.list_transactions(world.ctx, DRIVER, "EUR", **filters)
    shown = [views.transaction_view(entry) for entry in page.data]
    return [(view.label, view.amount.amount) for view in shown]


def refused_code(action: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refused:
        action()
    return refused.value.code


def test_a_charge_for_five_that_stops_early_reads_as_people_expect(world: World) -> None:
    adjust(world, 1000)
    session_id = hold(world, 500)
    assert service.available(world.ctx, DRIVER, "EUR") == eur(500)
    assert settle(world, session_id, 500, 7) == Settlement(captured=eur(7), refunded=eur(493), uncollected=eur(0))
    assert service.available(world.ctx, DRIVER, "EUR") == eur(993)
    assert read(world) == [("Refunded", 493), ("Consumption", -500), ("Manual entry", 1000)]
    assert ledger.total_of_period(world.ctx, "income:org_1:EUR", DAY) == eur(7)


def test_a_charge_that_took_all_of_its_hold_shows_no_refund_of_nothing(world: World) -> None:
    adjust(world, 500)
    settle(world, hold(world, 500), 500, 500)
    assert read(world) == [("Consumption", -500), ("Manual entry", 500)]


def test_what_is_above_the_hold_stays_uncollected_unless_more_may_be_drawn(world: World) -> None:
    adjust(world, 1000)
    assert settle(world, hold(world, 300), 300, 400).uncollected == eur(100)
    assert settle(world, hold(world, 300), 300, 400, beyond_hold=True).captured == eur(400)
    drained = settle(world, hold(world, 200), 200, 900, beyond_hold=True)
    assert (drained.captured, drained.uncollected) == (eur(300), eur(600))
    assert service.available(world.ctx, DRIVER, "EUR") == eur(0)
    assert read(world)[:2] == [("Consumption", -100), ("Consumption", -200)]


def test_a_session_without_a_hold_writes_nothing(world: World) -> None:
    assert settle(world, "ses_unknown", 0, 70) == Settlement(eur(0), eur(0), eur(70))
    world.commit(lambda uow: service.release_session_hold(uow, driver_id=DRIVER, session_id="ses_unknown", held=eur(0)))
    assert read(world) == []


@pytest.mark.parametrize(("there", "held"), [(0, 0), (300, 300), (900, 500)])
def test_a_hold_of_what_is_there_is_never_refused(world: World, there: int, held: int) -> None:
    if there:
        adjust(world, there)
    session_id = world.ctx.new_id("ses")
    expires_at = world.ctx.now() + timedelta(hours=1)
    placed = world.commit(
        lambda uow: service.hold_what_is_there(
            uow, driver_id=DRIVER, session_id=session_id, most=eur(500), expires_at=expires_at
        )
    )
    assert placed == eur(held)
    assert service.available(world.ctx, DRIVER, "EUR") == eur(there - held)


def test_a_session_holds_once_and_ends_once(world: World) -> None:
    adjust(world, 1000)
    session_id = hold(world, 300)
    again = lambda: world.commit(  # noqa: E731
        lambda uow: service.place_session_hold(
            uow, driver_id=DRIVER, session_id=session_id, amount=eur(300), expires_at=world.ctx.now()
        )
    )
    assert refused_code(again) == "ledger.entry_conflict"
    settle(world, session_id, 300, 100)
    assert refused_code(lambda: settle(world, session_id, 300, 100)) == "ledger.hold_not_open"
    release = lambda: world.commit(  # noqa: E731
        lambda uow: service.release_session_hold(uow, driver_id=DRIVER, session_id=session_id, held=eur(300))
    )
    assert refused_code(release) == "ledger.hold_not_open"
    assert service.available(world.ctx, DRIVER, "EUR") == eur(900)


def test_a_released_hold_comes_back_whole(world: World) -> None:
    adjust(world, 500)
    session_id = hold(world, 500)
    world.commit(lambda uow: service.release_session_hold(uow, driver_id=DRIVER, session_id=session_id, held=eur(500)))
    assert read(world) == [("Refunded", 500), ("Consumption", -500), ("Manual entry", 500)]


def test_too_little_money_is_told_and_nothing_is_held(world: World) -> None:
    adjust(world, 499)
    assert refused_code(lambda: hold(world, 500)) == "ledger.insufficient_funds"
    assert service.available(world.ctx, DRIVER, "EUR") == eur(499)


def test_the_filters_of_the_list(world: World) -> None:
    adjust(world, 1000)
    before = world.ctx.now()
    settle(world, hold(world, 500), 500, 7)
    adjust(world, -50)
    assert read(world, direction="income") == [("Refunded", 493), ("Manual entry", 1000)]
    assert read(world, direction="expenditure") == [("Manual entry", -50), ("Consumption", -500)]
    assert read(world, event_type="manual_entry") == [("Manual entry", -50), ("Manual entry", 1000)]
    assert read(world, event_type="top_up") == []
    assert read(world, date_to=before) == [("Manual entry", 1000)]


def test_each_currency_is_a_wallet_of_its_own(world: World) -> None:
    adjust(world, 1000)
    adjust(world, 300, "USD")
    assert service.balances(world.ctx, DRIVER) == [eur(1000), Money(300, "USD")]
    assert service.balances(world.ctx, "drv_2") == [eur(0)]


def begin(world: World, amount: int = 2000, name: str = "1") -> str:
    now = world.ctx.now()
    topup_id = derived_id("top", now, name)
    world.commit(
        lambda uow: service.begin_topup(
            uow, topup_id=topup_id, payment_id=derived_id("pay", now, name), driver_id=DRIVER, amount=eur(amount)
        )
    )
    return topup_id


def test_a_topup_that_is_begun_twice_is_one(world: World) -> None:
    assert begin(world) == begin(world)
    assert len(service.list_topups(world.ctx, DRIVER, limit=10, cursor=None).data) == 1


def test_a_topup_is_credited_once(world: World) -> None:
    topup_id = begin(world)
    credit = lambda: world.commit(lambda uow: service.credit_topup(uow, topup_id, provider="stripe"))  # noqa: E731
    assert credit() is True
    assert credit() is False
    assert service.available(world.ctx, DRIVER, "EUR") == eur(2000)
    assert read(world) == [("Top-up", 2000)]


def test_a_failed_topup_is_credited_when_the_money_comes_after_all_and_then_stays_so(world: World) -> None:
    topup_id = begin(world)
    fail = lambda: world.commit(lambda uow: service.fail_topup(uow, topup_id, failure="expired"))  # noqa: E731
    fail()
    assert service.require_topup(world.ctx, topup_id).failure == "expired"
    world.commit(lambda uow: service.credit_topup(uow, topup_id, provider="stripe"))
    fail()  # the events came in another order
    topup = service.require_topup(world.ctx, topup_id)
    assert (topup.state, topup.failure) == ("credited", None)
    assert service.available(world.ctx, DRIVER, "EUR") == eur(2000)


def test_two_consumers_at_once_credit_once(world: World) -> None:
    topup_id = begin(world)
    tries: list[bool] = []

    def decide(uow: UnitOfWork) -> bool:
        result = service.credit_topup(uow, topup_id, provider="stripe")
        if not tries:
            tries.append(result)
            world.advance(1)
            world.commit(lambda other: service.credit_topup(other, topup_id, provider="stripe"))
        return result

    assert world.commit(decide) is False
    assert tries == [True]
    assert service.available(world.ctx, DRIVER, "EUR") == eur(2000)
