"""Twenty people with one card, clerks who block what is redeemed: a voucher pays once, and its batch counts right."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.wallets import service as wallets
from tests.integration.money.counter import Counter
from tests.integration.money.test_contention import THREADS, at_once
from tests.world import World


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world, THREADS)


def redeemer(counter: Counter, code: str, driver_no: int) -> Callable[[], object]:
    decide = counter.redeeming(code, counter.driver_ids[driver_no])
    return lambda: counter.world.commit(decide)


def test_one_card_in_twenty_hands_pays_the_first(counter: Counter) -> None:
    batch_id, codes = counter.sell(2, 1000)
    results = at_once([redeemer(counter, codes[0], number) for number in range(THREADS)])
    assert results == {"done": 1, "voucher.redeemed": THREADS - 1}
    assert sorted(counter.balances()) == [0] * (THREADS - 1) + [1000]
    batch = counter.batch(batch_id)
    assert (batch.redeemed, batch.outstanding) == (1, 1)
    assert counter.cash_of_today() == 1000
    counter.check_books()


def test_one_driver_who_clicks_in_many_windows_gets_one_answer(counter: Counter) -> None:
    batch_id, codes = counter.sell(1, 1000)
    clicks = 8  # his tries are counted one after the other: more at once are told to try again
    results = at_once([redeemer(counter, codes[0], 0)] * clicks)
    assert results["done"] + results["concurrent_change"] == clicks
    assert results["done"] >= 1
    assert counter.balances()[0] == 1000
    assert counter.batch(batch_id).redeemed == 1


def test_a_batch_that_is_redeemed_everywhere_at_once_counts_all(counter: Counter) -> None:
    batch_id, codes = counter.sell(THREADS, 1000)
    results = at_once([redeemer(counter, code, number) for number, code in enumerate(codes)])
    assert results["done"] + results["concurrent_change"] == THREADS
    assert counter.batch(batch_id).redeemed == results["done"]
    assert sum(counter.balances()) == counter.cash_of_today() == 1000 * results["done"]
    counter.check_books()


def test_a_card_is_redeemed_or_void(counter: Counter) -> None:
    for _ in range(5):
        batch_id, codes = counter.sell(1, 1000)
        before = sum(counter.balances())
        voider = counter.voiding(f"{batch_id}-0001")
        results = at_once([lambda: counter.world.commit(voider), redeemer(counter, codes[0], 0)])  # noqa: B023
        batch = counter.batch(batch_id)
        assert results["done"] == 1
        assert (batch.redeemed, batch.voided) in ((1, 0), (0, 1))
        assert sum(counter.balances()) - before == 1000 * batch.redeemed


def test_what_is_blocked_while_it_is_decided_is_not_redeemed(counter: Counter) -> None:
    batch_id, codes = counter.sell(1, 1000)
    redeem = counter.redeeming(codes[0], counter.driver_ids[0])

    def decide(uow: UnitOfWork) -> None:
        redeem(uow)
        if counter.batch(batch_id).state == "active":
            counter.world.commit(counter.blocking(batch_id))

    with pytest.raises(DomainError, match=r"voucher\.blocked"):
        counter.world.commit(decide)
    assert counter.balances()[0] == counter.batch(batch_id).redeemed == 0


def test_what_is_blocked_in_the_middle_pays_none_after(counter: Counter) -> None:
    batch_id, codes = counter.sell(THREADS - 1, 1000)
    blocker = counter.blocking(batch_id)
    works = [redeemer(counter, code, number) for number, code in enumerate(codes)]
    works.insert(len(works) // 2, lambda: counter.world.commit(blocker))
    results = at_once(works)
    batch = counter.batch(batch_id)
    assert batch.state == "blocked"
    assert batch.worth(batch.redeemed).amount == sum(counter.balances()) == counter.cash_of_today()
    assert set(results) <= {"done", "voucher.blocked", "concurrent_change"}
    counter.check_books()


def test_all_together_no_more_than_the_seller_may_owe(counter: Counter) -> None:
    _, codes = counter.sell(THREADS, 1000)
    counter.trust_with(5500)
    results = at_once([redeemer(counter, code, number) for number, code in enumerate(codes)])
    assert 1 <= results["done"] <= 5
    assert set(results) <= {"done", "voucher.not_covered", "concurrent_change"}
    assert wallets.balances(counter.world.ctx, counter.driver_ids[0])
    assert sum(counter.balances()) == 1000 * results["done"]
