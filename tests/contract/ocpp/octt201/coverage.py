"""Which cases the tests of a folder play, read from their syntax: functions named after an id, and rows of tables.

A function `test_tc_e_03_...` plays TC_E_03. A table is a dictionary literal whose keys are ids, given to
`parametrize` by its name: each key is a case.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_FUNCTION: Final = re.compile(r"test_tc_([a-z])_(\d+(?:_\d)?)(?:_[a-z].*)?")
_ID: Final = re.compile(r"TC_[A-Z]_\d+(?:_\d)?")


def played(beside: str) -> list[str]:
    """The ids, once for each time they are played; `beside` is a file of the folder."""
    return [case for path in sorted(Path(beside).parent.glob("test_*.py")) for case in _played_by(path)]


def _played_by(path: Path) -> Iterator[str]:
    body = ast.parse(path.read_text()).body
    tables = {name: ids for node in body for name, ids in _table(node)}
    for node in body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        named = _FUNCTION.fullmatch(node.name)
        used = {name.id for mark in node.decorator_list for name in ast.walk(mark) if isinstance(name, ast.Name)}
        rows = [case for name in used & set(tables) for case in tables[name]]
        if named is not None:
            yield f"TC_{named[1].upper()}_{named[2]}"
        yield from rows
        if named is not None or rows:
            assert ast.get_docstring(node), f"{path.name}: {node.name} does not say what it does"


def _table(node: ast.stmt) -> Iterator[tuple[str, list[str]]]:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Dict):
        keys = [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
        ids = [key for key in keys if isinstance(key, str) and _ID.fullmatch(key)]
        if ids:
            assert len(ids) == len(node.value.keys), f"{node.target.id} has keys that are no ids"
            yield node.target.id, ids
