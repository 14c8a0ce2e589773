"""Every event somebody emits has somebody who hears it, and nobody waits for one that never comes."""

from __future__ import annotations

import ast
from pathlib import Path

from chalicelib.relay import CONSUMERS

CHALICELIB = Path(__file__).parents[2] / "chalicelib"


def _emitted() -> dict[str, str]:
    """Event type → a file that emits it, from the literal second argument of each `outbox.emit`."""
    found = {}
    for path in CHALICELIB.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "outbox.emit":
                event_type = node.args[1]
                assert isinstance(event_type, ast.Constant), f"{path}: {ast.unparse(event_type)} is not a literal"
                found[str(event_type.value)] = str(path.relative_to(CHALICELIB))
    return found


def test_every_event_is_heard_and_every_listener_hears_something() -> None:
    assert _emitted().keys() == CONSUMERS.keys()
