"""What people read of a wallet sums to what is in it, however it is cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import Entry, Posting, promotion_account, wallet_account
from chalicelib.wallets import model, service
from chalicelib.wallets.model import MonthTotal
from tests import world as worlds
from tests.world import START, World

WALLET = wallet_account("drv_1", "EUR")


def entry(amount: int, moment: datetime = START, kind: str = "manual_entry", bonus: int = 0) -> Entry:
    postings = [Posting(WALLET, amount), Posting("cash:org_1:EUR", bonus - amount)]
    if bonus:
        postings.append(Posting(promotion_account("org_1", "EUR"), -bonus))
    return Entry(derived_id("ent", moment, str(amount)), WALLET, kind, "EUR", postings, moment, "org_1")


moves = st.lists(st.tuples(st.integers(-500, 500), st.integers(0, 400 * 24)), max_size=30)
zones = st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"])


@given(moves=moves, zone=zones)
def test_the_months_sum_to_what_the_lines_do(moves: list[tuple[int, int]], zone: str) -> None:
    entries = [entry(amount, START + timedelta(hours=hours)) for amount, hours in moves]
    months = model.month_totals(entries, zone)
    assert sum(month.income + month.expenditure for month in months) == sum(amount for amount, _ in moves)
    assert all(month.income >= 0 >= month.expenditure for month in months)
    assert [month.month for month in months] == sorted({month.month for month in months}, reverse=True)


def test_a_month_is_the_one_that_is_lived_in_the_zone() -> None:
    newyear = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert model.month_totals([entry(5, newyear)], "UTC") == [MonthTotal("2026-12", 5)]
    assert model.month_totals([entry(5, newyear)], "Europe/Berlin") == [MonthTotal("2027-01", 5)]


def test_what_moves_nothing_makes_no_month() -> None:
    assert model.month_totals([], "UTC") == []


def test_the_bonus_is_a_part_of_a_line() -> None:
    given_, taken, plain = entry(1100, bonus=100), entry(-110, bonus=-10), entry(50)
    assert [model.bonus_in(each) for each in (given_, taken, plain)] == [100, -10, 0]
    assert [model.is_event(each, "bonus") for each in (given_, taken, plain)] == [True, True, False]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("cash"), st.integers(1, 900)),
        st.tuples(st.just("back"), st.integers(1, 900)),
        st.tuples(st.just("charge"), st.integers(1, 900), st.integers(0, 900)),
    ),
    max_size=12,
)


@given(steps=steps)
def test_the_lines_of_a_wallet_sum_to_its_balance_by_any_filter(steps: list[tuple[str, int, int]]) -> None:
    world = worlds.build()
    try:
        for step in steps:
            act(world, *step)
        lines = service.list_transactions(world.ctx, "drv_1", "EUR", limit=200).data
        balance = service.available(world.ctx, "drv_1", "EUR").amount
        assert sum(line.home_amount for line in lines) == balance
        cuts: list[list[dict[str, Any]]] = [
            [{"direction": direction} for direction in ("income", "expenditure")],
            [{"event_type": kind} for kind in sorted({line.kind for line in lines})],
        ]
        for cut in cuts:
            assert sum(read(world, **filters) for filters in cut) == balance
        end = world.ctx.now() + timedelta(days=1)
        months = service.list_months(world.ctx, "drv_1", "EUR", "UTC", date_from=START, date_to=end)
        assert sum(month.income + month.expenditure for month in months) == balance
    finally:
        world.close()


def read(world: World, **filters: Any) -> int:
    page = service.list_transactions(world.ctx, "drv_1", "EUR", limit=200, **filters)
    return sum(line.home_amount for line in page.data)


def act(world: World, what: str, amount: int, cost: int = 0) -> None:
    """What is refused moves nothing."""
    world.advance(3 * 86_400)
    there = service.available(world.ctx, "drv_1", "EUR").amount
    if what == "charge":
        held = Money(min(amount, there), "EUR")
        session_id = world.ctx.new_id("ses")
        fields: dict[str, Any] = {"driver_id": "drv_1", "session_id": session_id}
        if held.amount:
            until = world.ctx.now() + timedelta(hours=1)
            world.commit(lambda uow: service.place_session_hold(uow, amount=held, expires_at=until, **fields))
        world.advance(60)
        world.commit(
            lambda uow: service.settle_session(
                uow, held=held, cost=Money(cost, "EUR"), operator_id="org_1", business_day="2026-03-02", **fields
            )
        )
        return
    taken = service.cash_taken(world.ctx, "drv_1", "org_1", "EUR").amount
    amount = amount if what == "cash" else min(amount, there, taken)
    if amount:
        world.commit(
            lambda uow: service.adjust_wallet(
                uow,
                entry_id=world.ctx.new_id("ent"),
                driver_id="drv_1",
                operator_id="org_1",
                direction="top_up" if what == "cash" else "deduct",
                amount=Money(amount, "EUR"),
                reason="cash",
                business_day="2026-03-02",
            )
        )
