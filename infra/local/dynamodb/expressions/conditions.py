"""Condition and filter expressions: `compile_condition` gives a test of an item.

A missing attribute or two different types make a comparison false (`<>` true), as on AWS; only a literal of a
type its operator never takes is an error, raised by `check` before any item is read.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.expressions import paths
from infra.local.dynamodb.expressions.grammar import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    ConditionNode,
    In,
    Logic,
    Not,
    Operand,
    Parser,
    Path,
    Placeholder,
)
from infra.local.dynamodb.expressions.tokens import Tokens
from infra.local.dynamodb.values import TYPES, Item, Value, kind_of, less, text_size

Values = Mapping[str, Value]
Test = Callable[[Item, Values], bool]
Getter = Callable[[Item, Values], Value | None]
ValueCheck = Callable[[Values], None]

_ORDERED = frozenset({"S", "N", "B"})


@dataclass(frozen=True, slots=True)
class Condition:
    """`test(item, values)`; `top_names` are the top-level attributes it reads."""

    test: Test
    used_names: frozenset[str]
    used_values: frozenset[str]
    top_names: frozenset[str]
    checks: tuple[ValueCheck, ...]


@lru_cache(maxsize=4096)
def compile_condition(text: str, names: tuple[tuple[str, str], ...], label: str) -> Condition:
    """Compiles once per text and #names. `label` is the request's parameter (`FilterExpression`)."""
    tokens = Tokens(text, label)
    parser = Parser(tokens, dict(names))
    node = parser.condition()
    compiler = _Compiler(tokens)
    test = compiler.condition(node)
    return Condition(
        test,
        frozenset(parser.used_names),
        frozenset(parser.used_values),
        frozenset(compiler.top_names),
        tuple(compiler.checks),
    )


