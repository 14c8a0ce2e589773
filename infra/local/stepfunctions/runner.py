"""The durable runner: starts executions, carries them on when they are due, takes task answers.

For the local platform's loop, the hook of boto3's client, and tests. It has no threads: requests (from any
thread, a running Lambda function too) only record and return; `run_due` does the work, one caller at a time, and
calls the functions. Invariants: each step is one committed unit of the store; a call is made only after its task
token is committed; a call cut off by a crash is made again. One process owns the file.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
import traceback
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from infra.local.stepfunctions import tasks
from infra.local.stepfunctions.advance import advance
from infra.local.stepfunctions.cursor import MICROSECONDS, Cursor
from infra.local.stepfunctions.errors import RUNTIME, ApiError, StatesError
from infra.local.stepfunctions.language import parse
from infra.local.stepfunctions.records import (
    Answer,
    Branch,
    Event,
    Execution,
    Phase,
    Status,
    TaskToken,
    from_us,
    to_us,
)
from infra.local.stepfunctions.states import Machine
from infra.local.stepfunctions.store import Store
from infra.local.stepfunctions.values import MAX_PAYLOAD_BYTES, Json, copy_of, fits, from_text, to_text

Invoke = Callable[[str, Json], object]

_MAX_EVENTS = 25_000  # of one execution's history
_EVENTS_OF_A_STEP = 100  # more than one step of any branch writes
_RETENTION = timedelta(days=90)
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")

_log = logging.getLogger(__name__)


class Runner:
    """`invoke(function, payload)` calls a Lambda function by the name or ARN the definition gives; what it raises
    becomes the task's error (its class name), unless it raises a `StatesError`, which names one itself."""

    def __init__(self, path: str | Path, now: Callable[[], datetime], invoke: Invoke) -> None:
        self._store = Store(path)
        self._now = now
        self._invoke = invoke
        self._machines: dict[str, Machine] = {}
        self._running = threading.Lock()
        self.transitions = 0  # billed state transitions since this runner was made
        with self._store.unit():
            self._store.forget(to_us(now() - _RETENTION))

    def close(self) -> None:
        self._store.close()

    # -- state machines

    def register(self, name: str, definition: Json) -> None:
        """Makes `definition` what `name` means from now on; running executions keep the one they started with.

        DefinitionError, and nothing changed, if it is not sound (`language.validate`).
        """
        parse(name, definition)
        with self._store.unit():
            self._store.put_machine(name, to_text(definition), self._now_us())

    def list_machines(self) -> list[tuple[str, datetime]]:
        """(name, created) of every machine."""
        with self._store.unit():
            return [(name, from_us(created_us)) for name, _, created_us in self._store.machines()]

    def definition(self, machine: str) -> tuple[str, datetime]:
        """(definition as JSON text, created) of a machine. ApiError StateMachineDoesNotExist."""
        with self._store.unit():
            digest, created_us = self._known_machine(machine)
            return self._store.definition(digest), from_us(created_us)

    # -- executions

    def start_execution(self, machine: str, payload: Json, name: str | None = None) -> Execution:
        """Starts `name`; the same name and payload again, while it runs, is the same execution.

        ApiError: StateMachineDoesNotExist, InvalidName, InvalidExecutionInput (no JSON, or over 256 KB),
        ExecutionAlreadyExists (the name was used with another payload, or has ended).
        """
        name = str(uuid.uuid4()) if name is None else name
        if not _NAME.fullmatch(name):
            raise ApiError("InvalidName", f"Invalid Name: '{name}'")
        text = self._fitting(payload, "InvalidExecutionInput")
        with self._store.unit():
            digest, _ = self._known_machine(machine)
            existing = self._store.find_execution(machine, name)
            if existing is not None:
                if existing.status == Status.RUNNING and from_text(existing.input) == from_text(text):
                    return existing
                raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{name}'")
            return self._start(machine, name, digest, text)

    def _start(self, machine: str, name: str, digest: str, text: str) -> Execution:
        parsed, now_us = self._machine(digest), self._now_us()
        deadline_us = None if parsed.timeout_s is None else now_us + parsed.timeout_s * MICROSECONDS
        execution = self._store.add_execution(machine, name, digest, text, now_us, deadline_us)
        branch = self._store.add_branch(execution.id, None, 0, parsed.start_at, from_text(text))
        cursor = Cursor(self._store, parsed, execution, branch, now_us)
        cursor.event("ExecutionStarted", input=text)
        branch.last_event = 0  # the service numbers it so: the first state follows nothing
        cursor.park(Phase.ENTER, now_us)
        self._store.save_counters(execution)
        return execution

    def describe_execution(self, machine: str, name: str) -> Execution:
        """ApiError ExecutionDoesNotExist."""
        with self._store.unit():
            return self._known_execution(machine, name)

    def list_executions(
        self, machine: str | None = None, status: str | None = None, below: int | None = None, limit: int = 100
    ) -> list[Execution]:
        """Newest first; `below` is the id of the last one of the page before."""
        with self._store.unit():
            if machine is not None:
                self._known_machine(machine)
            return self._store.list_executions(machine, status, below, limit)

    def stop_execution(self, machine: str, name: str, error: str | None = None, cause: str | None = None) -> Execution:
        """Aborts an execution; one that has ended stays as it is. ApiError ExecutionDoesNotExist."""
        with self._store.unit():
            execution = self._known_execution(machine, name)
            if execution.status == Status.RUNNING:
                self._end(execution, Status.ABORTED, "ExecutionAborted", StatesError(error, cause))
            return execution

    def get_execution_history(
        self, machine: str, name: str, after: int = 0, limit: int = 1000, newest_first: bool = False
    ) -> list[Event]:
        """Events beyond the id `after`, in the direction asked for. ApiError ExecutionDoesNotExist."""
        with self._store.unit():
            execution = self._known_execution(machine, name)
            return self._store.events(execution.id, after, limit, newest_first)

    # -- task tokens

    def send_task_success(self, task_token: str, output: Json) -> None:
        """ApiError: InvalidToken, TaskDoesNotExist, TaskTimedOut, InvalidOutput (no JSON, or over 256 KB)."""
        self._fitting(output, "InvalidOutput")
        self._answer(task_token, Answer(failed=False, output=output))

    def send_task_failure(self, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        """ApiError: InvalidToken, TaskDoesNotExist, TaskTimedOut."""
        self._answer(task_token, Answer(failed=True, error=error, cause=cause))

    def send_task_heartbeat(self, task_token: str) -> None:
        """ApiError: InvalidToken, TaskDoesNotExist, TaskTimedOut."""
        with self._store.unit():
            _, branch = self._open_task(task_token)
            tasks.beat(branch, self._now_us())
            self._store.save_branch(branch)

    def _answer(self, task_token: str, answer: Answer) -> None:
        with self._store.unit():
            known, branch = self._open_task(task_token)
            self._store.put_answer(known.text, answer)
            self._store.wake(branch.id, self._now_us())

    def _open_task(self, task_token: str) -> tuple[TaskToken, Branch]:
        """The task that still waits for this task token, by its answer and by the clock."""
        if not task_token.startswith(tasks.TASK_TOKEN_PREFIX):
            raise ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
        known = self._store.task_token(task_token)
        if known is None:
            raise ApiError("TaskDoesNotExist", "Task does not exist")
        branch = self._store.branch(known.branch)
        closed = known.answer is not None or branch is None or branch.task_token != task_token
        if branch is None or closed or branch.phase not in (Phase.INVOKE, Phase.PARKED):
            raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        if branch.deadline_us is not None and branch.deadline_us <= self._now_us():
            raise ApiError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        return known, branch

    # -- the work

    def next_due(self) -> datetime | None:
        """When `run_due` next has something to do (it may be past); None while only requests can bring work."""
        with self._store.unit():
            due_us = self._store.next_due_us()
        return None if due_us is None else from_us(due_us)

    def run_due(self, limit: int = 10_000) -> int:
        """Does what is due by now, earliest first, and what becomes due by that; returns the number of steps.

        At most `limit` steps: there may be more when it returns `limit`. A second caller gets 0 at once.
        """
        if not self._running.acquire(blocking=False):
            return 0
        try:
            for done in range(limit):
                if not self._step():
                    return done
            return limit
        finally:
            self._running.release()

    def _step(self) -> bool:
        with self._store.unit():
            now_us = self._now_us()
            due = self._store.due_branch(now_us)
            overdue = self._store.overdue_execution(now_us if due is None else due[1])
            if overdue is not None:
                self._end(overdue, Status.TIMED_OUT, "ExecutionTimedOut", StatesError(None, None))
                return True
            if due is None:
                return False
            call = self._carry_on(due[0], self._advance)
        if call is not None:
            outcome = self._call(call.function, call.call)
            with self._store.unit():
                self._carry_on(call.id, lambda cursor: tasks.returned(cursor, outcome))
        return True

    def _carry_on(self, identity: int, act: Callable[[Cursor], Branch | None]) -> Branch | None:
        """Acts on a branch, if it is still there. A fault of ours ends that execution, and no other."""
        branch = self._store.branch(identity)
        if branch is None:  # its execution was stopped meanwhile
            return None
        execution = self._store.execution(branch.execution)
        if execution.events > _MAX_EVENTS - _EVENTS_OF_A_STEP:
            story = StatesError(RUNTIME, f"The execution reached the limit of {_MAX_EVENTS} events.")
            self._end(execution, Status.FAILED, "ExecutionFailed", story)
            return None
        before = execution.transitions
        try:
            with self._store.undoable():
                machine = self._machine(execution.definition)
                call = act(Cursor(self._store, machine, execution, branch, self._now_us()))
        except sqlite3.Error:  # the disk's fault, not the execution's: it stands where it stood
            raise
        except Exception as fault:
            _log.exception("a step failed; its execution ends")
            story = StatesError(RUNTIME, f"{type(fault).__name__}: {fault}")
            self._end(self._store.execution(execution.id), Status.FAILED, "ExecutionFailed", story)
            return None
        if execution.status == Status.RUNNING:
            self._store.save_counters(execution)
        self.transitions += execution.transitions - before
        return call

    def _advance(self, cursor: Cursor) -> Branch | None:
        """The branch whose function is to be called now, if the step came to that."""
        return None if advance(cursor) else cursor.branch

    def _call(self, function: str, payload: Json) -> Answer:
        try:
            value = self._invoke(function, copy_of(payload))
        except StatesError as failure:
            return Answer(failed=True, error=failure.error, cause=failure.cause)
        except Exception as error:
            trace = traceback.format_tb(error.__traceback__)
            return _raised(type(error).__name__, str(error), trace)
        try:
            return Answer(failed=False, output=copy_of(value))
        except (TypeError, ValueError) as error:  # as the Lambda runtime calls an answer that is no JSON
            return _raised("Runtime.MarshalError", str(error), [])

    def _end(self, execution: Execution, status: Status, kind: str, story: StatesError) -> None:
        branch = self._store.root_branch(execution.id)
        machine = self._machine(execution.definition)
        Cursor(self._store, machine, execution, branch, self._now_us()).end_execution(status, kind, story)

    # -- helpers

    def _now_us(self) -> int:
        return to_us(self._now())

    def _machine(self, digest: str) -> Machine:
        if digest not in self._machines:
            self._machines[digest] = parse(digest, from_text(self._store.definition(digest)))
        return self._machines[digest]

    def _known_machine(self, name: str) -> tuple[str, int]:
        found = self._store.machine(name)
        if found is None:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{name}'")
        return found

    def _known_execution(self, machine: str, name: str) -> Execution:
        found = self._store.find_execution(machine, name)
        if found is None:
            raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{machine}:{name}'")
        return found

    def _fitting(self, value: Json, code: str) -> str:
        try:
            text = to_text(value)
        except (TypeError, ValueError, RecursionError) as problem:
            raise ApiError(code, f"not JSON: {problem}") from problem
        if not fits(text):
            raise ApiError(code, f"the JSON text is larger than {MAX_PAYLOAD_BYTES} bytes")
        return text


def _raised(error: str, message: str, trace: list[str]) -> Answer:
    story = {"errorMessage": message, "errorType": error, "stackTrace": trace}
    return Answer(failed=True, error=error, cause=to_text(story))
