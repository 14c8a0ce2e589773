"""The list of differences is exactly what the cases prove: no entry without a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.dynamodb.differences import DIFFERENCES

CASES = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_every_difference_has_a_case(difference: str) -> None:
    assert f'"{difference}"' in CASES
