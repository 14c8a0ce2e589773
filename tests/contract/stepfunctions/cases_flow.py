"""Cases: failures, retries, catches, task tokens, timeouts, Map and Parallel."""

from __future__ import annotations

from typing import Any

from tests.contract.stepfunctions.cases import (
    Case,
    State,
    World,
    answers,
    ask,
    call,
    chain,
    declines,
    declines_times,
    echo,
    end,
    fail,
    refuses,
    step,
    wait,
)

_ORDER = {"order": 1, "items": [1, 2, 3]}


def _retry(*errors: str, **fields: Any) -> list[State]:
    return [{"ErrorEquals": list(errors), "IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": 1, **fields}]


def _catch(*errors: str, **fields: Any) -> list[State]:
    return [{"ErrorEquals": list(errors), "Next": "Rescue", **fields}]


def _rescue(name: str, task: State, function: Any = declines) -> Case:
    """A task with a Catch to `Rescue`; what arrives there is narrowed to the error's name and the input."""
    states = {"A": {**task, "Next": "Done"}, "Done": end()}
    if "Catch" in task:
        states["Rescue"] = step(Parameters={"seen.$": "$"}, End=True)
    return Case(name, chain(**states), _ORDER, {"f": function})


def _by_error(*errors: str) -> State:
    return {**call("f"), "Catch": _catch(*errors, ResultPath=None)}


def _map(name: str, payload: Any, inner: dict[str, State], functions: Any = None, **fields: Any) -> Case:
    state = {"Type": "Map", "ItemProcessor": chain(**inner), **fields}
    states = {"M": state}
    if "Catch" in fields:
        states = {"M": {**state, "Next": "Done"}, "Done": end(), "Rescue": step(End=True)}
    return Case(name, chain(**states), payload, functions or {}, unordered=True)


def _parallel(name: str, *branches: State, functions: Any = None, **fields: Any) -> Case:
    states = {"P": {"Type": "Parallel", "Branches": list(branches), **fields}}
    if "Catch" in fields:
        states = {"P": {**states["P"], "Next": "Done"}, "Done": end(), "Rescue": step(End=True)}
    return Case(name, chain(**states), _ORDER, functions or {}, unordered=True)


def _odd_fails(_: World, payload: Any) -> Any:
    if payload == 2:
        raise ValueError("two")
    return payload * 10


_LINE = {"x": step(Parameters={"seen.$": "$.order"})}

