"""What a branch does when it is due, by its phase and the type of its state.

Called by `runner` alone, inside one unit of the store. The states that take no time are done here at once;
`tasks` and `fanout` do the others.
"""

from __future__ import annotations

from infra.local.stepfunctions import choice, dataflow, fanout, tasks
from infra.local.stepfunctions.cursor import MICROSECONDS, Cursor
from infra.local.stepfunctions.errors import NO_CHOICE_MATCHED, RUNTIME, StatesError
from infra.local.stepfunctions.expressions import Scope, evaluate
from infra.local.stepfunctions.paths import Path, read
from infra.local.stepfunctions.records import Phase, to_us
from infra.local.stepfunctions.states import Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait, Work
from infra.local.stepfunctions.values import Json, JsonObject, to_text


def advance(cursor: Cursor) -> bool:
    """Takes the branch's next step; False if that is a call to be made outside (phase INVOKE)."""
    match cursor.branch.phase:
        case Phase.ENTER:
            _enter(cursor)
        case Phase.RETRY:
            _attempt(cursor)
        case Phase.WAIT:
            cursor.finish(_selected(cursor))
        case Phase.JOIN:
            fanout.join(cursor)
        case Phase.INVOKE:
            return tasks.resolve(cursor)
        case Phase.PARKED:
            if not tasks.resolve(cursor):
                cursor.park(Phase.PARKED, cursor.branch.deadline_us)
    return True


def _selected(cursor: Cursor) -> Json:
    return dataflow.path_input(cursor.state, cursor.branch.data, cursor.context())


def _enter(cursor: Cursor) -> None:
    branch, state = cursor.branch, cursor.state
    branch.entered_us = cursor.now_us
    branch.attempts = [0] * len(state.retry) if isinstance(state, Work) else []
    branch.task_token = branch.timeout_us = branch.heartbeat_s = branch.heartbeat_us = None
    cursor.event(f"{state.kind}StateEntered", name=state.name, input=to_text(branch.data))
    _attempt(cursor)


def _attempt(cursor: Cursor) -> None:
    """Does the state's work, for the first time or again after a retry's pause: a billed transition each."""
    cursor.execution.transitions += 1
    try:
        _work(cursor)
    except StatesError as failure:
        cursor.fail(failure)


def _work(cursor: Cursor) -> None:
    state = cursor.state
    match state:
        case Task():
            tasks.schedule(cursor, state)
        case Map():
            fanout.open_map(cursor, state)
        case Parallel():
            fanout.open_parallel(cursor, state)
        case Wait():
            cursor.park(Phase.WAIT, _wakes_us(cursor, state))
        case Choice():
            data = _selected(cursor)
            cursor.leave(data, _decide(state, Scope(data, cursor.context())))
        case Fail():
            raise _given_up(state, Scope(cursor.branch.data, cursor.context()))
        case Pass(result=(fixed,)):
            cursor.leave(fixed, state.next)
        case Pass():
            cursor.leave(dataflow.effective_input(state, cursor.branch.data, cursor.context()), state.next)
        case Succeed():
            cursor.leave(_selected(cursor), None)


def _decide(state: Choice, scope: Scope) -> str:
    following = choice.first_match(state.choices, scope) or state.default
    if following is None:
        raise StatesError(NO_CHOICE_MATCHED, f"No rule of '{state.name}' matches, and it has no Default.")
    return following


def _given_up(state: Fail, scope: Scope) -> StatesError:
    error = state.error if state.error_path is None else evaluate(state.error_path, scope)
    cause = state.cause if state.cause_path is None else evaluate(state.cause_path, scope)
    if not isinstance(error, str | None) or not isinstance(cause, str | None):
        return StatesError(RUNTIME, "ErrorPath and CausePath must select strings.")
    return StatesError(error, cause)


def _wakes_us(cursor: Cursor, state: Wait) -> int:
    data, context = _selected(cursor), cursor.context()
    if state.seconds is not None:
        return cursor.now_us + dataflow.number(state.seconds, data, context) * MICROSECONDS
    if isinstance(state.timestamp, Path):
        return _timestamp_us(state.timestamp, data, context)
    return cursor.now_us if state.timestamp is None else to_us(state.timestamp)


def _timestamp_us(path: Path, data: Json, context: JsonObject) -> int:
    moment = choice.timestamp_of(read(path, data, context))
    if moment is None:
        raise StatesError(RUNTIME, f"The value at '{path.text}' is not an RFC 3339 time.")
    return to_us(moment)
