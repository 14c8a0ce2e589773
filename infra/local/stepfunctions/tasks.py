"""A Task's attempt: committed before it is made, settled by its answer, its task token, or its timeouts.

Called by `advance` and `runner`, inside one unit of the store. Calls nothing outside: `schedule` ends in the
phase INVOKE with the call and the task token recorded; the runner makes the call after the commit, and again
after a crash (at least once, as on the service).
"""

from __future__ import annotations

import secrets

from infra.local.stepfunctions import dataflow
from infra.local.stepfunctions.cursor import MICROSECONDS, Cursor
from infra.local.stepfunctions.errors import HEARTBEAT_TIMEOUT, RUNTIME, TIMEOUT, StatesError
from infra.local.stepfunctions.records import Answer, Branch, Phase
from infra.local.stepfunctions.states import Task
from infra.local.stepfunctions.values import Json, JsonObject, to_text, within_limit

TASK_TOKEN_PREFIX = "local-task-"


def schedule(cursor: Cursor, task: Task) -> None:
    """Records the attempt. StatesError if its input or its timeouts cannot be made from the data."""
    branch = cursor.branch
    branch.task_token = None
    if task.integration == "callback":
        branch.task_token = TASK_TOKEN_PREFIX + secrets.token_urlsafe(24)
        cursor.store.add_task_token(branch.task_token, branch)
    context = cursor.context()
    data = dataflow.path_input(task, branch.data, context)
    request = within_limit(dataflow.effective_input(task, branch.data, context), "input of the task")
    branch.function, branch.call = _call_of(task, request)
    timeout_s = None if task.timeout is None else dataflow.number(task.timeout, data, context)
    branch.timeout_us = None if timeout_s is None else cursor.now_us + timeout_s * MICROSECONDS
    branch.heartbeat_s = None if task.heartbeat is None else dataflow.number(task.heartbeat, data, context)
    beat(branch, cursor.now_us)
    if task.integration == "function":
        cursor.event("LambdaFunctionScheduled", resource=task.resource, input=to_text(request))
        cursor.event("LambdaFunctionStarted")
    else:
        cursor.event(
            "TaskScheduled",
            **_resource(task),
            region="us-east-1",
            parameters=to_text(request),
            timeoutInSeconds=timeout_s,
            heartbeatInSeconds=branch.heartbeat_s,
        )
        cursor.event("TaskStarted", **_resource(task))
    cursor.park(Phase.INVOKE, cursor.due_us)


def beat(branch: Branch, now_us: int) -> None:
    """A sign of life, the first of which is the start. Moves the moment at which the branch is missed."""
    if branch.heartbeat_s is not None:
        branch.heartbeat_us = now_us + branch.heartbeat_s * MICROSECONDS
    if branch.phase == Phase.PARKED:
        branch.due_us = branch.deadline_us


def resolve(cursor: Cursor) -> bool:
    """Settles an attempt that was answered by its task token or is out of time; whether it was."""
    branch = cursor.branch
    known = None if branch.task_token is None else cursor.store.task_token(branch.task_token)
    if known is not None and known.answer is not None:
        _settle(cursor, known.answer)
        return True
    if branch.deadline_us is None or cursor.now_us < branch.deadline_us:
        return False
    error = TIMEOUT if branch.deadline_us == branch.timeout_us else HEARTBEAT_TIMEOUT
    _failed(cursor, StatesError(error, None))
    return True


def returned(cursor: Cursor, outcome: Answer) -> None:
    """The function came back with `outcome`.

    An answer by task token, given while it ran, counts more, and so does a timeout that passed meanwhile. What a
    callback's function returns is only a receipt.
    """
    task = cursor.state
    submitted = isinstance(task, Task) and task.integration == "callback" and not outcome.failed
    if isinstance(task, Task) and submitted:
        cursor.event("TaskSubmitted", **_resource(task), output=to_text(_wrapped(outcome.output)))
        cursor.branch.call = None
    if resolve(cursor):
        return
    if submitted:
        cursor.park(Phase.PARKED, cursor.branch.deadline_us)
    elif isinstance(task, Task) and task.integration == "invoke" and not outcome.failed:
        _settle(cursor, Answer(failed=False, output=_wrapped(outcome.output)))
    else:
        _settle(cursor, outcome)


def _settle(cursor: Cursor, answer: Answer) -> None:
    task = cursor.state
    try:
        result = within_limit(answer.result(), "output of the task")
    except StatesError as failure:
        _failed(cursor, failure)
        return
    if isinstance(task, Task) and task.integration != "function":
        cursor.event("TaskSucceeded", **_resource(task), output=to_text(result))
    else:
        cursor.event("LambdaFunctionSucceeded", output=to_text(result))
    cursor.finish(result)


def _failed(cursor: Cursor, failure: StatesError) -> None:
    task = cursor.state
    outcome = "TimedOut" if failure.error in (TIMEOUT, HEARTBEAT_TIMEOUT) else "Failed"
    if isinstance(task, Task) and task.integration != "function":
        cursor.event(f"Task{outcome}", **_resource(task), error=failure.error, cause=failure.cause)
    else:
        cursor.event(f"LambdaFunction{outcome}", error=failure.error, cause=failure.cause)
    cursor.fail(failure)


def _call_of(task: Task, request: Json) -> tuple[str, Json]:
    """(function, payload) of a task's request."""
    if task.integration == "function":
        return task.resource, request
    fields = request if isinstance(request, dict) else {}
    function = fields.get("FunctionName")
    if not isinstance(function, str) or not function:
        raise StatesError(RUNTIME, "FunctionName must be the name or the ARN of a function.")
    return function, fields.get("Payload", {})


def _resource(task: Task) -> dict[str, Json]:
    resource = "invoke.waitForTaskToken" if task.integration == "callback" else "invoke"
    return {"resourceType": "lambda", "resource": resource}


def _wrapped(value: Json) -> JsonObject:
    """What lambda:invoke makes of a function's answer."""
    return {
        "ExecutedVersion": "$LATEST",
        "Payload": value,
        "SdkHttpMetadata": {"HttpStatusCode": 200},
        "StatusCode": 200,
    }
