"""Which functions of the product may run when an entry point is called.

`Reach` follows what a function mentions, not only what it calls: a mention of a map, a class or a record reaches every
function in it. So it finds too much rather than too little; only what is looked up by a computed name stays unseen,
and the house has no such look-ups.
"""

from __future__ import annotations

import ast
import functools
import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from chalice import Chalice
from pynamodb.models import Model

from chalicelib.kernel.context import Context
from chalicelib.kernel.table import Table
from chalicelib.kernel.unit_of_work import UnitOfWork

PRODUCT: Final = ("chalicelib", "ws_handlers", "app")
NOTHING: Final = object()
_PRIMITIVES: Final = (Table, UnitOfWork, Context, Model, Chalice)
"""Not looked into: what the data layer does is told by how it is called (see `needs`), and the app that a decorator
mentions holds all functions of the deployment."""


@dataclass(frozen=True)
class Part:
    """One function of the product with its syntax; `given` are known values of its parameters."""

    function: FunctionType
    tree: ast.AST
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"

    def resolve(self, node: ast.AST) -> Any:
        """The object that a dotted name means where the function stands; NOTHING for locals and computed values."""
        if isinstance(node, ast.Attribute):
            owner = self.resolve(node.value)
            # A property would be run; whoever has one is not a namespace.
            if owner is NOTHING or not isinstance(owner, ModuleType | type | Table | Mapping | Model):
                return NOTHING
            return getattr(owner, node.attr, NOTHING)
        if isinstance(node, ast.Name):
            for names in (self.given, self._imports, self._closure, self.function.__globals__):
                if node.id in names:
                    return names[node.id]
        return NOTHING

    @functools.cached_property
    def _closure(self) -> Mapping[str, Any]:
        cells = self.function.__closure__ or ()
        return dict(zip(self.function.__code__.co_freevars, (cell.cell_contents for cell in cells), strict=True))

    @functools.cached_property
    def _imports(self) -> Mapping[str, Any]:
        """Names that the function imports itself: what it reaches through them is reached, whenever it is loaded."""
        found: dict[str, Any] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                name = "." * node.level + (node.module or "")
                if node.level or name.split(".")[0] in PRODUCT:
                    module = importlib.import_module(name, self.function.__globals__["__package__"])
                    for alias in node.names:
                        found[alias.asname or alias.name] = _member(module, alias.name)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.split(".")[0]
                    if top in PRODUCT:
                        module = importlib.import_module(alias.name)
                        found[alias.asname or top] = module if alias.asname else sys.modules[top]
        return found


def reach(roots: list[Any]) -> list[Part]:
    """Everything that the roots may run, each function once, ordered by name."""
    found: dict[CodeType, Part] = {}
    followed: dict[int, FunctionType] = {}
    waiting = [part for root in roots for part in _parts(root, set())]
    while waiting:
        part = waiting.pop()
        if id(part.function) in followed:
            continue
        followed[id(part.function)] = part.function
        seen: set[int] = set()
        # Functions made by one function share their code, not what they close over.
        for value in part._closure.values():
            waiting.extend(_parts(value, seen))
        if part.function.__code__ in found:
            continue
        found[part.function.__code__] = part
        for node in ast.walk(part.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                waiting.extend(_parts(part.resolve(node), seen))
    return sorted(found.values(), key=lambda part: part.name)


def part_of(function: FunctionType, given: Mapping[str, Any] | None = None) -> Part:
    return Part(function, _syntax(function), given or {})


def _parts(value: Any, seen: set[int]) -> Iterator[Part]:
    """The product's functions in a value: itself, or those held by a map, a record, a class, a wrapper."""
    if value is NOTHING or id(value) in seen or isinstance(value, ModuleType | str | bytes | int | float | None):
        return
    seen.add(id(value))
    if isinstance(value, FunctionType):
        if _ours(value):
            yield part_of(value)
        # Also a wrapper from elsewhere (functools.cache, Chalice) may hold ours.
    elif isinstance(value, type):
        if _ours(value) and not issubclass(value, _PRIMITIVES):
            for base in value.__mro__:
                if _ours(base):
                    for member in vars(base).values():
                        yield from _parts(member, seen)
        return
    elif isinstance(value, _PRIMITIVES):
        return
    for held in _held(value):
        yield from _parts(held, seen)


def _held(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, tuple | list | set | frozenset):
        yield from value
    elif isinstance(value, MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, property):
        yield from (value.fget, value.fset)
    elif isinstance(value, staticmethod | classmethod | functools.cached_property):
        yield getattr(value, "__func__", None) or getattr(value, "func", None)
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif _ours(type(value)):
        yield type(value)
        yield from getattr(value, "__dict__", {}).values()
        yield from (getattr(value, name, None) for name in getattr(type(value), "__slots__", ()))
    yield getattr(value, "__wrapped__", None)
    if type(value).__module__.split(".")[0] == "chalice":
        # EventSourceHandler, PureLambdaWrapper
        yield from (getattr(value, "func", None), getattr(value, "_original_func", None))


def _ours(value: Any) -> bool:
    module = getattr(value, "__module__", None)
    return isinstance(module, str) and module.split(".")[0] in PRODUCT


def _member(module: ModuleType, name: str) -> Any:
    return getattr(module, name) if hasattr(module, name) else importlib.import_module(f"{module.__name__}.{name}")


def _syntax(function: FunctionType) -> ast.AST:
    code = function.__code__
    found = _definitions(code.co_filename).get((code.co_firstlineno, code.co_name))
    if found is None and code.co_filename.startswith("<"):
        return ast.Module([], [])  # made by dataclasses: calls nothing
    if found is None:
        raise LookupError(f"{function.__module__}.{function.__qualname__} has no source in {code.co_filename}")
    return found


@cache
def _definitions(filename: str) -> Mapping[tuple[int, str], ast.AST]:
    """Functions and lambdas of a file by first line (that of the first decorator) and name."""
    found: dict[tuple[int, str], ast.AST] = {}
    path = Path(filename)
    for node in ast.walk(ast.parse(path.read_text())) if path.exists() else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            line = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found[line, node.name] = node
        elif isinstance(node, ast.Lambda):
            key = (node.lineno, "<lambda>")
            held = [node, *([found[key]] if key in found else [])]
            found[key] = ast.Module([ast.Expr(lambda_node) for lambda_node in held], [])  # type: ignore[arg-type]
    return found
