"""The stack's single worker: events, workflows, schedules, webhooks and limits, in the order of the virtual clock.

One thread does all that AWS would do beside the requests, so that a jump of the clock runs what falls due in the
order of its time. Requests wake it; without them it looks four times a second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.kernel.clock import VirtualClock

IDLE_WAIT_S = 0.25
GATHER_S = 0.02
"""How long what woke the worker may bring company: a batch costs less, and AWS polls a stream every 250 ms."""
MAX_ROUNDS = 10_000
MAX_OVERDUE_STEPS = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """Something that has work: `run` does what is due now and says how much, `next_due` when there is more."""

    name: str
    run: Callable[[], int]
    next_due: Callable[[], datetime | None]


class Worker:
    def __init__(self, clock: VirtualClock, sources: list[Source]) -> None:
        self._clock = clock
        self._sources = sources
        self._turn = threading.RLock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name="worker", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends after the work at hand; what is left is durable and done at the next start."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout=30)

    def wake(self) -> None:
        """There may be work. Cheap; from any thread."""
        self._wake.set()

    def settle(self) -> None:
        """Does all that is due now, including what follows from it."""
        with self._turn:
            for _ in range(MAX_ROUNDS):
                if not sum(source.run() for source in self._sources):
                    return
            raise RuntimeError("the work never ends: two sources keep each other busy")

    def advance(self, seconds: float) -> datetime:
        """Moves the clock, stopping at everything that falls due on the way, in order."""
        with self._turn:
            self.settle()
            target = self._clock.now().timestamp() + seconds
            overdue = 0
            while True:
                due = [moment for source in self._sources if (moment := source.next_due()) is not None]
                step = min(due, default=None)
                now = self._clock.now().timestamp()
                if step is None or step.timestamp() >= target:
                    break
                overdue = overdue + 1 if step.timestamp() <= now else 0
                if overdue > MAX_OVERDUE_STEPS:
                    raise RuntimeError("the clock cannot move: a source has work that is overdue and does not do it")
                self._clock.advance(max(0.001, step.timestamp() - now))
                self.settle()
            self._clock.advance(max(0.0, target - self._clock.now().timestamp()))
            self.settle()
            return self._clock.now()

    def _live(self) -> None:
        while not self._stopping.is_set():
            if self._wake.wait(IDLE_WAIT_S):
                self._stopping.wait(GATHER_S)
            self._wake.clear()
            try:
                self.settle()
            except Exception:
                log.exception("the worker stumbled")