CASES = [
    Case("failure-uncaught", chain(A=call("f")), _ORDER, {"f": declines}),
    Case(
        "failure-in-direct-function",
        chain(A={"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}),
        _ORDER,
        {"f": declines},
    ),
    _rescue("catch-by-name", _by_error("Declined")),
    _rescue("catch-all", _by_error("States.ALL")),
    _rescue("catch-task-failed", _by_error("States.TaskFailed")),
    _rescue("catch-other-name", _by_error("Refused")),
    _rescue("catch-timeout-does-not", _by_error("States.Timeout")),
    _rescue("catch-second", {**call("f"), "Catch": [*_catch("Refused"), *_catch("Declined", ResultPath=None)]}),
    _rescue("catch-not-needed", _by_error("States.ALL"), echo),
    _rescue("retry-then-success", {**call("f"), "Retry": _retry("Declined")}, declines_times(1)),
    _rescue("retry-then-catch", {**_by_error("States.ALL"), "Retry": _retry("States.ALL")}),
    _rescue("retry-other-error", {**_by_error("States.ALL"), "Retry": _retry("Refused")}),
    _rescue("retry-never", {**_by_error("States.ALL"), "Retry": _retry("States.ALL", MaxAttempts=0)}),
    _rescue(
        "retry-count-in-context",
        {**call("f", {"n.$": "$$.State.RetryCount"}), "Retry": _retry("States.ALL")},
        declines_times(1),
    ),
    _rescue("runtime-is-not-caught", {**call("f", {"v.$": "$.missing"}), "Catch": _catch("States.ALL")}, echo),
    _rescue(
        "result-path-failure",
        {**call("f"), "ResultPath": "$.order.x", "Catch": _catch("States.ALL", ResultPath=None)},
        echo,
    ),
    Case("token-success", chain(A=ask("f", {"n.$": "$.order"})), _ORDER, {"f": answers('{"paid":true}')}),
    Case("token-result-path", chain(A=ask("f", ResultPath="$.got")), _ORDER, {"f": answers("5")}),
    Case(
        "token-selector", chain(A=ask("f", ResultSelector={"p.$": "$.paid"})), _ORDER, {"f": answers('{"paid":true}')}
    ),
    Case("token-failure", chain(A=ask("f")), _ORDER, {"f": refuses("Refused", "no funds")}),
    _rescue(
        "token-failure-caught",
        {**ask("f"), "Catch": _catch("Refused", ResultPath="$.problem")},
        refuses("Refused", "no funds"),
    ),
    _rescue(
        "token-failure-all",
        {**ask("f"), "Catch": _catch("States.TaskFailed", ResultPath="$.problem")},
        refuses("Refused", "no funds"),
    ),
    _rescue("token-function-raises", {**ask("f"), "Catch": _catch("Declined", ResultPath=None)}),
    _rescue("token-timeout", {**ask("f", TimeoutSeconds=1), "Catch": _catch("States.Timeout", ResultPath=None)}, echo),
    _rescue("token-timeout-all", {**ask("f", TimeoutSeconds=1), "Catch": _catch("States.ALL", ResultPath=None)}, echo),
    _rescue(
        "token-heartbeat",
        {**ask("f", TimeoutSeconds=9, HeartbeatSeconds=1), "Catch": _catch("States.Timeout", ResultPath=None)},
        echo,
    ),
    Case("token-timeout-uncaught", chain(A=ask("f", TimeoutSeconds=1)), _ORDER, {"f": echo}),
    Case("machine-timeout", {**chain(A=wait(Seconds=5)), "TimeoutSeconds": 1}, _ORDER),
    _map("map-plain", [1, 2, 3], {"x": call("f")}, {"f": echo}),
    _map("map-empty", [], {"x": call("f")}, {"f": echo}),
    _map(
        "map-selector",
        _ORDER,
        {"x": step()},
        ItemsPath="$.items",
        ItemSelector={"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "o.$": "$.order"},
    ),
    _map("map-result-path", _ORDER, {"x": step()}, ItemsPath="$.items", ResultPath="$.copied"),
    _map("map-selected-result", _ORDER, {"x": step()}, ItemsPath="$.items", ResultSelector={"first.$": "$[0]"}),
    _map(
        "map-one-at-a-time", [1, 2, 3], {"x": call("f"), "y": step(OutputPath="$.value")}, {"f": echo}, MaxConcurrency=1
    ),
    _map("map-no-array", _ORDER, {"x": step()}, ItemsPath="$.order"),
    _map("map-failure", [1, 2, 3], {"x": call("f")}, {"f": _odd_fails}, MaxConcurrency=1),
    _map(
        "map-failure-caught",
        [1, 2, 3],
        {"x": call("f")},
        {"f": _odd_fails},
        MaxConcurrency=1,
        Catch=_catch("ValueError", ResultPath=None),
    ),
    _map(
        "map-of-maps",
        [[1, 2], [3]],
        {"inner": {"Type": "Map", "ItemProcessor": chain(leaf=step(Parameters={"v.$": "$"}))}},
    ),
    _parallel("parallel-plain", chain(**_LINE), chain(y=step(Result=2)), chain(z=call("f")), functions={"f": echo}),
    _parallel("parallel-selected", chain(**_LINE), chain(y=step(Result=2)), ResultSelector={"second.$": "$[1]"}),
    _parallel("parallel-parameters", chain(a=step()), Parameters={"o.$": "$.order"}, ResultPath="$.done"),
    _parallel("parallel-failure", chain(a=fail(Error="Broken", Cause="a"))),
    _parallel(
        "parallel-failure-caught",
        chain(a=fail(Error="Broken", Cause="a")),
        Catch=_catch("Broken", ResultPath="$.problem"),
    ),
    _parallel(
        "parallel-failure-all", chain(a=fail(Error="Broken", Cause="a")), Catch=_catch("States.ALL", ResultPath=None)
    ),
    _parallel(
        "parallel-no-choice",
        chain(
            a={"Type": "Choice", "Choices": [{"Variable": "$.order", "NumericEquals": 9, "Next": "b"}]},
            b=step(End=True),
        ),
        Catch=_catch("States.NoChoiceMatched", ResultPath=None),
    ),
    Case(
        "loop",
        {
            "StartAt": "Count",
            "States": {
                "Count": step(Parameters={"n.$": "States.MathAdd($.n, 1)"}, Next="Enough"),
                "Enough": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.n", "NumericGreaterThanEquals": 5, "Next": "Done"}],
                    "Default": "Count",
                },
                "Done": end(),
            },
        },
        {"n": 0},
    ),
]
