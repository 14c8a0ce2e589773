"""Projection expressions: the part of an item a reader asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from infra.local.dynamodb.expressions import paths
from infra.local.dynamodb.expressions.grammar import Parser
from infra.local.dynamodb.expressions.paths import Wanted
from infra.local.dynamodb.expressions.tokens import Tokens
from infra.local.dynamodb.values import Item

LABEL = "ProjectionExpression"


@dataclass(frozen=True, slots=True)
class Projection:
    tree: Wanted
    used_names: frozenset[str]

    @property
    def top_names(self) -> frozenset[str]:
        return frozenset(self.tree)

    def pick(self, item: Item) -> Item:
        return paths.project(item, self.tree)


@lru_cache(maxsize=4096)
def compile_projection(text: str, names: tuple[tuple[str, str], ...]) -> Projection:
    """ValidationException if two of its paths overlap."""
    parser = Parser(Tokens(text, LABEL), dict(names))
    found = parser.paths()
    paths.check_overlap(found, LABEL)
    return Projection(paths.wanted_tree(path.parts for path in found), frozenset(parser.used_names))
