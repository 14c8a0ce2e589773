"""The two interpreters that must agree: our runner, and moto's (an independent one, in memory, in real time).

A `World` runs one case: an ASL document, an input, and Python functions in place of the Lambda functions. Both
are spoken to through boto3 alone, so what is compared is what the product sees.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from chalicelib.kernel.clock import VirtualClock
from infra.local.stepfunctions.runner import Runner
from infra.local.stepfunctions.values import to_text

Function = Callable[["World", Any], object]
_FINISHED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
_DEADLINE_S = 20
_names = itertools.count(1)


@dataclass(frozen=True)
class Outcome:
    """What a case came to. `calls` are (function, payload) in order; a cause that is JSON is told by its error."""

    status: str
    output: Any
    error: str | None
    cause: Any
    calls: tuple[tuple[str, str], ...]


@dataclass
class Calls:
    """The functions of the case that is running, and what they were called with."""

    functions: dict[str, Function] = field(default_factory=dict)
    made: list[tuple[str, str]] = field(default_factory=list)

    def make(self, world: World, name: str, payload: Any) -> object:
        function = name.rsplit(":", 1)[-1]
        self.made.append(
            (
                function,
                to_text({**payload, "task_token": "..."} if "task_token" in payload else payload)
                if isinstance(payload, dict)
                else to_text(payload),
            )
        )
        return self.functions[function](world, payload)


class World(Protocol):
    client: Any
    calls: Calls
    events: list[tuple[str, int]]

    def run(self, definition: dict[str, Any], payload: Any, functions: dict[str, Function]) -> Outcome: ...


class OurWorld:
    """The runner on a virtual clock that jumps to whatever is due next."""

    def __init__(self, client: Any, path: str) -> None:
        self.client = client
        self.events: list[tuple[str, int]] = []
        self.clock = VirtualClock()
        self.calls = Calls()
        self.runner = Runner(path, self.clock.now, lambda name, payload: self.calls.make(self, name, payload))

    def run(self, definition: dict[str, Any], payload: Any, functions: dict[str, Function]) -> Outcome:
        self.calls = Calls(functions)
        name = f"case-{next(_names)}"
        self.runner.register(name, definition)
        arn = self.client.start_execution(
            stateMachineArn=f"arn:aws:states:us-east-1:000000000000:stateMachine:{name}",
            name="run",
            input=json.dumps(payload),
        )["executionArn"]
        for _ in range(1000):
            self.runner.run_due()
            due = self.runner.next_due()
            if due is None:
                break
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
        self.events = _events(self.client, arn)
        return _outcome(self.client.describe_execution(executionArn=arn), self.calls)


class MotoWorld:
    """moto's interpreter; its Lambda functions are ours by the fixture that made it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.events: list[tuple[str, int]] = []
        self.calls = Calls()

    def run(self, definition: dict[str, Any], payload: Any, functions: dict[str, Function]) -> Outcome:
        self.calls = Calls(functions)
        machine = self.client.create_state_machine(
            name=f"case-{next(_names)}",
            definition=json.dumps(definition),
            roleArn="arn:aws:iam::123456789012:role/states",
        )["stateMachineArn"]
        arn = self.client.start_execution(
            stateMachineArn=machine, name=f"run-{next(_names)}", input=json.dumps(payload)
        )["executionArn"]
        pause = threading.Event()
        for _ in range(_DEADLINE_S * 100):
            described = self.client.describe_execution(executionArn=arn)
            if described["status"] in _FINISHED:
                self.events = _events(self.client, arn)
                return _outcome(described, self.calls)
            pause.wait(0.01)
        raise TimeoutError(f"moto did not finish in {_DEADLINE_S} s")


def _events(client: Any, arn: str) -> list[tuple[str, int]]:
    """(type, id of the event before) of the whole history."""
    events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    return [(event["type"], event["previousEventId"]) for event in events]


def _outcome(described: dict[str, Any], calls: Calls) -> Outcome:
    output = json.loads(described["output"]) if described.get("output") is not None else None
    error = described.get("error")
    return Outcome(described["status"], output, error, _cause(error, described.get("cause")), tuple(calls.made))


def _cause(error: str | None, cause: str | None) -> Any:
    """The story without its wording: nobody branches on the text of the service's own errors."""
    if cause is None or (error or "").startswith("States."):
        return None
    try:
        story = json.loads(cause)
    except ValueError:
        return cause
    return (story["errorType"], story["errorMessage"]) if isinstance(story, dict) and "errorType" in story else story
