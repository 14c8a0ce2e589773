"""A runner on a virtual clock that stands still, and the few machines the durability and request tests use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chalicelib.kernel.clock import VirtualClock
from infra.local.stepfunctions.runner import Runner
from tests.contract.stepfunctions.cases import ask, call, chain, end, step, wait

START = datetime(2026, 3, 1, 12, tzinfo=UTC)

# A task, an hour's wait, a task token, a fan-out: one of everything that can be cut in the middle.
JOURNEY = chain(
    Begin=call("begin", ResultPath="$.begun"),
    Pause=wait(Seconds=3600),
    Ask=ask("ask", {"id.$": "$.id"}, TimeoutSeconds=600, HeartbeatSeconds=100, ResultPath="$.answer"),
    Each={
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 2,
        "ItemProcessor": chain(Double=call("double")),
        "ResultPath": "$.doubled",
    },
)
PARKS: dict[str, Any] = {
    "StartAt": "Ask",
    "States": {
        "Ask": {
            **ask("ask", TimeoutSeconds=600, HeartbeatSeconds=100),
            "Retry": [
                {
                    "ErrorEquals": ["Busy"],
                    "IntervalSeconds": 10,
                    "BackoffRate": 3,
                    "MaxAttempts": 4,
                    "MaxDelaySeconds": 60,
                    "JitterStrategy": "FULL",
                }
            ],
            "Catch": [{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Silent", "ResultPath": None}],
            "Next": "Done",
        },
        "Silent": step(Result="silent", End=True),
        "Done": end(),
    },
}


class Desk:
    """The runner with its clock, what it called, and the task tokens it gave away."""

    def __init__(self, path: str | Path, start: datetime = START) -> None:
        self.clock = VirtualClock(start)
        self.calls: list[tuple[str, Any]] = []
        self.task_tokens: list[str] = []
        self.functions: dict[str, Callable[[Any], object]] = {
            "begin": lambda payload: payload["id"],
            "ask": lambda payload: None,
            "double": lambda payload: payload * 2,
        }
        self.runner = Runner(path, self.clock.now, self._invoke)

    def _invoke(self, function: str, payload: Any) -> object:
        self.calls.append((function, payload))
        if isinstance(payload, dict) and "task_token" in payload:
            self.task_tokens.append(payload["task_token"])
        return self.functions[function](payload)

    def start(self, definition: dict[str, Any], payload: Any = None, name: str = "run") -> None:
        self.runner.register("machine", definition)
        self.runner.start_execution("machine", payload, name)
        self.runner.run_due()

    def advance(self, seconds: float) -> int:
        self.clock.advance(seconds)
        return self.runner.run_due()

    def described(self, name: str = "run") -> tuple[str, str | None, str | None]:
        """(status, output, error)."""
        execution = self.runner.describe_execution("machine", name)
        return str(execution.status), execution.output, execution.error
