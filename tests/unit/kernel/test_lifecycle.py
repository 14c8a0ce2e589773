"""The engine of transition tables: what is not in the table does not happen."""

from __future__ import annotations

import pytest

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.lifecycle import Lifecycle

DOOR = Lifecycle(
    "garage_door",
    "shut",
    {("shut", "open"): "open", ("open", "shut"): "shut", ("shut", "brick_up"): "bricked_up"},
)


def test_the_table_says_all_there_is() -> None:
    assert DOOR.states == {"shut", "open", "bricked_up"}
    assert DOOR.events == {"open", "shut", "brick_up"}
    assert DOOR.final_states == {"bricked_up"}


@pytest.mark.parametrize("state", sorted(DOOR.states))
@pytest.mark.parametrize("event", sorted(DOOR.events))
def test_every_state_and_event(state: str, event: str) -> None:
    expected = DOOR.transitions.get((state, event))
    assert DOOR.allows(state, event) == (expected is not None)
    if expected is not None:
        assert DOOR.next(state, event) == expected
        return
    with pytest.raises(DomainError) as caught:
        DOOR.next(state, event)
    assert (caught.value.code, caught.value.kind) == ("garage_door.illegal_transition", Kind.CONFLICT)
    assert "garage door" in caught.value.detail


def test_people_read_words_and_not_the_names_of_the_table() -> None:
    with pytest.raises(DomainError) as caught:
        DOOR.next("bricked_up", "brick_up")
    assert caught.value.detail == "This garage door is bricked up already."
    with pytest.raises(DomainError) as caught:
        DOOR.next("bricked_up", "open")
    assert caught.value.detail == "This garage door is bricked up: that is not possible now."
