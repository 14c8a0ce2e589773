"""The house rules that a machine can hold: who may import whom, who may read time and settings, how long things get.

Each rule is stated in docs/architecture.md; `make check` runs the same import contracts on their own.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app.py", "chalicelib", "ws_handlers", "infra", "bench")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70


def python_files(*tops: str) -> list[Path]:
    found: list[Path] = []
    for top in tops:
        path = ROOT / top
        found += [path] if path.is_file() else sorted(p for p in path.rglob("*.py") if "node_modules" not in p.parts)
    return found


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("chalicelib", cache_dir=None)


def test_import_contracts_of_pyproject_are_kept() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_store_is_imported_only_by_its_own_capability() -> None:
    foreign = [
        f"{importer} imports {module}"
        for module in sorted(graph().modules)
        if re.fullmatch(r"chalicelib\.\w+\.store(\.\w+)?", module)
        for importer in sorted(graph().find_modules_that_directly_import(module))
        if importer.split(".")[1] != module.split(".")[1]
    ]
    assert foreign == []


def says_pure() -> Iterator[str]:
    for path in python_files("chalicelib"):
        if re.search(r"\bPure\b", ast.get_docstring(ast.parse(path.read_text())) or ""):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_what_says_that_it_is_pure_reaches_nothing_outside() -> None:
    """By the graph: neither itself nor what it imports may know a cloud, a store or a web framework."""
    whole = grimp.build_graph("chalicelib", include_external_packages=True, cache_dir=None)
    outside = {"chalice", "boto3", "botocore", "pynamodb", "stripe"} & set(whole.modules)
    pure = set(says_pure())
    assert {"chalicelib.ocpp.repairs", "chalicelib.charging.model.transactions"} <= pure
    assert len(outside) >= 4
    offenders = [
        f"{module} reaches {package}"
        for module in sorted(pure)
        for package in sorted(outside)
        if whole.chain_exists(module, package)
    ]
    assert offenders == []


@pytest.mark.parametrize("path", python_files(*PRODUCT, "tests"), ids=relative)
def test_a_file_and_its_functions_stay_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_FILE_LINES, "a longer file is a design question: split it by noun"
    too_long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert too_long == []


@pytest.mark.parametrize("path", python_files("app.py", "chalicelib", "ws_handlers"), ids=relative)
def test_every_module_says_what_it_is(path: Path) -> None:
    if path.read_text().strip():
        assert ast.get_docstring(ast.parse(path.read_text())), "a module begins by saying what it is"


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


def test_only_the_clock_reads_time() -> None:
    readers = {"datetime.now", "datetime.utcnow", "time.time", "date.today", "datetime.today", "time.time_ns"}
    offenders = [
        f"{relative(path)}: {call}"
        for path in python_files("app.py", "chalicelib", "ws_handlers")
        if relative(path) != "chalicelib/kernel/clock.py"
        for call in calls(path)
        if call in readers
    ]
    assert offenders == []


def test_only_the_context_reads_the_environment() -> None:
    offenders = [
        f"{relative(path)}: {call}"
        for path in python_files("app.py", "chalicelib", "ws_handlers")
        if relative(path) != "chalicelib/kernel/context.py"
        for call in calls(path)
        if call in {"os.environ", "os.getenv"}
    ]
    assert offenders == []


def test_money_and_input_are_never_checked_by_assert() -> None:
    offenders = [
        f"{relative(path)}:{node.lineno}"
        for path in python_files("app.py", "chalicelib", "ws_handlers")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    ]
    assert offenders == []


COMMITTING_SERVICES = {
    # One outage is told per commit, so that one lost race does not keep the others from being told.
    "chalicelib/monitoring/service.py",
    # The end of a session that lost its stop is a fact of its own, before the start that revealed it.
    "chalicelib/charging/service/opening.py",
    # A driver who looks is shown what is there, whatever becomes of the question to the charger.
    "chalicelib/charging/service/freshening.py",
    # A mail is marked as sent after the provider took it: between two commits, like every call to the outside.
    "chalicelib/notifications/service.py",
    # What guards against guessing is counted although the request is refused.
    "chalicelib/identity/service/codes.py",
    "chalicelib/identity/service/guessing.py",
    "chalicelib/identity/service/organizations.py",
    "chalicelib/identity/service/signing_in.py",
    # That a machine's key was used is noted after the answer, once an hour.
    "chalicelib/identity/service/api_keys.py",
}
"""The entry point commits once (docs/architecture.md); each exception has its reason here."""


def test_services_do_not_commit() -> None:
    committing = {
        relative(path)
        for path in python_files("chalicelib")
        if re.match(r"chalicelib/(?!kernel)\w+/service", relative(path))
        and re.search(r"\b(uow\.commit|decide_and_commit)\(", path.read_text())
    }
    assert committing == COMMITTING_SERVICES, "a new committing service needs a reason in the list"


def test_our_own_code_is_not_patched() -> None:
    banned = re.compile(r"mock\.patch|monkeypatch\.setattr\(\s*[\"']?(chalicelib|ws_handlers|infra|app)\b")
    offenders = [
        relative(path) for path in python_files("tests") if banned.search(path.read_text()) and path != Path(__file__)
    ]
    assert offenders == []
