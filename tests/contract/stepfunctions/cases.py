"""How a case of the agreement suite is written: an ASL document from a few helpers, an input, functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.stepfunctions.worlds import Function, World

INVOKE = "arn:aws:states:::lambda:invoke"
CALLBACK = f"{INVOKE}.waitForTaskToken"
State = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`name` is unique in the suite. `unordered`: branches run at once, so only the set of calls is compared."""

    name: str
    definition: State
    payload: Any = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    unordered: bool = False


def chain(**states: State) -> State:
    """A machine that starts at the first state; each leads to the one below unless it says otherwise."""
    names = list(states)
    linked: dict[str, State] = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = dict(states[name])
        if state["Type"] not in ("Choice", "Succeed", "Fail") and not {"Next", "End"} & state.keys():
            state.update({"End": True} if following is None else {"Next": following})
        linked[name] = state
    return {"StartAt": names[0], "States": linked}


def call(function: str, payload: Any = None, **fields: Any) -> State:
    """A Task by lambda:invoke whose result is what the function returned."""
    parameters = {"FunctionName": function, **({"Payload.$": "$"} if payload is None else {"Payload": payload})}
    return {
        "Type": "Task",
        "Resource": INVOKE,
        "Parameters": parameters,
        "ResultSelector": {"value.$": "$.Payload"},
        **fields,
    }


def ask(function: str, payload: Any = None, **fields: Any) -> State:
    """A Task that waits for its task token, which the function finds in its payload."""
    sent = {**(payload or {}), "task_token.$": "$$.Task.Token"}
    parameters = {"FunctionName": function, "Payload": sent}
    return {"Type": "Task", "Resource": CALLBACK, "Parameters": parameters, **fields}


def step(**fields: Any) -> State:
    return {"Type": "Pass", **fields}


def wait(**fields: Any) -> State:
    return {"Type": "Wait", **fields}


def end(**fields: Any) -> State:
    return {"Type": "Succeed", **fields}


def fail(**fields: Any) -> State:
    return {"Type": "Fail", **fields}


def echo(_: World, payload: Any) -> Any:
    return payload


class Declined(Exception):
    """What a function of the cases raises."""


def declines(_: World, payload: Any) -> Any:
    raise Declined("card declined")


def declines_times(times: int) -> Function:
    """A function that raises the first `times` times of a run, then returns how often it was called."""

    def function(world: World, payload: Any) -> Any:
        calls = len(world.calls.made)
        if calls <= times:
            raise Declined(f"attempt {calls}")
        return calls

    return function


def answers(output: str) -> Function:
    def function(world: World, payload: Any) -> None:
        world.client.send_task_success(taskToken=payload["task_token"], output=output)

    return function


def refuses(error: str, cause: str) -> Function:
    def function(world: World, payload: Any) -> None:
        world.client.send_task_failure(taskToken=payload["task_token"], error=error, cause=cause)

    return function
