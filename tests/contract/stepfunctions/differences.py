"""Where moto 5.2.5 and our runner differ: what AWS does (and ours), and where moto leaves it. Nothing else may.

What AWS does is its documentation's word (developer guide, States Language specification), not a recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """`aws` is (status, output, error) as the service gives it."""

    aws: tuple[str, Any, str | None]
    why: str


def _succeeded(output: Any, why: str) -> Difference:
    return Difference(("SUCCEEDED", output, None), why)


def _failed(error: str, why: str) -> Difference:
    return Difference(("FAILED", None, error), why)


_INTRINSIC = _failed(
    "States.IntrinsicFailure", "an intrinsic function's bad argument has its own error; moto says States.Runtime"
)
_RESULT_PATH = _failed(
    "States.ResultPathMatchFailure", "a ResultPath without room has its own error; moto says States.Runtime"
)
_NO_CAUSE = "moto loses the cause given to SendTaskFailure"
_LIST_OF_ONE = "a path to one place gives the value there; moto gives a list after an index inside a path"
_LETTERS = "Base64 is of the text's UTF-8; moto encodes ASCII alone"
_OFFSET = "RFC 3339 allows a numeric offset; moto knows Z alone"
_ORDER = {"order": 1, "items": [1, 2, 3]}


def _times(*, others: bool = False) -> list[bool]:
    """A survey (cases_choice) in which the two spellings of one time, and they alone, stand out."""
    return [others] * 6 + [not others] * 2 + [others]


DIFFERENCES: dict[str, Difference] = {
    "path-last": _succeeded({"v": "c"}, "a negative index selects one element; moto gives a list"),
    "context-input": _succeeded({"v": "y"}, _LIST_OF_ONE),
    "pass-template": _succeeded({"s": 1, "n": {"id": 7, "l": [{"k": "x"}, 2]}, "x": ["a", "b", "c"]}, _LIST_OF_ONE),
    "context-retries": _succeeded({"v": 0}, "State.RetryCount is always there; moto has it after a retry only"),
    "format-escapes": _succeeded({"v": "it's {} 7"}, "moto cannot read the escapes of a text"),
    "format-too-few": _INTRINSIC,
    "string-to-json-bad": _INTRINSIC,
    "array-length-of-number": _INTRINSIC,
    "array-get-outside": _INTRINSIC,
    "array-partition-zero": _INTRINSIC,
    "array-range-zero": _INTRINSIC,
    "hash-unknown": _INTRINSIC,
    "array-range-down": _succeeded({"v": [5, 3, 1]}, "the step may be negative, only zero is excluded"),
    "base64-other-letters": _succeeded({"v": "S8O2bG4="}, _LETTERS),
    "base64-back-other-letters": _succeeded({"v": "Köln"}, _LETTERS),
    "pass-result-into-scalar": _RESULT_PATH,
    "pass-result-into-text": _RESULT_PATH,
    **{
        f"choice-Timestamp{order}{path}": _succeeded(_times(), _OFFSET)
        for order in ("Equals", "LessThanEquals", "GreaterThanEquals")
        for path in ("", "Path")
    },
    "choice-IsTimestamp-true": _succeeded(_times(), _OFFSET),
    "choice-IsTimestamp-false": _succeeded(_times(others=True), _OFFSET),
    "matches-escaped-star": _succeeded({"rule": 0}, "a backslash makes the star a star; moto ignores it"),
    "choice-none": _failed("States.NoChoiceMatched", "no rule and no Default has its own error"),
    "parallel-no-choice": _succeeded(_ORDER, "States.NoChoiceMatched of a branch is caught by its name"),
    "choice-missing": _failed("States.Runtime", "a missing Variable fails the execution; moto takes Default"),
    "runtime-is-not-caught": _failed("States.Runtime", "States.ALL never catches States.Runtime; moto does"),
    "map-no-array": _failed("States.Runtime", "moto says States.QueryEvaluationError, an error of JSONata"),
    "token-failure": _failed("Refused", _NO_CAUSE),
    "token-failure-caught": _succeeded(
        {"seen": {**_ORDER, "problem": {"Error": "Refused", "Cause": "no funds"}}}, _NO_CAUSE
    ),
    "token-failure-all": _succeeded(
        {"seen": {**_ORDER, "problem": {"Error": "Refused", "Cause": "no funds"}}}, _NO_CAUSE
    ),
}

# Same outcome, another history: moto writes a TaskFailed for a template or a ResultPath that fails, one before the
# task was scheduled and two after it succeeded. The service ends the execution (or follows the Catch) without one.
UNTOLD = {"task-parameters-missing", "task-selector-missing", "result-path-failure"}
