"""What can go wrong: inside an execution, in a definition, and at the API. Pure.

`StatesError` is an outcome of the workflow (Retry and Catch see it); `DefinitionError` refuses a state machine;
`ApiError` refuses one request and changes nothing. The three never turn into one another.
"""

from __future__ import annotations

ALL = "States.ALL"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
INTRINSIC_FAILURE = "States.IntrinsicFailure"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure"
RUNTIME = "States.Runtime"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"


class StatesError(Exception):
    """A failure inside an execution: `error` is the name that ErrorEquals matches, `cause` the story."""

    def __init__(self, error: str | None, cause: str | None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class DefinitionError(Exception):
    """A state machine that is refused: every problem found, one sentence each."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__(f"state machine {name!r} is refused: " + "; ".join(problems))
        self.problems = problems


class ApiError(Exception):
    """A refused request; `code` as in the service's model (`TaskTimedOut`)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
