"""The talk about a feedback: its lifecycle, its bounds, and second clicks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.drivers.model import feedback as model
from chalicelib.drivers.model.feedback import (
    FEEDBACK_LIFECYCLE,
    MAX_A_DAY,
    MAX_MESSAGES,
    MAX_TEXT,
    Feedback,
    FeedbackCount,
    FeedbackState,
    FeedbackSubject,
)
from chalicelib.kernel.errors import DomainError

NOW = datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
NEXT: dict[str, dict[str, str]] = {
    "open": {"answered": "answered", "asked_again": "open", "closed": "closed"},
    "answered": {"answered": "answered", "asked_again": "open", "closed": "closed", "reopened": "open"},
    "closed": {"asked_again": "open", "reopened": "open"},
}


def given_one(text: str = "It was slow.") -> Feedback:
    return model.new_feedback("fbk_1", "drv_1", FeedbackSubject("org_1"), text, NOW)


@pytest.mark.parametrize("state", sorted(FEEDBACK_LIFECYCLE.states))
@pytest.mark.parametrize("event", sorted(FEEDBACK_LIFECYCLE.events))
def test_every_state_and_event(state: FeedbackState, event: str) -> None:
    if event in NEXT[state]:
        assert FEEDBACK_LIFECYCLE.next(state, event) == NEXT[state][event]
        return
    with pytest.raises(DomainError) as refused:
        FEEDBACK_LIFECYCLE.next(state, event)
    assert refused.value.code == "feedback.illegal_transition"


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (MAX_TEXT + 1)])
def test_a_text_says_something_and_has_an_end(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        given_one(text)
    assert refused.value.fields[0].pointer == "/text"


def test_the_second_click_changes_nothing() -> None:
    one = given_one()
    assert model.with_question(one, " It was slow. ", NOW) == one
    answered = model.with_answer(one, "Sorry.", "usr_1", NOW)
    assert model.with_answer(answered, "Sorry. ", "usr_2", NOW) == answered
    closed = model.closed(answered, NOW)
    assert model.closed(closed, NOW + timedelta(hours=1)) == closed
    opened = model.reopened(closed, NOW)
    assert model.reopened(opened, NOW + timedelta(hours=1)) == opened


def test_the_same_words_after_an_answer_are_said_again() -> None:
    answered = model.with_answer(given_one(), "Sorry.", "usr_1", NOW)
    again = model.with_question(answered, "It was slow.", NOW)
    assert (len(again.messages), again.state) == (3, "open")


def test_a_closed_talk_is_not_answered_and_the_driver_opens_it() -> None:
    closed = model.closed(given_one(), NOW)
    with pytest.raises(DomainError) as refused:
        model.with_answer(closed, "Sorry.", "usr_1", NOW)
    assert refused.value.code == "feedback.illegal_transition"
    assert model.with_question(closed, "But", NOW).state == "open"


ACTIONS = st.lists(st.tuples(st.sampled_from(["answer", "ask", "close", "reopen"]), st.text(max_size=3)), max_size=40)


@given(ACTIONS)
def test_whatever_people_do_a_talk_stays_within_its_bounds(actions: list[tuple[str, str]]) -> None:
    """At most MAX_MESSAGES, never two equal ones of one author on end, and its state tells who spoke last."""
    talk, refusals = given_one(), set()
    for minute, (action, text) in enumerate(actions):
        now = NOW + timedelta(minutes=minute)
        try:
            if action == "answer":
                talk = model.with_answer(talk, text, "usr_1", now)
            elif action == "ask":
                talk = model.with_question(talk, text, now)
            else:
                talk = model.closed(talk, now) if action == "close" else model.reopened(talk, now)
        except DomainError as refused:
            refusals.add(refused.code)
    assert refusals <= {"feedback.text_blank", "feedback.full", "feedback.illegal_transition"}
    assert 1 <= len(talk.messages) <= MAX_MESSAGES
    assert all((one.author, one.text) != (other.author, other.text) for one, other in pairwise(talk.messages))
    if talk.state == "answered":
        assert talk.last.author == "operator"


def test_the_twenty_first_text_of_a_day_waits_for_midnight() -> None:
    count: FeedbackCount | None = None
    for number in range(MAX_A_DAY):
        count = model.after_text(count, "drv_1", NOW, f"mark {number}", "fbk_1")
    with pytest.raises(DomainError) as refused:
        model.after_text(count, "drv_1", NOW, "mark", "fbk_1")
    assert (refused.value.code, refused.value.retry_after_s) == ("feedback.too_many", 3600)
    assert model.after_text(count, "drv_1", NOW + timedelta(hours=1), "mark", "fbk_1").sent == 1
