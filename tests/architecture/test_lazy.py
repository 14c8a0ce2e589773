"""Packages that load some of their modules late (`kernel/lazy.py`) say so once more than they need: the same thing."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.charging import service

ROOT = Path(__file__).resolve().parents[2]
LAZY = sorted(path for path in (ROOT / "chalicelib").rglob("__init__.py") if "lazy.names_in(" in path.read_text())
NOT_FOR_FRAMES = (
    "chalicelib.payments",
    "chalicelib.notifications",
    "chalicelib.identity.service.signing_in",
    "chalicelib.charging.service.correcting",
    "chalicelib.charging.service.guests",
    "chalicelib.charging.service.resolving",
)
"""What no charger's usual frame needs, and its cold start not wait for."""


def package_of(path: Path) -> str:
    return ".".join(path.parent.relative_to(ROOT).parts)


def seen_by_type_checkers(tree: ast.Module, package: str) -> dict[str, str]:
    """Name -> module, of what is imported under `if TYPE_CHECKING`."""
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: (node.module or "").removeprefix(f"{package}.") for node in imports for alias in node.names}


def told_to_load(tree: ast.Module) -> dict[str, str]:
    """Name -> module, of what `lazy.names_in` is given."""
    [call] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__getattr__"
    ]
    assert isinstance(call, ast.Call)
    modules: dict[str, tuple[str, ...]] = ast.literal_eval(call.args[1])
    return {name: module for module, names in modules.items() for name in names}


@pytest.mark.parametrize("path", LAZY, ids=package_of)
def test_late_names_come_from_where_type_checkers_see_them(path: Path) -> None:
    package, tree = package_of(path), ast.parse(path.read_text())
    assert told_to_load(tree) == seen_by_type_checkers(tree, package)
    loaded = importlib.import_module(package)
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []


def test_there_are_such_packages() -> None:
    assert "chalicelib.charging.service" in [package_of(path) for path in LAZY]


def test_a_name_that_nobody_knows_is_an_attribute_error() -> None:
    assert not hasattr(service, "charge_for_nothing")


def test_a_frame_does_not_wait_for_what_it_does_not_need() -> None:
    program = "import sys, ws_handlers.message; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert loaded & set(NOT_FOR_FRAMES) == set()
