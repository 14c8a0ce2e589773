"""The engine for transition tables: a lifecycle is one table, and nothing else decides what may follow what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from chalicelib.kernel.errors import DomainError, Kind

State = TypeVar("State", bound=str)


@dataclass(frozen=True)
class Lifecycle(Generic[State]):
    """`transitions[(state, event)]` is the next state; a pair that is not in the table is refused. `State` is the
    Literal of the states, or plain text."""

    noun: str
    initial: State
    transitions: Mapping[tuple[State, str], State]

    @property
    def states(self) -> frozenset[State]:
        sources = {state for state, _ in self.transitions}
        return frozenset({self.initial} | sources | set(self.transitions.values()))

    @property
    def events(self) -> frozenset[str]:
        return frozenset(event for _, event in self.transitions)

    @property
    def final_states(self) -> frozenset[State]:
        return self.states - {state for state, _ in self.transitions}

    def allows(self, state: State, event: str) -> bool:
        return (state, event) in self.transitions

    def next(self, state: State, event: str) -> State:
        """The state after `event`. Raises DomainError `<noun>.illegal_transition` (409) if there is none."""
        try:
            return self.transitions[(state, event)]
        except KeyError:
            raise DomainError(
                f"{self.noun}.illegal_transition",
                f'This {_words(self.noun)} is {_words(state)}, which rules out "{_words(event)}".',
                Kind.CONFLICT,
            ) from None


def _words(name: str) -> str:
    return name.replace("_", " ")
