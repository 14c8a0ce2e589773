"""Document paths: reading what a path points at, and projecting an item onto a set of paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.expressions.grammar import Path, PathParts
from infra.local.dynamodb.values import Item, Value

Reader = Callable[[Item], Value | None]


def reader(parts: PathParts) -> Reader:
    """A function that reads the value at this path, None where the document has no such place."""
    name = str(parts[0])
    if len(parts) == 1:
        return lambda item: item.get(name)
    rest = parts[1:]

    def read(item: Item) -> Value | None:
        value = item.get(name)
        for part in rest:
            value = child(value, part)
            if value is None:
                return None
        return value

    return read


def child(value: Value | None, part: str | int) -> Value | None:
    if value is None:
        return None
    if isinstance(part, int):
        members = value.get("L")
        return members[part] if members is not None and part < len(members) else None
    fields = value.get("M")
    return fields.get(part) if fields is not None else None


def check_overlap(paths: Iterable[Path], label: str) -> None:
    """Refuses two paths of which one contains the other, or that need the same place to be map and list."""
    seen: list[Path] = []
    for path in paths:
        for other in seen:
            common = min(len(path.parts), len(other.parts))
            if path.parts[:common] == other.parts[:common]:
                raise _clash("overlap", other, path, label)
            for left, right in zip(other.parts, path.parts, strict=False):
                if type(left) is not type(right):
                    raise _clash("conflict", other, path, label)
                if left != right:
                    break
        seen.append(path)


def _clash(kind: str, first: Path, second: Path, label: str) -> Exception:
    return validation(
        f"Invalid {label}: Two document paths {kind} with each other; must remove or rewrite one of these "
        f"paths; path one: {first}, path two: {second}"
    )


# What is wanted below one place: everything (None), or named and numbered children.
Wanted = dict[Any, Any]


def wanted_tree(paths: Iterable[PathParts]) -> Wanted:
    """Paths that do not overlap, as one tree."""
    tree: Wanted = {}
    for parts in paths:
        node = tree
        for part in parts[:-1]:
            node = node.setdefault(part, {})
        node[parts[-1]] = None
    return tree


def project(item: Item, tree: Wanted) -> Item:
    """The part of the item the tree asks for; list elements close up, in their order."""
    picked: Item = {}
    for name, below in tree.items():
        value = item.get(name)
        if value is not None:
            part = value if below is None else _project_value(value, below)
            if part is not None:
                picked[name] = part
    return picked


def _project_value(value: Value, tree: Wanted) -> Value | None:
    if "M" in value:
        fields = {name: part for name, part in _children(tree, value["M"].get) if part is not None}
        return {"M": fields} if fields else None
    if "L" in value:
        members = value["L"]
        ordered = {index: tree[index] for index in sorted(key for key in tree if isinstance(key, int))}
        parts = _children(ordered, lambda index: members[index] if index < len(members) else None)
        kept = [part for _, part in parts if part is not None]
        return {"L": kept} if kept else None
    return None


def _children(tree: Wanted, get: Callable[[Any], Value | None]) -> Iterable[tuple[Any, Value | None]]:
    for key, below in tree.items():
        value = get(key)
        yield key, value if value is None or below is None else _project_value(value, below)