class _Compiler:
    """Walks the tree once; collects what has to be checked when the values are known."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.top_names: set[str] = set()
        self.checks: list[ValueCheck] = []

    def condition(self, node: ConditionNode) -> Test:
        if isinstance(node, Comparison):
            return self._comparison(node)
        if isinstance(node, Logic):
            left, right = self.condition(node.left), self.condition(node.right)
            if node.operator == "AND":
                return lambda item, values: left(item, values) and right(item, values)
            return lambda item, values: left(item, values) or right(item, values)
        if isinstance(node, Not):
            inner = self.condition(node.condition)
            return lambda item, values: not inner(item, values)
        if isinstance(node, Between):
            return self._between(node)
        if isinstance(node, In):
            return self._in(node)
        return self._call(node)

    def operand(self, node: Operand) -> Getter:
        if isinstance(node, Placeholder):
            name = node.name
            return lambda _item, values: values[name]
        if isinstance(node, Path):
            read = paths.reader(node.parts)
            self.top_names.add(str(node.parts[0]))
            return lambda item, _values: read(item)
        if isinstance(node, Call) and node.function == "size":
            inner = self.operand(node.operands[0])
            self._require(node.operands[0], _SIZED, "size")
            return lambda item, values: _size(inner(item, values))
        raise self._tokens.error("The expression is not a condition")  # arithmetic: the grammar keeps it out

    def _comparison(self, node: Comparison) -> Test:
        operator = node.operator
        self._distinct(operator, node.left, node.right)
        if operator in {"=", "<>"}:
            return self._equality(node, wanted=operator == "=")
        self._require(node.left, _ORDERED, operator)
        self._require(node.right, _ORDERED, operator)
        left, right = self.operand(node.left), self.operand(node.right)
        if operator in {">", "<="}:
            left, right = right, left
        wanted = operator in {"<", ">"}  # a <= b is not (b < a)
        return lambda item, values: _order(left(item, values), right(item, values)) is wanted

    def _equality(self, node: Comparison, *, wanted: bool) -> Test:
        left, right = self.operand(node.left), self.operand(node.right)

        def equal(item: Item, values: Values) -> bool:
            value = left(item, values)
            return (value is not None and value == right(item, values)) is wanted

        return equal

    def _between(self, node: Between) -> Test:
        for part in (node.operand, node.lower, node.upper):
            self._require(part, _ORDERED, "BETWEEN")
        if isinstance(node.lower, Placeholder) and isinstance(node.upper, Placeholder):
            self.checks.append(partial(_check_bounds, self._tokens, node.lower.name, node.upper.name))
        operand, lower, upper = self.operand(node.operand), self.operand(node.lower), self.operand(node.upper)

        def between(item: Item, values: Values) -> bool:
            value = operand(item, values)
            return _order(value, lower(item, values)) is False and _order(upper(item, values), value) is False

        return between

    def _in(self, node: In) -> Test:
        self._distinct("IN", node.operand, *node.choices)
        operand = self.operand(node.operand)
        choices = [self.operand(choice) for choice in node.choices]

        def among(item: Item, values: Values) -> bool:
            value = operand(item, values)
            return value is not None and any(value == choice(item, values) for choice in choices)

        return among

    def _call(self, node: ConditionNode) -> Test:
        if not isinstance(node, Call):
            raise self._tokens.error("The expression is not a condition")
        function = node.function
        if function in {"attribute_exists", "attribute_not_exists"}:
            if not isinstance(node.operands[0], Path):
                raise self._tokens.error(
                    f"Operator or function requires a document path; operator or function: {function}"
                )
            read, exists = self.operand(node.operands[0]), function == "attribute_exists"
            return lambda item, values: (read(item, values) is not None) is exists
        subject, argument = node.operands
        self._distinct(function, subject, argument)
        if function == "attribute_type":
            return self._attribute_type(subject, argument)
        if function == "begins_with":
            self._require(subject, _TEXTUAL, function)
            self._require(argument, _TEXTUAL, function)
        rule = _begins_with if function == "begins_with" else _contains
        first, second = self.operand(subject), self.operand(argument)
        return lambda item, values: rule(first(item, values), second(item, values))

    def _attribute_type(self, subject: Operand, argument: Operand) -> Test:
        if not isinstance(argument, Placeholder):
            raise self._tokens.error(
                "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: M"
            )
        name = argument.name
        self._require(argument, frozenset({"S"}), "attribute_type")
        self.checks.append(partial(_check_type_name, self._tokens, name))
        read = self.operand(subject)

        def has_type(item: Item, values: Values) -> bool:
            value = read(item, values)
            return value is not None and kind_of(value) == values[name]["S"]

        return has_type

    def _require(self, operand: Operand, kinds: frozenset[str], function: str) -> None:
        """A literal operand must be of one of these types; known only with the values."""
        if isinstance(operand, Placeholder):
            self.checks.append(partial(check_kind, self._tokens.label, operand.name, kinds, function))

    def _distinct(self, function: str, first: Operand, *others: Operand) -> None:
        if not isinstance(first, Arithmetic) and first in others:
            raise self._tokens.error(
                "The first operand must be distinct from the remaining operands for this operator or "
                f"function; operator: {function}, first operand: {first}"
            )


_TEXTUAL = frozenset({"S", "B"})
_SIZED = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})


def check_kind(label: str, name: str, kinds: frozenset[str], function: str, values: Values) -> None:
    kind = kind_of(values[name])
    if kind not in kinds:
        raise validation(
            f"Invalid {label}: Incorrect operand type for operator or function; "
            f"operator or function: {function}, operand type: {kind}"
        )


def _check_bounds(tokens: Tokens, lower: str, upper: str, values: Values) -> None:
    low, high = values[lower], values[upper]
    if kind_of(low) != kind_of(high):
        raise tokens.error(
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: "
            f"AttributeValue: {_shown(low)}, upper bound operand: AttributeValue: {_shown(high)}"
        )
    if less(high, low):
        raise tokens.error(
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower "
            f"bound operand: AttributeValue: {_shown(low)}, upper bound operand: AttributeValue: {_shown(high)}"
        )


def _check_type_name(tokens: Tokens, name: str, values: Values) -> None:
    type_name = values[name].get("S")
    if type_name not in TYPES:
        raise tokens.error(f"Invalid attribute type name found; type: {type_name}, valid types: {sorted(TYPES)}")


def _shown(value: Value) -> str:
    ((kind, raw),) = value.items()
    return f"{{{kind}:{raw}}}"


def _order(left: Value | None, right: Value | None) -> bool | None:
    return None if left is None or right is None else less(left, right)


def _size(value: Value | None) -> Value | None:
    """Characters' bytes of text, bytes of binary, number of members of anything else."""
    if value is None:
        return None
    ((kind, raw),) = value.items()
    if kind not in _SIZED:
        return None
    if kind == "S":
        return {"N": str(text_size(raw))}
    return {"N": str(len(base64.b64decode(raw)) if kind == "B" else len(raw))}


def _begins_with(value: Value | None, prefix: Value | None) -> bool:
    if value is None or prefix is None:
        return False
    if "S" in value and "S" in prefix:
        return bool(value["S"].startswith(prefix["S"]))
    if "B" in value and "B" in prefix:
        return base64.b64decode(value["B"]).startswith(base64.b64decode(prefix["B"]))
    return False


def _contains(value: Value | None, part: Value | None) -> bool:
    """Text or bytes within, a member of a set, an element of a list."""
    if value is None or part is None:
        return False
    ((kind, raw),) = value.items()
    ((part_kind, part_raw),) = part.items()
    if kind == "L":
        return part in raw
    if kind in {"SS", "NS", "BS"}:
        return part_kind == kind[0] and part_raw in raw
    if kind != part_kind:
        return False
    if kind == "S":
        return part_raw in raw
    return kind == "B" and base64.b64decode(part_raw) in base64.b64decode(raw)


def bind_checks(condition: Condition, values: Values) -> None:
    """Refuses literals of a type their operator never takes."""
    for check in condition.checks:
        check(values)
