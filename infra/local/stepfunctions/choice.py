"""The rules of a Choice state: parsing and deciding. Pure.

Called by `language` (parse) and `runner` (first_match). A comparison between values of different types is false;
a Variable that is not there is States.Runtime unless the operator is IsPresent.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from infra.local.stepfunctions.errors import RUNTIME, StatesError
from infra.local.stepfunctions.expressions import Scope
from infra.local.stepfunctions.paths import Path, find, parse_path
from infra.local.stepfunctions.values import Json, is_number

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def timestamp_of(value: object) -> datetime | None:
    """The moment a text names (RFC 3339 with capital T and Z, as the States Language demands), else None."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return None
    try:
        # Python reads at most microseconds; finer fractions are cut.
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
    except ValueError:
        return None


@dataclass(frozen=True)
class Comparison:
    """`variable` compared by `operator` with `operand`: a constant, or what a path selects (`...Path`)."""

    variable: Path
    operator: str
    operand: Json | Path


@dataclass(frozen=True)
class Combination:
    kind: Literal["And", "Or", "Not"]
    rules: tuple[Comparison | Combination, ...]


Rule = Comparison | Combination


@dataclass(frozen=True)
class Branch:
    rule: Rule
    next: str


def _matches_text(value: str, pattern: str) -> bool:
    """StringMatches: `*` stands for anything, a backslash takes away a special meaning."""
    parts = re.findall(r"\\.|\*|[^\\*]+", pattern, re.DOTALL)
    regex = "".join(".*" if part == "*" else re.escape(re.sub(r"\\(.)", r"\1", part)) for part in parts)
    return re.fullmatch(regex, value, re.DOTALL) is not None


_TYPES: dict[str, Callable[[Json], object | None]] = {
    "String": lambda value: value if isinstance(value, str) else None,
    "Numeric": lambda value: value if is_number(value) else None,
    "Boolean": lambda value: value if isinstance(value, bool) else None,
    "Timestamp": timestamp_of,
}
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
# operator -> (type, order); booleans know only equality
_COMPARISONS = {
    type_name + order: (type_name, order)
    for type_name in _TYPES
    for order in _ORDERS
    if type_name != "Boolean" or order == "Equals"
}
_TESTS: dict[str, Callable[[Json], bool]] = {
    "IsNull": lambda value: value is None,
    "IsNumeric": is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: timestamp_of(value) is not None,
}
_OPERATORS = {*_COMPARISONS, *(f"{name}Path" for name in _COMPARISONS), *_TESTS, "IsPresent", "StringMatches"}


def parse_branch(raw: Json) -> Branch:
    """One entry of `Choices`. ValueError says what is wrong with it."""
    if not isinstance(raw, dict) or not isinstance(raw.get("Next"), str):
        raise ValueError("a choice is an object with a Next")
    rule = {key: value for key, value in raw.items() if key not in ("Next", "Comment")}
    return Branch(_parse_rule(rule), str(raw["Next"]))


def _parse_rule(raw: Json) -> Rule:
    if not isinstance(raw, dict):
        raise ValueError("a choice rule is an object")
    fields = {key: value for key, value in raw.items() if key != "Comment"}
    if len(fields) == 1:
        ((kind, value),) = fields.items()
        if kind == "Not":
            return Combination("Not", (_parse_rule(value),))
        if kind == "And" or kind == "Or":
            if not isinstance(value, list) or not value:
                raise ValueError(f"{kind} wants a non-empty array of rules")
            return Combination("And" if kind == "And" else "Or", tuple(_parse_rule(rule) for rule in value))
    return _parse_comparison(fields)


def _parse_comparison(fields: dict[str, Json]) -> Comparison:
    operators = [key for key in fields if key != "Variable"]
    if "Variable" not in fields or len(operators) != 1 or operators[0] not in _OPERATORS:
        raise ValueError(f"a choice rule is a Variable and one known operator, not {', '.join(fields)}")
    name, operand = operators[0], fields[operators[0]]
    variable = parse_path(str(fields["Variable"]))
    if name.endswith("Path"):
        return Comparison(variable, name, parse_path(str(operand)))
    if name.startswith("Is"):
        expected = isinstance(operand, bool)
    elif name == "StringMatches":
        expected = isinstance(operand, str)
    else:
        expected = _TYPES[_COMPARISONS[name][0]](operand) is not None
    if not expected:
        raise ValueError(f"{name} cannot compare with {operand!r}")
    return Comparison(variable, name, operand)


def first_match(branches: tuple[Branch, ...], scope: Scope) -> str | None:
    """The Next of the first rule that holds, or None. States.Runtime for a Variable that is not there."""
    return next((branch.next for branch in branches if _holds(branch.rule, scope)), None)


def _holds(rule: Rule, scope: Scope) -> bool:
    if isinstance(rule, Comparison):
        return _compare(rule, scope)
    results = (_holds(inner, scope) for inner in rule.rules)
    if rule.kind == "Not":
        return not next(results)
    return all(results) if rule.kind == "And" else any(results)


def _compare(rule: Comparison, scope: Scope) -> bool:
    if rule.operator == "IsPresent":
        found = find(rule.variable, scope.context if rule.variable.of_context else scope.data)
        return bool(found) is rule.operand
    value = _single(rule.variable, scope)
    if rule.operator in _TESTS:
        return _TESTS[rule.operator](value) is rule.operand
    if rule.operator == "StringMatches":
        return isinstance(value, str) and _matches_text(value, str(rule.operand))
    operand = _single(rule.operand, scope) if isinstance(rule.operand, Path) else rule.operand
    type_name, order = _COMPARISONS[rule.operator.removesuffix("Path")]
    left, right = _TYPES[type_name](value), _TYPES[type_name](operand)
    return left is not None and right is not None and _ORDERS[order](left, right)


def _single(path: Path, scope: Scope) -> Json:
    found = find(path, scope.context if path.of_context else scope.data)
    if len(found) != 1:
        raise StatesError(
            RUNTIME, f"Invalid path '{path.text}': the choice state's condition selects {len(found)} values."
        )
    return found[0]
