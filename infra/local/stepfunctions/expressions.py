"""Expressions and payload templates: `$.path`, `$$.path`, `States.Function(...)`, and JSON with `.$` keys. Pure.

`parse` is called for every expression when a definition is registered, so that a misspelt one is refused there;
`evaluate` and `fill` read a `Scope`. Parsed expressions are cached: they are texts of a few definitions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from infra.local.stepfunctions import intrinsics
from infra.local.stepfunctions.errors import INTRINSIC_FAILURE, StatesError
from infra.local.stepfunctions.paths import PATH_PATTERN, Path, parse_path, read
from infra.local.stepfunctions.values import Json

_MAX_NESTING = 10  # Step Functions' own limit for intrinsics within intrinsics
_CALL = re.compile(r"\s*(States\.\w+)\s*\(")
_LITERAL = re.compile(
    rf"""\s*(?:(?P<path>{PATH_PATTERN})
      | '(?P<text>(?:[^'\\]|\\.)*)'
      | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<word>true|false|null)\b)""",
    re.VERBOSE,
)
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Scope:
    """What an expression can see: the state's data (`$`) and the context object (`$$`)."""

    data: Json
    context: Json


@dataclass(frozen=True)
class Literal:
    value: Json


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Path | Literal | Call, ...]


Expression = Path | Literal | Call


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """A path or a call of an intrinsic function. ValueError says what cannot be read."""
    if text.startswith("$"):
        return parse_path(text)
    if not text.startswith("States."):
        raise ValueError(f"{text!r} is neither a path ($.a, $$.a) nor an intrinsic function (States.Name(...))")
    call, end = _parse_argument(text, 0, 1)
    if text[end:].strip():
        raise ValueError(f"{text!r}: unexpected {text[end:]!r}")
    return call


def _parse_argument(text: str, at: int, depth: int) -> tuple[Expression, int]:
    call = _CALL.match(text, at)
    if call:
        return _parse_call(text, call, depth)
    literal = _LITERAL.match(text, at)
    if literal is None:
        raise ValueError(f"{text!r}: cannot read the argument at {text[at:]!r}")
    if literal["path"] is not None:
        return parse_path(literal["path"]), literal.end()
    if literal["number"] is not None:
        number = literal["number"]
        return Literal(int(number) if re.fullmatch(r"-?\d+", number) else float(number)), literal.end()
    if literal["word"] is not None:
        return Literal(_WORDS[literal["word"]]), literal.end()
    return Literal(literal["text"]), literal.end()


def _parse_call(text: str, call: re.Match[str], depth: int) -> tuple[Call, int]:
    name = call[1]
    if name not in intrinsics.FUNCTIONS:
        raise ValueError(f"{text!r}: there is no intrinsic function {name}")
    if depth > _MAX_NESTING:
        raise ValueError(f"{text!r}: more than {_MAX_NESTING} intrinsic functions inside one another")
    arguments: list[Expression] = []
    at = call.end()
    while not (closing := re.compile(r"\s*\)").match(text, at)):
        if arguments:
            comma = re.compile(r"\s*,").match(text, at)
            if comma is None:
                raise ValueError(f"{text!r}: expected ',' or ')' at {text[at:]!r}")
            at = comma.end()
        argument, at = _parse_argument(text, at, depth + 1)
        arguments.append(argument)
    low, high = intrinsics.ARITY[name]
    if not low <= len(arguments) <= high:
        raise ValueError(f"{text!r}: {name} takes {low} to {high} arguments, not {len(arguments)}")
    # States.Format keeps its template's escapes, because only it knows which braces are placeholders.
    keep_first = name == "States.Format"
    unescaped = [
        Literal(re.sub(r"\\(.)", r"\1", item.value))
        if isinstance(item, Literal) and isinstance(item.value, str) and not (keep_first and position == 0)
        else item
        for position, item in enumerate(arguments)
    ]
    return Call(name, tuple(unescaped)), closing.end()


def evaluate(text: str, scope: Scope) -> Json:
    """The value of an expression.

    States.Runtime for a path that leads nowhere, States.IntrinsicFailure for a function's bad argument.
    """
    return _value_of(parse(text), scope)


def _value_of(expression: Expression, scope: Scope) -> Json:
    if isinstance(expression, Path):
        return read(expression, scope.data, scope.context)
    if isinstance(expression, Literal):
        return expression.value
    arguments = [_value_of(argument, scope) for argument in expression.arguments]
    try:
        return intrinsics.FUNCTIONS[expression.name](*arguments)
    except (ValueError, TypeError, OverflowError) as problem:
        raise StatesError(INTRINSIC_FAILURE, f"{expression.name}: {problem}") from problem


def fill(template: Json, scope: Scope) -> Json:
    """A payload template with every `"key.$": "expression"` replaced by `"key": value`, at any depth."""
    if isinstance(template, list):
        return [fill(item, scope) for item in template]
    if not isinstance(template, dict):
        return template
    filled: dict[str, Json] = {}
    for key, value in template.items():
        if key.endswith(".$"):
            filled[key[:-2]] = evaluate(str(value), scope)
        else:
            filled[key] = fill(value, scope)
    return filled


def template_problems(template: Json) -> Iterator[str]:
    """What is wrong with a payload template, expression by expression."""
    if isinstance(template, list):
        for item in template:
            yield from template_problems(item)
    if not isinstance(template, dict):
        return
    for key, value in template.items():
        if not key.endswith(".$"):
            yield from template_problems(value)
            continue
        if key[:-2] in template:
            yield f"{key!r} and {key[:-2]!r} name the same field"
        problem = expression_problem(value)
        if problem:
            yield f"{key!r}: {problem}"


def expression_problem(text: Json) -> str | None:
    """Why `text` is no expression, or None."""
    if not isinstance(text, str):
        return f"{text!r} is not an expression"
    try:
        parse(text)
    except ValueError as problem:
        return str(problem)
    return None
