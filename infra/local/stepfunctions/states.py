"""The states of a parsed machine, one dataclass per type. Pure data, made by `language` alone.

State names are unique in a whole machine (the service demands it), so all blocks share one dictionary and a
branch of an execution needs no more than the name of the state it stands in.
Paths and templates were parsed when the machine was registered; reading them can no longer fail on their form.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from infra.local.stepfunctions.choice import Branch
from infra.local.stepfunctions.paths import Path
from infra.local.stepfunctions.values import Json, JsonObject


@dataclass(frozen=True)
class Retrier:
    error_equals: tuple[str, ...]
    interval_s: int
    max_attempts: int
    backoff_rate: float
    max_delay_s: int | None

    def delay_s(self, attempts: int) -> float:
        """The pause before the next attempt, after `attempts` retries. JitterStrategy FULL waits the whole of it."""
        try:
            delay = self.interval_s * self.backoff_rate**attempts
        except OverflowError:
            delay = float(_LONGEST_DELAY_S)
        return min(delay, self.max_delay_s or _LONGEST_DELAY_S)


_LONGEST_DELAY_S = 31_622_400  # the service's upper limit of MaxDelaySeconds


@dataclass(frozen=True)
class Catcher:
    error_equals: tuple[str, ...]
    next: str
    result_path: Path | None


@dataclass(frozen=True)
class State:
    """What all states share. A path of None (JSON null) selects nothing: the data becomes `{}`."""

    name: str
    input_path: Path | None
    output_path: Path | None

    @property
    def kind(self) -> str:
        return type(self).__name__


@dataclass(frozen=True)
class Succeed(State):
    pass


@dataclass(frozen=True)
class Fail(State):
    """`error` and `cause`: a text, or a path or intrinsic function when the field's name ends in Path."""

    error: str | None
    cause: str | None
    error_path: str | None
    cause_path: str | None


@dataclass(frozen=True)
class Choice(State):
    choices: tuple[Branch, ...]
    default: str | None


@dataclass(frozen=True)
class Step(State):
    """A state that one can leave; `next` is None at an end."""

    next: str | None


@dataclass(frozen=True)
class Wait(Step):
    """Exactly one of the two is set."""

    seconds: int | Path | None
    timestamp: datetime | Path | None


@dataclass(frozen=True)
class Pass(Step):
    """`result` is a tuple of the one fixed result, or empty: a fixed result may be null."""

    parameters: JsonObject | None
    result: tuple[Json, ...]
    result_path: Path | None


@dataclass(frozen=True)
class Work(Step):
    """A state that takes time and may fail: Task, Map, Parallel."""

    parameters: JsonObject | None
    result_selector: JsonObject | None
    result_path: Path | None
    retry: tuple[Retrier, ...]
    catch: tuple[Catcher, ...]


@dataclass(frozen=True)
class Task(Work):
    """A call of a Lambda function. `integration` is how the ARN names it:

    `function`: the resource is the function, the input its payload, the answer the result;
    `invoke`: lambda:invoke, the parameters name function and payload, the result wraps the answer;
    `callback`: lambda:invoke.waitForTaskToken, the result comes by SendTaskSuccess.
    """

    integration: Literal["function", "invoke", "callback"]
    resource: str
    timeout: int | Path | None
    heartbeat: int | Path | None


@dataclass(frozen=True)
class Map(Work):
    """`parameters` is the ItemSelector: it is filled once per item."""

    items_path: Path
    max_concurrency: int | Path
    start_at: str


@dataclass(frozen=True)
class Parallel(Work):
    starts: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A `StartAt` with its `States`: the machine itself, a branch of a Parallel or the processor of a Map."""

    label: str
    start_at: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Machine:
    """A whole definition. `blocks[0]` is the machine's own; `timeout_s` is None without a TimeoutSeconds."""

    start_at: str
    timeout_s: int | None
    states: dict[str, State]
    blocks: tuple[Block, ...]
