"""Two at the same moment: clicks on "submit", an answer and a question, two counters entering one customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver, NewDriver
from chalicelib.drivers.model.feedback import Feedback, FeedbackSubject
from chalicelib.drivers.service.leaving import erase_driver
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.drivers.conftest import add_driver
from tests.world import World

Decide = Callable[[UnitOfWork], Any]


def collide(world: World, one: Decide, other: Decide) -> None:
    """Both decide on what they read; the first to commit wins, the other must decide again."""
    first, second = UnitOfWork(world.ctx), UnitOfWork(world.ctx)
    one(first)
    other(second)
    first.commit()
    with pytest.raises(StaleRead):
        second.commit()


@pytest.fixture
def driver(world: World) -> Driver:
    return add_driver(world)


def of(world: World, owner: str) -> list[Feedback]:
    return drivers.list_feedback(world.ctx, owner, limit=50, cursor=None).data


def test_two_clicks_at_once_are_one_feedback(world: World, driver: Driver) -> None:
    def click(uow: UnitOfWork) -> Feedback:
        return drivers.give_feedback(uow, driver.driver_id, FeedbackSubject("org_1"), "It was slow.")

    collide(world, click, click)
    again = world.commit(click)
    assert of(world, driver.driver_id) == of(world, "org_1") == [again]


def test_an_answer_and_a_question_at_once_are_both_kept(world: World, driver: Driver) -> None:
    given = world.commit(lambda uow: drivers.give_feedback(uow, driver.driver_id, FeedbackSubject("org_1"), "Slow."))

    def answer(uow: UnitOfWork) -> Feedback:
        found = drivers.require_feedback(world.ctx, given.feedback_id)
        return drivers.answer_feedback(uow, found, "Sorry.", by="usr_1", operator_name="Ours")

    def ask(uow: UnitOfWork) -> Feedback:
        return drivers.ask_again(uow, drivers.require_feedback(world.ctx, given.feedback_id), "Hello?")

    collide(world, answer, ask)
    assert [message.text for message in world.commit(ask).messages] == ["Slow.", "Sorry.", "Hello?"]
    world.run_events()
    assert len(world.mails(driver.email)) == 1


def test_a_driver_who_is_gone_is_not_mailed(world: World, driver: Driver) -> None:
    given = world.commit(lambda uow: drivers.give_feedback(uow, driver.driver_id, FeedbackSubject("org_1"), "Slow."))
    world.commit(lambda uow: erase_driver(uow, driver))
    world.run_events()
    before = len(world.mails())
    world.commit(lambda uow: drivers.answer_feedback(uow, given, "Sorry.", by="usr_1", operator_name="Ours"))
    world.run_events()
    assert len(world.mails()) == before


def test_two_counters_at_once_make_one_driver(world: World) -> None:
    one, other = world.operator().operator_id, world.operator().operator_id
    new = NewDriver("zoe@driver.example", "Zoe")
    collide(
        world,
        lambda uow: drivers.welcome_driver(uow, one, new),
        lambda uow: drivers.welcome_driver(uow, other, new),
    )
    with pytest.raises(DomainError) as refused:
        world.commit(lambda uow: drivers.welcome_driver(uow, other, new))
    assert refused.value.code == "driver.email_taken"
    listed = drivers.list_drivers(world.ctx, other, state=None, words="", limit=50, cursor=None)
    assert listed.data == []
