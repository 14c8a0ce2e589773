"""Which resource of the REST API a path names, as API Gateway decides it.

`RestApi` builds one table from the Chalice app's routes. The invariants: a literal segment wins over a parameter;
path parameters come percent-decoded and only those of the matched resource; two routes that name the same place in
a path differently are refused when the table is built, as API Gateway refuses them on deployment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(\w+)\}")
_LITERAL = re.compile(r"[^{}]+")


class RouteMatch(NamedTuple):
    resource: str
    parameters: dict[str, str]


@dataclass
class _Node:
    resource: str | None = None
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: str | None = None
    under_parameter: _Node | None = None


class RouteTable:
    """Built once from resource paths such as `/v1/chargers/{charger_id}`. Raises ValueError for two names of one
    parameter and for segments that are neither a literal nor one `{parameter}`."""

    def __init__(self, resources: Iterable[str]) -> None:
        self._root = _Node()
        for resource in resources:
            self._add(resource)

    def match(self, path: str) -> RouteMatch | None:
        """`path` as in the request line, still percent-encoded, without the query; a trailing slash is ignored.
        None when no resource has it. Raises ValueError (UnicodeDecodeError) when its encoding is no UTF-8."""
        return _descend(self._root, _segments(path), 0, {})

    def _add(self, resource: str) -> None:
        node = self._root
        for segment in _segments(resource):
            if _LITERAL.fullmatch(segment):
                node = node.literals.setdefault(segment, _Node())
                continue
            parameter = _PARAMETER.fullmatch(segment)
            if parameter is None:
                raise ValueError(f"{resource}: the segment {segment!r} can not be routed")
            if node.under_parameter is None:
                node.parameter, node.under_parameter = parameter[1], _Node()
            elif node.parameter != parameter[1]:
                raise ValueError(f"{resource}: {{{parameter[1]}}} is called {{{node.parameter}}} in another route")
            node = node.under_parameter
        if node.resource is not None:
            raise ValueError(f"{resource} is the same resource as {node.resource}")
        node.resource = resource


def _segments(path: str) -> list[str]:
    trimmed = path[1:] if path.startswith("/") else path
    if len(trimmed) > 1 and trimmed.endswith("/"):
        trimmed = trimmed[:-1]
    return trimmed.split("/") if trimmed else []


def _descend(node: _Node, segments: list[str], depth: int, parameters: dict[str, str]) -> RouteMatch | None:
    """The first resource in API Gateway's order; a literal that leads nowhere gives way to the parameter."""
    if depth == len(segments):
        return RouteMatch(node.resource, parameters) if node.resource is not None else None
    segment = unquote(segments[depth], errors="strict")
    literal = node.literals.get(segment)
    if literal is not None:
        found = _descend(literal, segments, depth + 1, parameters)
        if found is not None:
            return found
    if node.under_parameter is None or node.parameter is None or not segment:
        return None
    return _descend(node.under_parameter, segments, depth + 1, {**parameters, node.parameter: segment})
