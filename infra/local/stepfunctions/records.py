"""What the runner remembers: an execution, its branches, its task tokens, its history. Pure data.

Made and kept by `store`, changed by `advance`. Moments are whole microseconds since 1970 (`_us`), so that they
sort and compare as they are stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from infra.local.stepfunctions.errors import StatesError
from infra.local.stepfunctions.values import Json, JsonObject

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


class Status(StrEnum):
    """The service's words for an execution."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"


class Phase(StrEnum):
    """Where a branch stands in its state."""

    ENTER = "enter"  # about to enter the state
    RETRY = "retry"  # about to try the state again, when the pause is over
    INVOKE = "invoke"  # the call is committed and about to be made, perhaps again after a crash
    PARKED = "parked"  # the call was made; its task token decides
    WAIT = "wait"  # in a Wait state
    JOIN = "join"  # in a Map or Parallel whose branches run
    DONE = "done"  # ended with an output
    FAILED = "failed"  # ended with an error


@dataclass
class Execution:
    """One run of a machine. Texts are JSON; `definition` is the digest of what the machine was when it started."""

    id: int
    machine: str
    name: str
    definition: str
    status: Status
    input: str
    started_us: int
    deadline_us: int | None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    stopped_us: int | None = None
    transitions: int = 0
    events: int = 0


@dataclass
class Branch:
    """One line of control: the execution's own (no parent), or one of a Map's or Parallel's (`slot` counts them).

    `data` is the raw input of the state (a DONE branch's output). `call` is the committed payload of a Task's
    call, `items` the array of a Map with the number already `spawned`. `attempts` counts retries per Retrier.
    `due_us` is when the runner must look at it; None while only others can move it.
    """

    id: int
    execution: int
    parent: int | None
    slot: int
    state: str
    data: Json
    phase: Phase = Phase.ENTER
    due_us: int | None = None
    entered_us: int = 0
    attempts: list[int] = field(default_factory=list)
    function: str = ""
    call: Json = None
    task_token: str | None = None
    timeout_us: int | None = None
    heartbeat_s: int | None = None
    heartbeat_us: int | None = None
    items: list[Json] = field(default_factory=list)
    spawned: int = 0
    failure: tuple[str | None, str | None] = (None, None)
    last_event: int = 0

    @property
    def deadline_us(self) -> int | None:
        """The earlier of timeout and missing heartbeat."""
        moments = [moment for moment in (self.timeout_us, self.heartbeat_us) if moment is not None]
        return min(moments, default=None)


@dataclass(frozen=True)
class Answer:
    """What SendTaskSuccess or SendTaskFailure said; `failed` tells which."""

    failed: bool
    output: Json = None
    error: str | None = None
    cause: str | None = None

    def result(self) -> Json:
        """The output. StatesError if it was a failure."""
        if self.failed:
            raise StatesError(self.error, self.cause)
        return self.output


@dataclass(frozen=True)
class TaskToken:
    """A committed task token: the branch that waits for it and the answer it got, if any."""

    text: str
    branch: int
    answer: Answer | None


@dataclass(frozen=True)
class Event:
    """One line of the history; `details` as in the service's model (`stateEnteredEventDetails` ...)."""

    id: int
    previous: int
    at_us: int
    type: str
    details: JsonObject
