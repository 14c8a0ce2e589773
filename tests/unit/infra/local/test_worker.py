"""The worker: what falls due while the clock jumps is done in the order of its time, and a stuck source is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel.clock import VirtualClock
from infra.local.worker import Source, Worker

START = datetime(2026, 3, 2, tzinfo=UTC)


class Agenda:
    """Notes that fall due; doing one may add another."""

    def __init__(self, clock: VirtualClock, done: list[tuple[str, float]], name: str, due_s: list[float]) -> None:
        self._clock = clock
        self._done = done
        self._name = name
        self.due = [START + timedelta(seconds=s) for s in due_s]

    def run(self) -> int:
        ready = [moment for moment in self.due if moment <= self._clock.now()]
        for moment in ready:
            self.due.remove(moment)
            self._done.append((self._name, (self._clock.now() - START).total_seconds()))
        return len(ready)

    def next_due(self) -> datetime | None:
        return min(self.due, default=None)

    def source(self) -> Source:
        return Source(self._name, self.run, self.next_due)


def test_a_jump_does_what_falls_due_in_order() -> None:
    clock = VirtualClock(START)
    done: list[tuple[str, float]] = []
    first, second = Agenda(clock, done, "a", [10, 30]), Agenda(clock, done, "b", [20, 99])
    worker = Worker(clock, [first.source(), second.source()])
    assert worker.advance(60) == START + timedelta(seconds=60)
    assert [(name, round(at, 2)) for name, at in done] == [("a", 10), ("b", 20), ("a", 30)]
    worker.advance(60)
    assert done[-1][0] == "b"


def test_work_that_is_overdue_and_never_done_is_an_error_not_an_endless_walk() -> None:
    clock = VirtualClock(START)
    stuck = Source("stuck", lambda: 0, lambda: START - timedelta(seconds=1))
    with pytest.raises(RuntimeError, match="cannot move"):
        Worker(clock, [stuck]).advance(3600)


def test_two_sources_that_keep_each_other_busy_are_an_error() -> None:
    endless = Source("endless", lambda: 1, lambda: None)
    with pytest.raises(RuntimeError, match="never ends"):
        Worker(VirtualClock(START), [endless]).settle()
