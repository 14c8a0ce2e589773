"""How data enters and leaves a state, and what becomes of its failures. Pure; called by `advance` alone.

In: InputPath, then Parameters. Out: ResultSelector, then ResultPath into the raw input, then OutputPath.
Failure: the first Retrier that matches and has attempts left, else the first Catcher that matches.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.kernel.clock import to_rfc3339
from infra.local.stepfunctions.errors import (
    ALL,
    DATA_LIMIT_EXCEEDED,
    HEARTBEAT_TIMEOUT,
    RUNTIME,
    TASK_FAILED,
    TIMEOUT,
    StatesError,
)
from infra.local.stepfunctions.expressions import Scope, fill
from infra.local.stepfunctions.paths import Path, place, read
from infra.local.stepfunctions.records import Branch, Execution, from_us
from infra.local.stepfunctions.states import Catcher, Pass, State, Work
from infra.local.stepfunctions.values import Json, JsonObject, from_text

ARN_PREFIX = "arn:aws:states:us-east-1:000000000000"
ROLE_ARN = "arn:aws:iam::000000000000:role/local"


def machine_arn(name: str) -> str:
    return f"{ARN_PREFIX}:stateMachine:{name}"


def execution_arn(execution: Execution) -> str:
    return f"{ARN_PREFIX}:execution:{execution.machine}:{execution.name}"


def context_object(execution: Execution, branch: Branch) -> JsonObject:
    """What `$$` shows to the state a branch is in."""
    context: JsonObject = {
        "Execution": {
            "Id": execution_arn(execution),
            "Input": from_text(execution.input),
            "Name": execution.name,
            "RoleArn": ROLE_ARN,
            "StartTime": to_rfc3339(from_us(execution.started_us)),
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": machine_arn(execution.machine), "Name": execution.machine},
        "State": {
            "Name": branch.state,
            "EnteredTime": to_rfc3339(from_us(branch.entered_us)),
            "RetryCount": sum(branch.attempts),
        },
    }
    if branch.task_token is not None:
        context["Task"] = {"Token": branch.task_token}
    return context


def path_input(state: State, raw: Json, context: Json) -> Json:
    """The raw input behind InputPath; `{}` for null."""
    return {} if state.input_path is None else read(state.input_path, raw, context)


def effective_input(state: State, raw: Json, context: Json) -> Json:
    """InputPath, then Parameters (a Map's selector is filled per item, by `item_input`)."""
    selected = path_input(state, raw, context)
    if isinstance(state, Work | Pass) and state.parameters is not None:
        return fill(state.parameters, Scope(selected, context))
    return selected


def item_input(selector: JsonObject | None, selected: Json, context: JsonObject, index: int, item: Json) -> Json:
    """The input of one iteration of a Map: the item, or its ItemSelector filled with `$$.Map.Item`."""
    if selector is None:
        return item
    return fill(selector, Scope(selected, {**context, "Map": {"Item": {"Index": index, "Value": item}}}))


def output(state: State, raw: Json, result: Json, context: Json) -> Json:
    """The state's output: ResultSelector, ResultPath, OutputPath."""
    if isinstance(state, Work) and state.result_selector is not None:
        result = fill(state.result_selector, Scope(result, context))
    merged = result
    if isinstance(state, Work | Pass):
        merged = raw if state.result_path is None else place(state.result_path, raw, result)
    return {} if state.output_path is None else read(state.output_path, merged, context)


def number(setting: int | Path, data: Json, context: Json) -> int:
    """A number given in the definition, or found by its path. States.Runtime if that is no whole number >= 0."""
    if isinstance(setting, int):
        return setting
    value = read(setting, data, context)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != int(value):
        raise StatesError(RUNTIME, f"The value at '{setting.text}' is not a whole number of at least 0.")
    return int(value)


@dataclass(frozen=True)
class RetryAfter:
    """Try again in `delay_s`; `retrier` is the position of the Retrier whose attempt this uses up."""

    retrier: int
    delay_s: float


def recover(state: State, failure: StatesError, attempts: list[int]) -> RetryAfter | Catcher | None:
    """What the state does about a failure. States.Runtime is never retried or caught (the service's rule)."""
    if not isinstance(state, Work) or failure.error == RUNTIME:
        return None
    for position, retrier in enumerate(state.retry):
        if _matches(retrier.error_equals, failure.error):
            used = attempts[position]
            if used < retrier.max_attempts:
                return RetryAfter(position, retrier.delay_s(used))
            break
    return next((catcher for catcher in state.catch if _matches(catcher.error_equals, failure.error)), None)


def _matches(names: tuple[str, ...], error: str | None) -> bool:
    timed_out = error in (TIMEOUT, HEARTBEAT_TIMEOUT)
    return (
        error in names
        or (ALL in names and error != DATA_LIMIT_EXCEEDED)
        or (TASK_FAILED in names and not timed_out and error != DATA_LIMIT_EXCEEDED)
        or (TIMEOUT in names and timed_out)
    )


def error_output(catcher: Catcher, raw: Json, failure: StatesError) -> Json:
    """The input of a Catcher's target: the error object at its ResultPath in the raw input."""
    story: JsonObject = {"Error": failure.error, "Cause": failure.cause}
    described: Json = {key: value for key, value in story.items() if value is not None}
    return raw if catcher.result_path is None else place(catcher.result_path, raw, described)
