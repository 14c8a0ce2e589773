"""What is left of the cash in a wallet: nobody takes what is spent, nor what others paid in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, wallet_account
from chalicelib.wallets import service
from chalicelib.wallets.model import CashLeft, folded
from chalicelib.wallets.service import adjusting
from tests.unit.wallets.test_adjusting import DRIVER, adjust, eur, pay_in, refused_code
from tests.world import START, World

WALLET = wallet_account(DRIVER, "EUR")
NOTHING = CashLeft(DRIVER, "EUR")
OPERATORS = ("org_1", "org_2", "org_3")


def charge(world: World, cost: int, held: int | None = None) -> None:
    """A charge from its hold to its end."""
    settle(world, reserve(world, cost if held is None else held), cost)


def reserve(world: World, amount: int) -> tuple[str, Money]:
    world.advance(60)
    session_id, held, until = world.ctx.new_id("ses"), eur(amount), world.ctx.now() + timedelta(hours=1)
    world.commit(
        lambda uow: service.place_session_hold(
            uow, driver_id=DRIVER, session_id=session_id, amount=held, expires_at=until
        )
    )
    return session_id, held


def settle(world: World, reserved: tuple[str, Money], cost: int) -> None:
    world.advance(60)
    session_id, held = reserved
    fields: dict[str, Any] = {"driver_id": DRIVER, "session_id": session_id, "held": held, "cost": eur(cost)}
    world.commit(lambda uow: service.settle_session(uow, operator_id="org_9", business_day="2026-03-02", **fields))


def left(world: World, operator_id: str = "org_1") -> int:
    return service.cash_left(world.ctx, DRIVER, operator_id, "EUR").amount


def test_cash_that_was_spent_is_not_taken_out_of_what_a_card_paid(world: World) -> None:
    adjust(world, 500)
    charge(world, 500)
    pay_in(world, 10_000)
    assert left(world) == 0
    assert refused_code(lambda: adjust(world, -1)) == "wallet.deduct_exceeds_cash"
    adjust(world, 300)
    assert refused_code(lambda: adjust(world, -301)) == "wallet.deduct_exceeds_cash"
    adjust(world, -300)
    assert service.available(world.ctx, DRIVER, "EUR") == eur(10_000)


def test_nor_out_of_the_cash_of_another_operator(world: World) -> None:
    adjust(world, 500, "org_1")
    adjust(world, 400, "org_2")
    charge(world, 600)
    assert (left(world, "org_1"), left(world, "org_2")) == (0, 300)
    assert refused_code(lambda: adjust(world, -1, "org_1")) == "wallet.deduct_exceeds_cash"
    adjust(world, -300, "org_2")
    assert service.available(world.ctx, DRIVER, "EUR") == eur(0)


def test_cash_is_spent_before_what_a_card_paid(world: World) -> None:
    pay_in(world, 1000)
    adjust(world, 500)
    charge(world, 200)
    assert left(world) == 300


def test_what_is_reserved_is_not_spent_and_what_is_given_back_was_not(world: World) -> None:
    adjust(world, 500)
    pay_in(world, 100)
    reserved = reserve(world, 450)
    assert left(world) == 500
    assert refused_code(lambda: adjust(world, -200)) == "ledger.insufficient_funds"
    settle(world, reserved, 100)
    assert left(world) == 400
    adjust(world, -400)
    assert service.available(world.ctx, DRIVER, "EUR") == eur(100)


def test_what_the_platform_corrects_is_cash_first_too(world: World) -> None:
    adjust(world, 500)
    pay_in(world, 100)
    adjust(world, 50, "org_2")
    platform = [Posting(WALLET, -520), Posting("income:org_9:EUR", 520)]
    world.advance(1)
    now = world.ctx.now()
    entry = Entry(derived_id("ent", now, "x"), WALLET, "correction", "EUR", platform, now, "ses_1", "2026-03-02")
    world.commit(lambda uow: ledger.post(uow, entry))
    assert (left(world, "org_1"), left(world, "org_2")) == (0, 30)


def test_what_goes_back_to_a_card_takes_cash_only_where_nothing_else_is_there() -> None:
    state = folded(NOTHING, [paid_in(1, 1000), cash(2, "org_1", 300), back_to_card(3, 600)])
    assert (state.of("org_1"), state.total) == (300, 700)
    state = folded(state, [back_to_card(4, 500)])
    assert (state.of("org_1"), state.total) == (200, 200)


def test_cash_that_was_taken_out_before_it_was_put_in_is_not_there_twice() -> None:
    """A request that is tried again keeps the moment of its first try in the id of its entry."""
    state = folded(NOTHING, [paid_in(1, 1000), cash(2, "org_1", -100), cash(3, "org_1", 100), cash(4, "org_1", 100)])
    assert (state.of("org_1"), state.total) == (100, 1100)
    assert folded(state, [spent(5, 100)]).of("org_1") == 0


def test_what_a_voucher_brought_is_no_cash_to_be_deducted() -> None:
    entries = [move(1, "voucher", 400, "cash:org_1:EUR"), spent(2, 100), cash(3, "org_1", 50), spent(4, 20)]
    state = folded(NOTHING, entries)
    assert (state.of("org_1"), state.spent_of("org_1"), state.total) == (30, 20, 330)


def test_entries_of_one_moment_come_in_any_order() -> None:
    """Another operator's deduction that stands before its cash takes nothing of this one's."""
    entries = [cash(1, "org_2", -200), cash(2, "org_1", 500), spent(3, 100), cash(4, "org_2", 300)]
    state = folded(NOTHING, entries)
    assert (state.of("org_1"), state.of("org_2"), state.total) == (400, 100, 500)


def test_a_long_history_is_read_once(world: World) -> None:
    adjust(world, 500)
    charge_often(world)
    adjust(world, -1)  # keeps what the history comes to
    charge(world, 20)
    state, read = adjusting.look_at_cash(world.ctx, DRIVER, "EUR")
    assert (state.of("org_1"), read) == (500 - 50 - 1 - 20, 2), "the deduction, a hold"


def test_an_entry_that_comes_in_late_is_not_passed_over(world: World) -> None:
    """Its id was made before: it stands before what was kept."""
    adjust(world, 500)
    earlier = world.ctx.now()
    charge_often(world)
    adjust(world, -1)
    postings = [Posting(WALLET, -300), Posting("income:org_9:EUR", 300)]
    late = Entry(derived_id("ent", earlier, "late"), WALLET, "correction", "EUR", postings, earlier, "s", "2026-03-02")
    world.commit(lambda uow: ledger.post(uow, late))
    assert left(world) == 500 - 50 - 1 - 300


def charge_often(world: World) -> None:
    """So often that it is worth keeping what it comes to."""
    for _ in range(adjusting.FOLDED_AT_ONCE):
        charge(world, 1)


def test_two_looks_at_a_history_see_what_one_does() -> None:
    entries = [
        cash(1, "org_1", 50),
        paid_in(2, 40),
        spent(3, 30),
        cash(4, "org_2", 9),
        spent(5, 30),
        cash(6, "org_2", -3),
    ]
    for cut in range(len(entries)):
        assert folded(folded(NOTHING, entries[:cut]), entries[cut:]) == folded(NOTHING, entries)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("cash"), st.sampled_from(OPERATORS), st.integers(1, 9)),
        st.tuples(st.just("take"), st.sampled_from(OPERATORS), st.integers(1, 9)),
        st.tuples(st.just("paid_in"), st.just(""), st.integers(1, 9)),
        st.tuples(st.just("spent"), st.just(""), st.integers(1, 12)),
        st.tuples(st.just("to_card"), st.just(""), st.integers(1, 9)),
    ),
    max_size=40,
)


@given(steps=steps)
def test_all_operators_together_take_no_more_than_came_as_cash_and_is_there(steps: list[tuple[str, str, int]]) -> None:
    """Against coins, each of which knows who put it in."""
    coins: list[str] = []  # "" was paid by a card
    state, order = NOTHING, list[str]()
    for number, (what, operator_id, amount) in enumerate(steps):
        entry = do(coins, order, number, what, operator_id, min(amount, state.of(operator_id)), amount)
        if entry is not None:
            state = folded(state, [entry])
        for each in OPERATORS:
            assert state.of(each) == coins.count(each)
        assert state.sum == len(coins) - coins.count("") <= state.total == len(coins)


def do(
    coins: list[str], order: list[str], number: int, what: str, operator_id: str, takes: int, amount: int
) -> Entry | None:
    if what == "cash":
        if operator_id not in coins:
            order[:] = [each for each in order if each != operator_id] + [operator_id]
        coins += [operator_id] * amount
        return cash(number, operator_id, amount)
    if what == "paid_in":
        coins += [""] * amount
        return paid_in(number, amount)
    if what == "take":
        for _ in range(takes):
            coins.remove(operator_id)
        return cash(number, operator_id, -takes) if takes else None
    amount = min(amount, len(coins))
    first = ["", *order] if what == "to_card" else [*order, ""]
    coins.sort(key=first.index)
    del coins[:amount]
    if not amount:
        return None
    return back_to_card(number, amount) if what == "to_card" else spent(number, amount)


def move(number: int, kind: str, amount: int, other: str) -> Entry:
    moment = START + timedelta(seconds=number)
    postings = [Posting(WALLET, amount), Posting(other, -amount)]
    return Entry(derived_id("ent", moment, "x"), WALLET, kind, "EUR", postings, moment, "source")


def cash(number: int, operator_id: str, amount: int) -> Entry:
    return move(number, "manual_entry", amount, f"cash:{operator_id}:EUR")


def paid_in(number: int, amount: int) -> Entry:
    return move(number, "top_up", amount, "clearing:stripe:EUR")


def spent(number: int, amount: int) -> Entry:
    return move(number, "consumption", -amount, "income:org_9:EUR")


def back_to_card(number: int, amount: int) -> Entry:
    return move(number, "payment_refund", -amount, "refunds:stripe:EUR")


def test_the_refusal_says_what_is_left(world: World) -> None:
    adjust(world, 500)
    pay_in(world, 500)
    charge(world, 120)
    with pytest.raises(DomainError, match=r"3\.80 EUR is left"):
        adjust(world, -400)
