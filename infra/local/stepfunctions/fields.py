"""Reads single fields of an ASL document, noting problems instead of stopping at the first. Pure.

The lower half of `language`, which alone uses it: every method returns something usable even after a problem,
so that one pass over a definition finds everything that is wrong with it.
"""

from __future__ import annotations

from datetime import datetime

from infra.local.stepfunctions.choice import timestamp_of
from infra.local.stepfunctions.errors import ALL
from infra.local.stepfunctions.expressions import expression_problem, template_problems
from infra.local.stepfunctions.paths import Path, parse_path, parse_reference_path
from infra.local.stepfunctions.states import Catcher, Retrier
from infra.local.stepfunctions.values import JsonObject

MAX_SECONDS = 99_999_999
_MAX_RETRY_DELAY_S = 31_622_399
_WHOLE = parse_path("$")

_RETRY_FIELDS = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCH_FIELDS = {"ErrorEquals", "Next", "ResultPath", "Comment"}


class FieldReader:
    """`where` is how a problem names its place: the state, or the state and the entry of a list."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def problem(self, where: str, text: str) -> None:
        self.problems.append(f"{where}: {text}")

    def known_fields(self, where: str, raw: JsonObject, known: set[str]) -> None:
        for field in raw.keys() - known:
            self.problem(where, f"unknown field {field}")
        if raw.get("QueryLanguage", "JSONPath") != "JSONPath":
            self.problem(where, "QueryLanguage must be JSONPath")
        if not isinstance(raw.get("Comment", ""), str):
            self.problem(where, "Comment must be a string")

    def text(self, where: str, raw: JsonObject, field: str) -> str | None:
        value = raw.get(field)
        if field in raw and not isinstance(value, str):
            self.problem(where, f"{field} must be a string")
        return value if isinstance(value, str) else None

    def integer(self, where: str, raw: JsonObject, field: str, low: int, high: int = MAX_SECONDS) -> int | None:
        value = raw.get(field)
        if field not in raw:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problem(where, f"{field} must be a whole number from {low} to {high}")
            return None
        return value

    def setting(self, where: str, raw: JsonObject, field: str, low: int) -> int | Path | None:
        """A number given by `field` or, as a path to it, by `<field>Path`; not both."""
        if field in raw and f"{field}Path" in raw:
            self.problem(where, f"{field} and {field}Path exclude each other")
        return self.integer(where, raw, field, low) if field in raw else self.definite(where, raw, f"{field}Path")

    def timestamp(self, where: str, raw: JsonObject) -> datetime | Path | None:
        if "Timestamp" not in raw:
            return self.definite(where, raw, "TimestampPath")
        moment = timestamp_of(raw["Timestamp"])
        if moment is None:
            self.problem(where, "Timestamp must be an RFC 3339 time such as 2026-01-31T12:00:00Z")
        return moment

    def path(self, where: str, raw: JsonObject, field: str) -> Path | None:
        """The path of a field; absent means `$`, and null means None: nothing."""
        value = raw.get(field, "$")
        if value is None:
            return None
        try:
            return parse_path(str(value))
        except ValueError as problem:
            self.problem(where, f"{field}: {problem}")
            return _WHOLE

    def definite(self, where: str, raw: JsonObject, field: str) -> Path | None:
        if field not in raw:
            return None
        path = self.path(where, raw, field)
        if path is None or not path.definite:
            self.problem(where, f"{field} must be a path to one value")
        return path

    def result_path(self, where: str, raw: JsonObject) -> Path | None:
        value = raw.get("ResultPath", "$")
        try:
            return None if value is None else parse_reference_path(str(value))
        except ValueError as problem:
            self.problem(where, f"ResultPath: {problem}")
            return _WHOLE

    def template(self, where: str, raw: JsonObject, field: str) -> JsonObject | None:
        value = raw.get(field)
        if field not in raw:
            return None
        if not isinstance(value, dict):
            self.problem(where, f"{field} must be an object")
            return None
        for problem in template_problems(value):
            self.problem(where, f"{field}: {problem}")
        return value

    def expression(self, where: str, raw: JsonObject, field: str) -> str | None:
        value = self.text(where, raw, field)
        problem = None if value is None else expression_problem(value)
        if problem:
            self.problem(where, f"{field}: {problem}")
        return value

    def following(self, where: str, raw: JsonObject) -> str | None:
        """`Next`, or None at an `End: true`."""
        following = self.text(where, raw, "Next")
        if ("Next" in raw) == (raw.get("End") is True) or raw.get("End", True) is not True:
            self.problem(where, "needs either Next or End: true")
        return following

    def entries(self, where: str, raw: JsonObject, field: str) -> list[tuple[str, JsonObject]]:
        """The objects of a list field, each with the place to name in a problem."""
        value = raw.get(field, [])
        if not isinstance(value, list):
            self.problem(where, f"{field} must be an array")
            return []
        labelled = [(f"{where}, {field}[{at}]", entry) for at, entry in enumerate(value)]
        for label, entry in labelled:
            if not isinstance(entry, dict):
                self.problem(label, "must be an object")
        return [(label, entry) for label, entry in labelled if isinstance(entry, dict)]

    def retriers(self, where: str, raw: JsonObject) -> tuple[Retrier, ...]:
        entries = self.entries(where, raw, "Retry")
        return tuple(
            self._retrier(label, entry, last=at == len(entries)) for at, (label, entry) in enumerate(entries, 1)
        )

    def _retrier(self, where: str, raw: JsonObject, last: bool) -> Retrier:
        self.known_fields(where, raw, _RETRY_FIELDS)
        backoff = raw.get("BackoffRate", 2.0)
        if isinstance(backoff, bool) or not isinstance(backoff, int | float) or backoff < 1:
            self.problem(where, "BackoffRate must be a number of at least 1.0")
            backoff = 1.0
        interval = self.integer(where, raw, "IntervalSeconds", low=1)
        attempts = self.integer(where, raw, "MaxAttempts", low=0)
        longest = self.integer(where, raw, "MaxDelaySeconds", low=1, high=_MAX_RETRY_DELAY_S)
        if longest is not None and longest <= (interval or 1):
            self.problem(where, "MaxDelaySeconds must be above IntervalSeconds")
        if raw.get("JitterStrategy", "NONE") not in ("NONE", "FULL"):
            self.problem(where, "JitterStrategy must be NONE or FULL")
        return Retrier(
            error_equals=self._error_equals(where, raw, last),
            interval_s=1 if interval is None else interval,
            max_attempts=3 if attempts is None else attempts,
            backoff_rate=float(backoff),
            max_delay_s=longest,
        )

    def catchers(self, where: str, raw: JsonObject) -> tuple[Catcher, ...]:
        entries = self.entries(where, raw, "Catch")
        return tuple(
            self._catcher(label, entry, last=at == len(entries)) for at, (label, entry) in enumerate(entries, 1)
        )

    def _catcher(self, where: str, raw: JsonObject, last: bool) -> Catcher:
        self.known_fields(where, raw, _CATCH_FIELDS)
        following = self.text(where, raw, "Next")
        if following is None:
            self.problem(where, "needs Next")
        return Catcher(self._error_equals(where, raw, last), following or "", self.result_path(where, raw))

    def _error_equals(self, where: str, raw: JsonObject, last: bool) -> tuple[str, ...]:
        value = raw.get("ErrorEquals")
        if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
            self.problem(where, "ErrorEquals must be a non-empty array of error names")
            return ()
        names = tuple(str(name) for name in value)
        if ALL in names and (len(names) > 1 or not last):
            self.problem(where, f"{ALL} must stand alone and last")
        return names
