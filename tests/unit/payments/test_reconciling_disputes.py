"""Disputes in a provider's list: those that we booked agree, those that nobody told are found and booked, and where the
list says something else than we booked, that is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.payments import service
from chalicelib.payments.model import Dispute, Payment
from tests.unit.payments.statement import Counter
from tests.unit.payments.till import INCOME, euro, page
from tests.world import World

QUIET = {"days": 1, "opened": 0, "settling": 0, "healed": 0}
DISPUTES = "disputes:stripe:EUR"


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


def disputed(counter: Counter, *, told: bool = True) -> tuple[Payment, str]:
    payment = counter.guest(1234)
    ref = counter.provider.dispute(page(payment))
    if told:
        tell(counter, ref)
    return payment, ref


def tell(counter: Counter, ref: str) -> None:
    counter.take(counter.provider.word_of_dispute(ref, counter.world.ctx.new_id("evt")))
    counter.run_events()


def look(counter: Counter, payment: Payment) -> Dispute:
    [found] = service.disputes_of(counter.world.ctx, counter.stored(payment))
    return found


@pytest.mark.parametrize("won", [True, False])
def test_what_we_booked_agrees(counter: Counter, won: bool) -> None:
    payment, ref = disputed(counter)
    assert counter.sleep() == QUIET
    counter.provider.decide(ref, won=won)
    tell(counter, ref)
    assert counter.sleep() == QUIET
    assert look(counter, payment).state == ("won" if won else "lost")
    assert counter.books().get(DISPUTES, 0) == (0 if won else -1234), "whose income it was is for charging"


def test_one_that_nobody_told_is_found_and_booked(counter: Counter) -> None:
    payment, _ = disputed(counter, told=False)
    assert counter.sleep() == QUIET | {"settling": 2, "healed": 1}
    assert look(counter, payment).state == "open"
    assert counter.faults == ["payment_disputed"]
    assert counter.sleep() == QUIET
    assert counter.differences() == {}


def test_an_end_that_nobody_told_is_found_and_booked(counter: Counter) -> None:
    payment, ref = disputed(counter)
    counter.sleep()
    counter.provider.decide(ref, won=True)
    assert counter.sleep() == QUIET | {"settling": 1, "healed": 1}
    assert look(counter, payment).state == "won"
    assert counter.sleep() == QUIET
    assert counter.books()[INCOME] == 1234
    assert DISPUTES not in counter.books()


def test_a_list_that_says_something_else_is_told(counter: Counter) -> None:
    _, ref = disputed(counter)
    line = counter.provider.movements[-1]
    counter.provider.movements[-1] = replace(line, amount=euro(-1230))
    assert counter.sleep()["opened"] == 1
    [difference] = counter.differences().values()
    assert (difference.item_id, difference.code, difference.remaining) == (ref, "dispute", {"EUR": -4})


def test_one_of_nobodys_payment_stays_for_people(counter: Counter) -> None:
    counter.provider.move("dispute", euro(-2000), fee=euro(1500), source_ref="dp_stray")
    assert counter.sleep()["opened"] == 2
    assert service.list_disputes(counter.world.ctx, "org_1", limit=9).data == []
