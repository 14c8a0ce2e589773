"""A branch at one moment: how it leaves its state, fails, ends, and what the history says about it.

Made by `runner` for each step, inside one unit of the store; `advance`, `tasks` and `fanout` decide with it.
Invariant: a step moves the branch, ends it, or fails it; it never leaves it due in the same place.
"""

from __future__ import annotations

from infra.local.stepfunctions import dataflow
from infra.local.stepfunctions.errors import StatesError
from infra.local.stepfunctions.records import Branch, Event, Execution, Phase, Status
from infra.local.stepfunctions.states import Catcher, Machine, Parallel, State, Step
from infra.local.stepfunctions.store import Store
from infra.local.stepfunctions.values import Json, JsonObject, to_text, within_limit

MICROSECONDS = 1_000_000


class Cursor:
    """`branch` of `execution` at `now_us`, in `state`."""

    def __init__(self, store: Store, machine: Machine, execution: Execution, branch: Branch, now_us: int) -> None:
        self.store = store
        self.machine = machine
        self.execution = execution
        self.branch = branch
        self.now_us = now_us
        self.state: State = machine.states[branch.state]
        # What this step makes due at once keeps its place in the order of time: after a jump of the clock a
        # branch goes on to its next pause before another that was due later.
        self.due_us = now_us if branch.due_us is None else branch.due_us

    def context(self) -> JsonObject:
        return dataflow.context_object(self.execution, self.branch)

    def event(self, kind: str, **details: Json) -> None:
        """One line of history, after the branch's last one. Absent details are left out."""
        known: JsonObject = {key: value for key, value in details.items() if value is not None}
        self.execution.events += 1
        record = Event(self.execution.events, self.branch.last_event, self.now_us, kind, known)
        self.store.add_event(self.execution.id, record)
        self.branch.last_event = record.id

    def park(self, phase: Phase, due_us: int | None) -> None:
        """Stays in the state, to be looked at again at `due_us`; None while only others can move it."""
        self.branch.phase, self.branch.due_us = phase, due_us
        self.store.save_branch(self.branch)

    def finish(self, result: Json) -> None:
        """The state's work is done: on to Next, or to the end."""
        following = self.state.next if isinstance(self.state, Step) else None
        try:
            self.leave(result, following)
        except StatesError as failure:
            self.fail(failure)

    def leave(self, result: Json, following: str | None) -> None:
        """Out of the state with a result. StatesError, and nothing changed, if it has no place in the data."""
        output = dataflow.output(self.state, self.branch.data, result, self.context())
        self._go(within_limit(output, "output of the state"), following)

    def _go(self, output: Json, following: str | None) -> None:
        self.event(f"{self.state.kind}StateExited", name=self.state.name, output=to_text(output))
        if following is None:
            self._end(output)
            return
        self.branch.state, self.branch.data = following, output
        self.park(Phase.ENTER, self.due_us)

    def _end(self, output: Json) -> None:
        if self.branch.parent is not None:
            self.branch.data = output
            self._report("Succeeded", Phase.DONE, self.branch.parent)
            return
        self.execution.output = to_text(output)
        self.event("ExecutionSucceeded", output=self.execution.output)
        self._close(Status.SUCCEEDED)

    def fail(self, failure: StatesError) -> None:
        """The state's work failed: tries again, goes where it is caught, or ends the branch."""
        recovery = dataflow.recover(self.state, failure, self.branch.attempts)
        if isinstance(recovery, dataflow.RetryAfter):
            self.branch.attempts[recovery.retrier] += 1
            self.park(Phase.RETRY, self.now_us + round(recovery.delay_s * MICROSECONDS))
        elif isinstance(recovery, Catcher):
            self._catch(recovery, failure)
        else:
            self.end_failed(failure)

    def _catch(self, catcher: Catcher, failure: StatesError) -> None:
        try:
            output = dataflow.error_output(catcher, self.branch.data, failure)
            self._go(within_limit(output, "output of the state"), catcher.next)
        except StatesError as worse:
            self.end_failed(worse)

    def end_failed(self, failure: StatesError) -> None:
        """Ends the branch with a failure nobody recovers from here; a parent's Retry and Catch come next."""
        if self.branch.parent is not None:
            self.branch.failure = (failure.error, failure.cause)
            self._report("Failed", Phase.FAILED, self.branch.parent)
            return
        self.execution.error, self.execution.cause = failure.error, failure.cause
        self.event("ExecutionFailed", error=failure.error, cause=failure.cause)
        self._close(Status.FAILED)

    def _report(self, outcome: str, phase: Phase, parent: int) -> None:
        """Tells the Map or Parallel above that this branch has ended."""
        above = self.store.branch(parent)
        if above is not None and not isinstance(self.machine.states[above.state], Parallel):
            self.event(f"MapIteration{outcome}", name=above.state, index=self.branch.slot)
        self.park(phase, None)
        self.store.wake(parent, self.due_us)

    def end_execution(self, status: Status, kind: str, failure: StatesError) -> None:
        """Ends the whole execution from outside its states: stopped, out of time, out of history."""
        self.execution.error, self.execution.cause = failure.error, failure.cause
        self.event(kind, error=failure.error, cause=failure.cause)
        self._close(status)

    def _close(self, status: Status) -> None:
        self.execution.status, self.execution.stopped_us = status, self.now_us
        self.store.close_execution(self.execution)
