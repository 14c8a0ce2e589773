"""Cells: guarded against formulas, and read back as they were meant."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.files.model import Column, Fault, OutColumn, guard, unguard
from chalicelib.files.model.cells import FORMULA_STARTS, MAX_CELL_CHARS, as_text, parse, read_text
from chalicelib.files.tabular.csv_files import write_table

anything = st.text(max_size=30) | st.text(alphabet="'=+-@;\"\t\r\n＝ a1", max_size=8)


@given(anything)
@example("'=a")
@example("''")
@example("'")
@example("=cmd|'/c calc'!A1")
@example("a;=1")
@example("a;\"'=1")
@example("\t=1")
def test_what_was_guarded_is_read_as_it_was(text: str) -> None:
    assert unguard(guard(text)) == text


@given(anything)
def test_nothing_that_is_written_is_a_formula(text: str) -> None:
    assert not guard(text).startswith(FORMULA_STARTS)


@given(anything)
@example("a;=HYPERLINK(1)")
@example('a;"=1')
def test_nothing_is_one_where_a_spreadsheet_cuts_at_semicolons(text: str) -> None:
    """As it does in half of Europe, whatever is quoted."""
    line = write_table([OutColumn("a"), OutColumn("b")], [["x", text]]).removeprefix("a,b\r\n")
    for cell in re.split(r"[;\t\r\n]", line):
        assert not cell.lstrip('"').startswith(("=", "+", "-", "@", "＝"))


@pytest.mark.parametrize("text", ["Ärger", "O'Neill", "'tis", "0042", "a=b", "", "Mo-Fr; 8-17", "a,-b"])
def test_harmless_texts_stay_as_they_are(text: str) -> None:
    assert guard(text) == text
    assert unguard(text) == text


def fault(code: str) -> object:
    class Named:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Fault) and other.code == code

        __hash__ = None  # type: ignore[assignment]

    return Named()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("  Dana  ", "Dana"),
        ("'+49 30 1", "+49 30 1"),
        ("x" * MAX_CELL_CHARS, "x" * MAX_CELL_CHARS),
        ("x" * (MAX_CELL_CHARS + 1), fault("cell.too_long")),
        ("nul\x00", fault("cell.unreadable")),
        ("\ud800", fault("cell.unreadable")),
        ("两行\n文字", "两行\n文字"),
    ],
)
def test_reading_a_text(text: str, read: object) -> None:
    assert read_text(text) == read


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (42, "42"),
        (42.0, "42"),
        (0.5, "0.5"),
        (datetime(2026, 12, 31, 18, 0), "2026-12-31T18:00:00"),  # noqa: DTZ001
        ("0042", "0042"),
        (999_999_999_999_999, "999999999999999"),
        (1_000_000_000_000_000, fault("cell.imprecise")),
        (1.0e15, fault("cell.imprecise")),
    ],
)
def test_values_of_a_spreadsheet_as_text(value: object, text: object) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "2", 2),
        ("integer", "2.5", fault("cell.not_a_number")),
        ("integer", "٢", fault("cell.not_a_number")),
        ("integer", "9" * 30, fault("cell.not_a_number")),
        ("boolean", "YES", True),
        ("boolean", "0", False),
        ("boolean", "maybe", fault("cell.not_a_truth")),
        ("moment", "2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
        ("moment", "2026-12-31 18:00", datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("moment", "2026-12-31T18:00:00+01:00", datetime(2026, 12, 31, 17, tzinfo=UTC)),
        ("moment", "31.12.2026", fault("cell.not_a_moment")),
        ("moment", "2026-02-30", fault("cell.not_a_moment")),
        ("text", "2026", "2026"),
    ],
)
def test_values_by_the_type_of_their_column(kind: str, text: str, value: object) -> None:
    assert parse(Column("c", "", type=kind), text) == value  # type: ignore[arg-type]
