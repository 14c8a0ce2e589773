"""The audit log only grows: one module writes it, and what it writes is never changed or deleted.

By syntax: whoever names the table of the log outside of its store reads it, or is that module, creating rows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.identity.model import AuditEvent
from chalicelib.identity.store import AUDIT_EVENTS
from chalicelib.kernel.errors import StaleRead
from tests.architecture.test_house import python_files, relative
from tests.world import World

WRITER = "chalicelib/identity/service/auditing.py"
STORES = ("chalicelib/identity/store/", "chalicelib/identity/store.py")
READS = {"walk", "get", "query", "query_all", "batch_get"}
NAMES = {"AUDIT_EVENTS", "AuditEventRow"}
FILES = [path for path in python_files("app.py", "chalicelib", "ws_handlers") if not relative(path).startswith(STORES)]


def uses(tree: ast.AST) -> Iterator[str]:
    """How a module uses the log: `AUDIT_EVENTS.walk`, `uow.create`, or whatever it is, as it is written."""
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "AUDIT_EVENTS":
            parent = parents[node]
            if isinstance(parent, ast.Attribute):
                yield parent.attr
            elif isinstance(parent, ast.Call) and isinstance(parent.func, ast.Attribute):
                yield f"uow.{parent.func.attr}"
            else:
                yield ast.unparse(parent)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_only_one_module_writes_the_log_and_it_only_adds(path: Path) -> None:
    text = path.read_text()
    if not any(name in text for name in NAMES):
        return
    allowed = READS | ({"uow.create"} if relative(path) == WRITER else set())
    assert set(uses(ast.parse(text))) <= allowed


def test_the_rule_sees_what_it_forbids() -> None:
    forbidden = "uow.put(AUDIT_EVENTS, e); uow.delete(AUDIT_EVENTS, k); log = AUDIT_EVENTS; AUDIT_EVENTS.batch_put(c)"
    assert set(uses(ast.parse(forbidden))) == {"uow.put", "uow.delete", "log = AUDIT_EVENTS", "batch_put"}
    assert set(uses(ast.parse(Path(WRITER).read_text()))) == {"uow.create"}


def test_nobody_goes_around_the_table_by_the_row_s_key() -> None:
    """The key of the log is made in the store and in what reads it."""
    makers = {
        relative(path)
        for path in python_files("app.py", "chalicelib", "ws_handlers")
        if "audit_pk" in path.read_text() or '"audit#' in path.read_text() or "'audit#" in path.read_text()
    }
    assert {maker for maker in makers if not maker.startswith(STORES)} <= {"chalicelib/identity/service/audit_log.py"}


def test_a_record_of_the_same_id_is_refused(world: World) -> None:
    event = AuditEvent("aud_1", "org_1", "a", "thing", "t", world.clock.now(), "person", "usr_1")
    world.commit(lambda uow: uow.create(AUDIT_EVENTS, event))
    with pytest.raises(StaleRead):
        world.commit(lambda uow: uow.create(AUDIT_EVENTS, event))
