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
            raise DomainError(f"{self.noun}.illegal_transition", self._why_not(state, event), Kind.CONFLICT) from None

    def _why_not(self, state: State, event: str) -> str:
        """For people: an event that has led to this very state from another one has just happened before."""
        leads_here = any(cause == event and after == state for (_, cause), after in self.transitions.items())
        rest = " already" if leads_here else ": that is not possible now"
        return f"This {_words(self.noun)} is {_words(state)}{rest}."


def _words(name: str) -> str:
    return name.replace("_", " ")
