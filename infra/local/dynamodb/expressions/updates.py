"""Update expressions: `compile_update` gives a function from the item before to the item after.

All right-hand sides are computed on the item before; paths may not overlap, so the clauses do not depend on
each other's order. The item before is never touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from infra.local.dynamodb import decimals
from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.expressions import paths
from infra.local.dynamodb.expressions.conditions import ValueCheck, Values, check_kind
from infra.local.dynamodb.expressions.grammar import (
    UPDATE_FUNCTIONS,
    Arithmetic,
    Call,
    Operand,
    Parser,
    Path,
    PathParts,
    Placeholder,
)
from infra.local.dynamodb.expressions.paths import Wanted
from infra.local.dynamodb.expressions.tokens import Tokens
from infra.local.dynamodb.values import Item, Value, kind_of, sorted_members

LABEL = "UpdateExpression"
_NUMBER = frozenset({"N"})
_LIST = frozenset({"L"})
_SETS = frozenset({"SS", "NS", "BS"})
_SECTIONS = frozenset({"SET", "REMOVE", "ADD", "DELETE"})

Source = Callable[[Item, Values], Value]


@dataclass(frozen=True, slots=True)
class Action:
    """One path to change: `source` gives the assigned value, or the operand of ADD and DELETE."""

    section: str
    parts: PathParts
    source: Source | None


@dataclass(frozen=True, slots=True)
class Update:
    """`top_names`: the top-level attributes it writes. `tree`: its paths, for UPDATED_OLD and UPDATED_NEW."""

    actions: tuple[Action, ...]
    used_names: frozenset[str]
    used_values: frozenset[str]
    top_names: frozenset[str]
    tree: Wanted
    checks: tuple[ValueCheck, ...]

    def apply(self, before: Item, values: Values) -> Item:
        """The item after. ValidationException where a path or a type does not fit the stored item."""
        computed = [(action, action.source(before, values) if action.source else None) for action in self.actions]
        after = dict(before)
        for action, _ in computed:
            name = action.parts[0]
            if len(action.parts) > 1 and name in after and after[str(name)] is before[str(name)]:
                after[str(name)] = _copy(before[str(name)])
        # Assigned first, so that indexes still mean the elements of the item before; removed last to first.
        removals = []
        for action, operand in computed:
            container, key = _container(after, action.parts)
            if operand is None:
                removals.append((container, key))
            elif action.section == "SET":
                _assign(container, key, operand)
            elif action.section == "ADD":
                _add(container, key, operand)
            elif _delete(container, key, operand):
                removals.append((container, key))
        removals.sort(key=lambda removal: removal[1] if isinstance(removal[1], int) else 0, reverse=True)
        for container, key in removals:
            if isinstance(container, dict):
                container.pop(key, None)
            elif key < len(container):
                del container[key]
        return after


@lru_cache(maxsize=4096)
def compile_update(text: str, names: tuple[tuple[str, str], ...]) -> Update:
    tokens = Tokens(text, LABEL)
    parser = Parser(tokens, dict(names))
    checks: list[ValueCheck] = []
    actions: list[Action] = []
    seen: set[str] = set()
    while tokens.current.kind != "end":
        section = tokens.current.keyword
        if section not in _SECTIONS:
            raise tokens.syntax_error()
        if section in seen:
            raise tokens.error(f'The "{section}" section can only be used once in an update expression;')
        seen.add(section)
        tokens.take()
        actions.append(_action(parser, section, checks))
        while tokens.accept(","):
            actions.append(_action(parser, section, checks))
    paths.check_overlap([Path(action.parts) for action in actions], LABEL)
    # Appending beyond the end of one list keeps the order of the indexes asked for.
    actions.sort(key=lambda action: action.parts[-1] if isinstance(action.parts[-1], int) else 0)
    return Update(
        tuple(actions),
        frozenset(parser.used_names),
        frozenset(parser.used_values),
        frozenset(str(action.parts[0]) for action in actions),
        paths.wanted_tree(action.parts for action in actions),
        tuple(checks),
    )


def _action(parser: Parser, section: str, checks: list[ValueCheck]) -> Action:
    parts = parser.path().parts
    if section == "REMOVE":
        return Action(section, parts, None)
    if section == "SET":
        parser.tokens.expect("=")
        return Action(section, parts, _source(_assigned(parser), checks))
    operand = parser.placeholder()
    allowed = _SETS | _NUMBER if section == "ADD" else _SETS
    _require(operand, allowed, section, checks)
    return Action(section, parts, _source(operand, checks))


def _assigned(parser: Parser) -> Operand:
    """operand | operand + operand | operand - operand"""
    left = parser.operand(UPDATE_FUNCTIONS)
    for operator in ("+", "-"):
        if parser.tokens.accept(operator):
            return Arithmetic(operator, left, parser.operand(UPDATE_FUNCTIONS))
    return left


def _source(node: Operand, checks: list[ValueCheck]) -> Source:
    if isinstance(node, Placeholder):
        name = node.name
        return lambda _item, values: values[name]
    if isinstance(node, Path):
        read = paths.reader(node.parts)
        return lambda item, _values: _existing(read(item))
    if isinstance(node, Arithmetic):
        return _arithmetic(node, checks)
    if node.function == "if_not_exists":
        return _if_not_exists(node, checks)
    return _list_append(node, checks)


def _arithmetic(node: Arithmetic, checks: list[ValueCheck]) -> Source:
    compute = decimals.add if node.operator == "+" else decimals.subtract
    for operand in (node.left, node.right):
        _require(operand, _NUMBER, node.operator, checks)
    left, right = _source(node.left, checks), _source(node.right, checks)

    def calculate(item: Item, values: Values) -> Value:
        first, second = left(item, values), right(item, values)
        if "N" not in first or "N" not in second:
            raise wrong_type()
        return {"N": compute(first["N"], second["N"])}

    return calculate


def _if_not_exists(node: Call, checks: list[ValueCheck]) -> Source:
    target, default = node.operands
    if not isinstance(target, Path):
        raise validation(
            f"Invalid {LABEL}: Operator or function requires a document path; operator or function: if_not_exists"
        )
    read, otherwise = paths.reader(target.parts), _source(default, checks)

    def existing_or_default(item: Item, values: Values) -> Value:
        value = read(item)
        return otherwise(item, values) if value is None else value

    return existing_or_default


def _list_append(node: Call, checks: list[ValueCheck]) -> Source:
    for operand in node.operands:
        _require(operand, _LIST, "list_append", checks)
    first, second = (_source(operand, checks) for operand in node.operands)

    def append(item: Item, values: Values) -> Value:
        head, tail = first(item, values), second(item, values)
        if "L" not in head or "L" not in tail:
            raise wrong_type()
        return {"L": [*head["L"], *tail["L"]]}

    return append


def _require(operand: Operand, kinds: frozenset[str], function: str, checks: list[ValueCheck]) -> None:
    """A literal operand must be of one of these types; known only with the values."""
    if isinstance(operand, Placeholder):
        checks.append(partial(check_kind, LABEL, operand.name, kinds, function))


def wrong_type() -> Exception:
    return validation("An operand in the update expression has an incorrect data type")


def _existing(value: Value | None) -> Value:
    if value is None:
        raise validation("The provided expression refers to an attribute that does not exist in the item")
    return value


def _container(item: Item, parts: PathParts) -> tuple[Any, Any]:
    """The dict or list that holds the last part of the path, and the key in it."""
    if len(parts) == 1:
        return item, parts[0]
    value = item.get(str(parts[0]))
    for part in parts[1:-1]:
        value = paths.child(value, part)
    holder = value.get("L" if isinstance(parts[-1], int) else "M") if value is not None else None
    if holder is None:
        raise validation("The document path provided in the update expression is invalid for update")
    return holder, parts[-1]


def _current(container: Any, key: Any) -> Value | None:
    if isinstance(container, dict):
        return container.get(key)
    return container[key] if key < len(container) else None


def _assign(container: Any, key: Any, value: Value) -> None:
    if isinstance(container, list) and key >= len(container):
        container.append(value)
    else:
        container[key] = value


def _add(container: Any, key: Any, operand: Value) -> None:
    """Number: sum, from 0. Set: union."""
    current = _current(container, key)
    kind = kind_of(operand)
    if current is None:
        _assign(container, key, operand)
    elif kind_of(current) != kind:
        raise wrong_type()
    elif kind == "N":
        container[key] = {"N": decimals.add(current["N"], operand["N"])}
    else:
        union = {*current[kind], *operand[kind]}
        container[key] = {kind: sorted_members(kind, list(union))}


def _delete(container: Any, key: Any, operand: Value) -> bool:
    """Takes members out of a set; True if none is left: a set without members is no attribute."""
    current = _current(container, key)
    if current is None:
        return False
    kind = kind_of(operand)
    if kind_of(current) != kind:
        raise wrong_type()
    left = [member for member in current[kind] if member not in operand[kind]]
    if left:
        container[key] = {kind: left}
    return not left


def _copy(value: Value) -> Value:
    """Containers copied all the way down, the rest shared."""
    if "M" in value:
        return {"M": {name: _copy(member) for name, member in value["M"].items()}}
    if "L" in value:
        return {"L": [_copy(member) for member in value["L"]]}
    return value
