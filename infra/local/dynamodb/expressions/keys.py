"""Key condition expressions: one partition, and at most one range of its sort key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.expressions.grammar import (
    Between,
    Call,
    Comparison,
    ConditionNode,
    Logic,
    Operand,
    Parser,
    Path,
    Placeholder,
)
from infra.local.dynamodb.expressions.tokens import Tokens

LABEL = "KeyConditionExpression"
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class KeyTest:
    """`operator` is a comparator, BETWEEN or begins_with; `operands` the names of its :values."""

    attribute: str
    operator: str
    operands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    tests: tuple[KeyTest, ...]
    used_names: frozenset[str]
    used_values: frozenset[str]

    def split(self, hash_name: str, range_name: str | None) -> tuple[KeyTest, KeyTest | None]:
        """The test of the partition key and that of the sort key, if any.

        ValidationException if the partition is not given by equality, or another attribute is named.
        """
        by_name = {test.attribute: test for test in self.tests}
        if len(by_name) < len(self.tests):
            raise validation("KeyConditionExpressions must only contain one condition per key")
        partition = by_name.pop(hash_name, None)
        if partition is None:
            raise validation(f"Query condition missed key schema element: {hash_name}")
        if partition.operator != "=":
            raise validation("Query key condition not supported")
        if not by_name:
            return partition, None
        if range_name not in by_name:
            if range_name is None or len(by_name) > 1:
                raise validation("Query key condition not supported")
            raise validation(f"Query condition missed key schema element: {range_name}")
        return partition, by_name[range_name]


@lru_cache(maxsize=4096)
def compile_key_condition(text: str, names: tuple[tuple[str, str], ...]) -> KeyCondition:
    tokens = Tokens(text, LABEL)
    parser = Parser(tokens, dict(names))
    tests = tuple(_key_test(node, tokens) for node in _conjuncts(parser.condition(), tokens))
    if len(tests) > 2:
        raise validation("Conditions can be of length 1 or 2 only")
    return KeyCondition(tests, frozenset(parser.used_names), frozenset(parser.used_values))


def _conjuncts(node: ConditionNode, tokens: Tokens) -> list[ConditionNode]:
    if isinstance(node, Logic):
        if node.operator == "OR":
            raise tokens.error("Invalid operator used in KeyConditionExpression: OR")
        return [*_conjuncts(node.left, tokens), *_conjuncts(node.right, tokens)]
    return [node]


def _key_test(node: ConditionNode, tokens: Tokens) -> KeyTest:
    if isinstance(node, Comparison):
        if node.operator == "<>":
            raise tokens.error("Invalid operator used in KeyConditionExpression: <>")
        if isinstance(node.left, Placeholder):
            return _test(tokens, node.right, _MIRRORED[node.operator], node.left)
        return _test(tokens, node.left, node.operator, node.right)
    if isinstance(node, Between):
        return _test(tokens, node.operand, "BETWEEN", node.lower, node.upper)
    if isinstance(node, Call) and node.function == "begins_with":
        return _test(tokens, node.operands[0], "begins_with", node.operands[1])
    name = node.function if isinstance(node, Call) else type(node).__name__.upper()
    raise tokens.error(f"Invalid operator used in KeyConditionExpression: {name}")


def _test(tokens: Tokens, subject: Operand, operator: str, *operands: Operand) -> KeyTest:
    if not isinstance(subject, Path):
        raise tokens.error("Invalid condition in KeyConditionExpression: No key attribute specified")
    if len(subject.parts) > 1:
        raise tokens.error("KeyConditionExpressions cannot have conditions on nested attributes")
    names = []
    for operand in operands:
        if not isinstance(operand, Placeholder):
            raise tokens.error(
                "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
            )
        names.append(operand.name)
    return KeyTest(str(subject.parts[0]), operator, tuple(names))
