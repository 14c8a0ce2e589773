"""JSONPath as Step Functions uses it: reading a document, and placing a result into one. Pure.

Names, indexes, wildcards, slices and `..` are understood; filters and functions of JSONPath are refused when
the path is parsed (ValueError), which is when a definition is registered. Reading never changes a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from infra.local.stepfunctions.errors import RESULT_PATH_MATCH_FAILURE, RUNTIME, StatesError
from infra.local.stepfunctions.values import Json

PATH_PATTERN = (
    r"""\$\$?(?:\.{1,2}(?:\*|[^\s.,:;()\[\]'"*?@$]+)|\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])*\])*"""
)
_PATH = re.compile(PATH_PATTERN)
_HINT = " (filters and functions are not supported)"
_STEP = re.compile(
    r"""(?P<deep>\.\.)(?P<deep_name>\*|[^\s.,:;()\[\]'"*?@$]+)
      | \.(?P<name>\*|[^\s.,:;()\[\]'"*?@$]+)
      | \[\s*(?P<quote>['"])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\s*\]
      | \[\s*(?P<index>-?\d+|\*)\s*\]
      | \[\s*(?P<low>-?\d+)?\s*:\s*(?P<high>-?\d+)?\s*\]""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Name:
    name: str


@dataclass(frozen=True)
class Index:
    index: int


@dataclass(frozen=True)
class Slice:
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Wildcard:
    pass


@dataclass(frozen=True)
class Deep:
    """`..name`: every field of that name at any depth (None: every value)."""

    name: str | None


Step = Name | Index | Slice | Wildcard | Deep


@dataclass(frozen=True)
class Path:
    """A parsed path. `of_context` paths (`$$`) read the context object; a path without wildcards is `definite`."""

    text: str
    of_context: bool
    steps: tuple[Step, ...]

    @property
    def definite(self) -> bool:
        return all(isinstance(step, Name | Index) for step in self.steps)


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """Parses `$.a['b'][0]`. ValueError if it is no path this module reads."""
    if not _PATH.fullmatch(text):
        raise ValueError(f"{text!r} is not a path{_HINT}")
    of_context = text.startswith("$$")
    at = 2 if of_context else 1
    steps: list[Step] = []
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is not a path{_HINT}: cannot read {text[at:]!r}")
        steps.append(_step_of(match))
        at = match.end()
    return Path(text, of_context, tuple(steps))


def _step_of(match: re.Match[str]) -> Step:
    part = match.groupdict()
    if part["deep"]:
        return Deep(None if part["deep_name"] == "*" else part["deep_name"])
    if part["name"] is not None:
        return Wildcard() if part["name"] == "*" else Name(part["name"])
    if part["quote"]:
        return Name(re.sub(r"\\(.)", r"\1", part["quoted"]))
    if part["index"] is not None:
        return Wildcard() if part["index"] == "*" else Index(int(part["index"]))
    low, high = part["low"], part["high"]
    return Slice(None if low is None else int(low), None if high is None else int(high))


def parse_reference_path(text: str) -> Path:
    """A path that names exactly one place (ResultPath). ValueError if it is not definite or reads the context."""
    path = parse_path(text)
    if path.of_context or not path.definite:
        raise ValueError(f"{text!r} is not a reference path (one place in the state's data)")
    return path


def find(path: Path, document: Json) -> list[Json]:
    """Every value the path selects, in document order."""
    values = [document]
    for step in path.steps:
        values = [selected for value in values for selected in _select(step, value)]
    return values


def read(path: Path, document: Json, context: Json) -> Json:
    """The value at a definite path, or the list of what any other path selects.

    States.Runtime when a definite path leads nowhere: such a failure is never retried or caught.
    """
    values = find(path, context if path.of_context else document)
    if not path.definite:
        return values
    if not values:
        raise StatesError(RUNTIME, f"The JSONPath '{path.text}' could not be found in the input.")
    return values[0]


def _select(step: Step, value: Json) -> list[Json]:
    match step:
        case Name(name):
            return [value[name]] if isinstance(value, dict) and name in value else []
        case Index(index):
            return [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []
        case Slice(low, high):
            return value[low:high] if isinstance(value, list) else []
        case Wildcard():
            return _children(value)
        case Deep(name):
            return list(_descendants(value, name))


def _children(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _descendants(value: Json, name: str | None) -> Iterator[Json]:
    if name is None:
        yield from _children(value)
    elif isinstance(value, dict) and name in value:
        yield value[name]
    for child in _children(value):
        yield from _descendants(child, name)


def place(path: Path, document: Json, result: Json) -> Json:
    """A copy of `document` with `result` at a reference path; missing objects on the way are created.

    States.ResultPathMatchFailure when the document has no room there (a scalar in the way, an index outside).
    """
    return _placed(path, 0, document, result)


def _placed(path: Path, depth: int, at: Json, result: Json) -> Json:
    if depth == len(path.steps):
        return result
    step = path.steps[depth]
    if isinstance(step, Name) and isinstance(at, dict):
        return {**at, step.name: _placed(path, depth + 1, at.get(step.name, {}), result)}
    if isinstance(step, Index) and isinstance(at, list) and 0 <= step.index < len(at):
        replaced = _placed(path, depth + 1, at[step.index], result)
        return [*at[: step.index], replaced, *at[step.index + 1 :]]
    raise StatesError(RESULT_PATH_MATCH_FAILURE, f"Unable to apply the ResultPath '{path.text}' to the state's input.")
