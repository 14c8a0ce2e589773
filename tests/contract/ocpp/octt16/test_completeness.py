"""No case is left out: each of the 77 ids is a test in this folder, or a reason why it is none."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.contract.ocpp.octt16.cases import ALL, NOT_DRIVEN


def played() -> list[str]:
    """The ids of the test functions, `test_tc_001_csms` is TC_001_CSMS."""
    functions = [
        node
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_tc_")
    ]
    untold = [function.name for function in functions if not ast.get_docstring(function)]
    assert not untold, f"these do not say what they do: {untold}"
    return [function.name.removeprefix("test_").upper() for function in functions]


def test_there_are_77_cases_and_each_is_played_once_or_excused() -> None:
    assert len(ALL) == 77
    ids = played()
    assert len(ids) == len(set(ids))
    assert set(ids) | set(NOT_DRIVEN) == ALL
    assert not set(ids) & set(NOT_DRIVEN)
