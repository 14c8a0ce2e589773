"""A hold that grows while what it is for goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.ledger import proving, service
from chalicelib.ledger.model import Hold
from tests.unit.ledger.test_service import WALLET, capture, eur, hold, post, refused_code
from tests.world import World


def extend(world: World, placed: Hold, session_id: str, by: int) -> Hold:
    world.advance(1)
    world.commit(lambda uow: service.extend_hold(uow, placed, eur(by), source_id=session_id))
    return replace(placed, amount=placed.amount + eur(by))


def books_are_right(world: World) -> bool:
    return proving.prove_ledger(world.ctx).faults == []


def test_it_grows_step_by_step_and_is_captured_whole(world: World) -> None:
    post(world, 1000)
    world.advance(1)  # what happens in one millisecond has no order
    placed, session_id = hold(world, 500)
    grown = extend(world, extend(world, placed, session_id, 200), session_id, 200)
    assert (grown.amount, service.balance(world.ctx, WALLET)) == (eur(900), eur(100))
    assert books_are_right(world)
    world.advance(1)
    capture(world, grown, session_id, 650)
    assert service.balance(world.ctx, WALLET) == eur(350)
    lines = [(entry.kind, entry.home_amount) for entry in service.entries_of_account(world.ctx, WALLET)]
    assert lines[1:] == [("consumption", -500), ("consumption", -200), ("consumption", -200), ("refund", 250)]
    assert books_are_right(world)


def test_who_knows_it_smaller_neither_extends_nor_ends_it(world: World) -> None:
    post(world, 1000)
    placed, session_id = hold(world, 500)
    extend(world, placed, session_id, 200)
    assert refused_code(lambda: extend(world, placed, session_id, 200)) == "ledger.hold_not_open"
    assert refused_code(lambda: capture(world, placed, session_id, 400)) == "ledger.hold_not_open"
    assert service.balance(world.ctx, WALLET) == eur(300)
    assert books_are_right(world)


def test_no_more_than_there_is_and_nothing_of_one_that_is_over(world: World) -> None:
    post(world, 1000)
    placed, session_id = hold(world, 900)
    assert refused_code(lambda: extend(world, placed, session_id, 101)) == "ledger.insufficient_funds"
    capture(world, placed, session_id, 0)
    assert refused_code(lambda: extend(world, placed, session_id, 50)) == "ledger.hold_not_open"
    assert service.balance(world.ctx, WALLET) == eur(1000)


@pytest.mark.parametrize("by", [0, -1])
def test_it_never_shrinks(world: World, by: int) -> None:
    post(world, 1000)
    placed, session_id = hold(world, 500)
    assert refused_code(lambda: extend(world, placed, session_id, by)) == "ledger.hold_amount"
