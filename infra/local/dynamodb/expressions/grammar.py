"""The grammar of condition, filter, key condition, update and projection expressions.

Called by the compilers beside it. Gives trees of the node classes below with every #name already resolved;
a bare reserved word, an undefined #name, a wrong function or number of operands is a ValidationException.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.dynamodb.expressions.reserved_words import RESERVED_WORDS
from infra.local.dynamodb.expressions.tokens import Token, Tokens

PathParts = tuple[str | int, ...]
MAX_IN_OPERANDS = 100
MAX_NESTING = 300
COMPARATORS = frozenset({"=", "<>", "<", "<=", ">", ">="})
# name -> number of operands; `size` is an operand, the others are conditions.
CONDITION_FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
}
OPERAND_FUNCTIONS = {"size": 1}
UPDATE_FUNCTIONS = {"if_not_exists": 2, "list_append": 2}


@dataclass(frozen=True, slots=True)
class Path:
    parts: PathParts

    def __str__(self) -> str:
        return "[" + ", ".join(f"[{part}]" if isinstance(part, int) else part for part in self.parts) + "]"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A `:value`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    operator: str
    left: Operand
    right: Operand


Operand = Path | Placeholder | Call | Arithmetic


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    operand: Operand
    lower: Operand
    upper: Operand


@dataclass(frozen=True, slots=True)
class In:
    operand: Operand
    choices: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """AND or OR of two conditions."""

    operator: str
    left: ConditionNode
    right: ConditionNode


@dataclass(frozen=True, slots=True)
class Not:
    condition: ConditionNode


ConditionNode = Comparison | Between | In | Logic | Not | Call


@dataclass(slots=True)
class Parser:
    """One pass over one expression. Remembers which placeholders it met."""

    tokens: Tokens
    names: Mapping[str, str]
    used_names: set[str] = field(default_factory=set)
    used_values: set[str] = field(default_factory=set)
    _depth: int = 0

    def condition(self) -> ConditionNode:
        node = self._disjunction()
        self.tokens.expect_end()
        return node

    def paths(self) -> list[Path]:
        found = [self.path()]
        while self.tokens.accept(","):
            found.append(self.path())
        self.tokens.expect_end()
        return found

    def _disjunction(self) -> ConditionNode:
        node = self._conjunction()
        while self.tokens.accept("OR"):
            node = Logic("OR", node, self._conjunction())
        return node

    def _conjunction(self) -> ConditionNode:
        node = self._negation()
        while self.tokens.accept("AND"):
            node = Logic("AND", node, self._negation())
        return node

    def _negation(self) -> ConditionNode:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self.tokens.error("The expression has too many nested conditions")
        try:
            if self.tokens.accept("NOT"):
                return Not(self._negation())
            return self._predicate()
        finally:
            self._depth -= 1

    def _predicate(self) -> ConditionNode:
        tokens = self.tokens
        if tokens.current.text == "(":
            return self._parenthesised()
        if tokens.current.kind == "word" and tokens.peek().text == "(":
            call = self._call({**CONDITION_FUNCTIONS, **OPERAND_FUNCTIONS})
            if call.function in CONDITION_FUNCTIONS:
                return call
            return self._relation(call)
        return self._relation(self.operand(OPERAND_FUNCTIONS))

    def _parenthesised(self) -> ConditionNode:
        tokens = self.tokens
        tokens.expect("(")
        doubled = tokens.current.text == "("
        before = tokens.current
        node = self._disjunction()
        if doubled and tokens.current.text == ")" and self._wraps_whole(before):
            raise tokens.error("The expression has redundant parentheses;")
        tokens.expect(")")
        return node

    def _wraps_whole(self, opening: Token) -> bool:
        """Whether the parenthesis opened at `opening` closes right before the current token."""
        text = self.tokens.text[opening.start : self.tokens.current.start].rstrip()
        depth = 0
        for index, character in enumerate(text):
            depth += (character == "(") - (character == ")")
            if depth == 0:
                return index == len(text) - 1
        return False

    def _relation(self, left: Operand) -> ConditionNode:
        tokens = self.tokens
        if tokens.current.text in COMPARATORS:
            operator = tokens.take().text
            return Comparison(operator, left, self.operand(OPERAND_FUNCTIONS))
        if tokens.accept("BETWEEN"):
            lower = self.operand(OPERAND_FUNCTIONS)
            tokens.expect("AND")
            return Between(left, lower, self.operand(OPERAND_FUNCTIONS))
        if tokens.accept("IN"):
            tokens.expect("(")
            choices = [self.operand(OPERAND_FUNCTIONS)]
            while tokens.accept(","):
                choices.append(self.operand(OPERAND_FUNCTIONS))
            tokens.expect(")")
            if len(choices) > MAX_IN_OPERANDS:
                raise tokens.error(
                    f"The IN operator is provided with too many operands; number of operands: {len(choices)}"
                )
            return In(left, tuple(choices))
        raise tokens.syntax_error()

    def operand(self, functions: Mapping[str, int]) -> Operand:
        """A path, a `:value`, or a call of one of `functions`."""
        tokens = self.tokens
        if tokens.current.kind == "value":
            return self.placeholder()
        if tokens.current.kind == "word" and tokens.peek().text == "(":
            return self._call(functions)
        if tokens.current.text == "(":
            tokens.expect("(")
            inner = self.operand(functions)
            tokens.expect(")")
            return inner
        return self.path()

    def placeholder(self) -> Placeholder:
        token = self.tokens.current
        if token.kind != "value":
            raise self.tokens.syntax_error()
        self.tokens.take()
        self.used_values.add(token.text)
        return Placeholder(token.text)

    def _call(self, functions: Mapping[str, int]) -> Call:
        tokens = self.tokens
        function = tokens.take().text
        if function not in functions:
            known = function in CONDITION_FUNCTIONS or function in UPDATE_FUNCTIONS
            if known or function in OPERAND_FUNCTIONS:
                raise tokens.error(
                    f"The function is not allowed to be used this way in an expression; function: {function}"
                )
            raise tokens.error(f"Invalid function name; function: {function}")
        tokens.expect("(")
        inner = UPDATE_FUNCTIONS if function in UPDATE_FUNCTIONS else OPERAND_FUNCTIONS
        operands = [self.operand(inner)]
        while tokens.accept(","):
            operands.append(self.operand(inner))
        tokens.expect(")")
        if len(operands) != functions[function]:
            raise tokens.error(
                "Incorrect number of operands for operator or function; "
                f"operator or function: {function}, number of operands: {len(operands)}"
            )
        return Call(function, tuple(operands))

    def path(self) -> Path:
        tokens = self.tokens
        parts: list[str | int] = [self._name()]
        while True:
            if tokens.accept("."):
                parts.append(self._name())
            elif tokens.accept("["):
                if tokens.current.kind != "number":
                    raise tokens.syntax_error()
                parts.append(int(tokens.take().text))
                tokens.expect("]")
            else:
                return Path(tuple(parts))

    def _name(self) -> str:
        token = self.tokens.current
        if token.kind == "name":
            self.tokens.take()
            self.used_names.add(token.text)
            if token.text not in self.names:
                raise self.tokens.error(
                    "An expression attribute name used in the document path is not defined; "
                    f"attribute name: {token.text}"
                )
            return self.names[token.text]
        if token.kind != "word":
            raise self.tokens.syntax_error()
        if token.keyword in RESERVED_WORDS:
            raise self.tokens.error(f"Attribute name is a reserved keyword; reserved keyword: {token.text}")
        self.tokens.take()
        return token.text
