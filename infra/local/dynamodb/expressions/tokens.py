"""Cuts an expression's text into tokens and walks them. Private to the grammar."""

from __future__ import annotations

import re
from typing import NamedTuple

from infra.local.aws_hooks import AwsError
from infra.local.dynamodb.errors import validation

MAX_EXPRESSION_BYTES = 4096
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<word>[A-Za-z][A-Za-z0-9_]*)
      | (?P<name>\#[A-Za-z0-9_]+)
      | (?P<value>:[A-Za-z0-9_]+)
      | (?P<number>[0-9]+)
      | (?P<mark><>|<=|>=|[=<>().,\[\]+-])
    )""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """`kind` is word, name, value, number, mark or end."""

    kind: str
    text: str
    start: int

    @property
    def keyword(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


class Tokens:
    """A cursor over the tokens of one expression. `label` is the request's parameter, for messages."""

    def __init__(self, text: str, label: str) -> None:
        self.text = text
        self.label = label
        if not text.strip():
            raise self.error("The expression can not be empty;")
        if len(text.encode()) > MAX_EXPRESSION_BYTES:
            raise self.error(
                f"Expression size has exceeded the maximum allowed size; expression size: {len(text.encode())}"
            )
        self._tokens = self._split()
        self._at = 0

    def _split(self) -> list[Token]:
        tokens = []
        position, end = 0, len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position, end)
            if match is None:
                start = position + len(self.text[position:]) - len(self.text[position:].lstrip())
                raise self.syntax_error(Token("mark", self.text[start], start))
            kind = match.lastgroup or ""
            tokens.append(Token(kind, match[kind], match.start(kind)))
            position = match.end()
        tokens.append(Token("end", "<EOF>", end))
        return tokens

    @property
    def current(self) -> Token:
        return self._tokens[self._at]

    def peek(self, ahead: int = 1) -> Token:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self.current
        if token.kind != "end":
            self._at += 1
        return token

    def accept(self, mark: str) -> bool:
        """Takes the next token if it is this mark or keyword."""
        if self.current.text == mark or self.current.keyword == mark:
            self._at += 1
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.accept(mark):
            raise self.syntax_error()

    def expect_end(self) -> None:
        if self.current.kind != "end":
            raise self.syntax_error()

    def error(self, problem: str) -> AwsError:
        return validation(f"Invalid {self.label}: {problem}")

    def syntax_error(self, token: Token | None = None) -> AwsError:
        token = token or self.current
        before = self.text[: token.start].split()[-1:]
        near = " ".join([*before, self.text[token.start : token.start + 20].strip()])
        return self.error(f'Syntax error; token: "{token.text}", near: "{near}"')
