"""Rows of an import: columns by name, faults by row as the spreadsheet counts."""

from __future__ import annotations

import pytest

from chalicelib.files.model import Column, Fault, InputRow, RowError, SheetRow, input_rows, typed
from chalicelib.files.model.cells import MAX_ROWS, as_text
from chalicelib.kernel.errors import DomainError

COLUMNS = (
    Column("email", "", required=True, unique=True),
    Column("name", ""),
    Column("count", "", type="integer"),
)


def sheet(*rows: list[object]) -> list[SheetRow]:
    return [SheetRow(number, cells) for number, cells in enumerate(rows, start=1)]  # type: ignore[arg-type]


def test_rows_keep_the_numbers_of_the_spreadsheet_and_empty_ones_are_passed_over() -> None:
    rows = input_rows(COLUMNS, sheet(["Name", " EMAIL* ", ""], ["A", "a@x"], ["", ""], ["B", "b@x", ""]))
    assert [(row.number, row.values) for row in rows] == [
        (2, {"name": "A", "email": "a@x"}),
        (4, {"name": "B", "email": "b@x"}),
    ]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "import.empty"),
        ([["", ""]], "import.empty"),
        ([["email"]], "import.empty"),
        ([["email"], [""]], "import.empty"),
        ([["name"], ["A"]], "import.missing_column"),
        ([["email", "emial"], ["a", "b"]], "import.unknown_column"),
        ([["email", "", "name"], ["a"]], "import.unknown_column"),
        ([["email", "EMAIL"], ["a", "b"]], "import.repeated_column"),
        ([[Fault("cell.formula", "")], ["a"]], "import.unknown_column"),
        ([[f"c{n}" for n in range(61)], ["a"]], "import.too_many_columns"),
        ([["email"], *([str(n)] for n in range(MAX_ROWS + 1))], "import.too_many_rows"),
    ],
)
def test_what_is_wrong_with_the_file_as_a_whole(rows: list[list[object]], code: str) -> None:
    with pytest.raises(DomainError) as refused:
        input_rows(COLUMNS, sheet(*rows))
    assert refused.value.code == code
    assert refused.value.fields[0].pointer == "/content"


def test_the_most_rows_that_may_be() -> None:
    assert len(input_rows(COLUMNS, sheet(["email"], *([str(n)] for n in range(MAX_ROWS))))) == MAX_ROWS


def test_a_value_twice_is_told_of_the_later_row() -> None:
    rows = input_rows(COLUMNS, sheet(["email"], ["a@x"], ["b@x"], ["A@X"]))
    assert [row.faults for row in rows[:2]] == [[], []]
    assert rows[2].faults == [RowError(4, "row.repeated", "Row 2 has the same email.", "email")]


def test_faults_of_cells_and_of_rows_that_are_too_long() -> None:
    [row] = input_rows(COLUMNS, sheet(["email", "name"], [Fault("cell.formula", "No."), "A", "more"]))
    assert [(fault.code, fault.column) for fault in row.faults] == [("cell.formula", "email"), ("row.too_long", None)]
    assert [fault.code for fault in typed(COLUMNS, row)[1]] == ["cell.formula", "row.too_long"]


def test_typed_values_and_every_fault_of_a_row() -> None:
    values, faults = typed(COLUMNS, InputRow(7, {"email": "a@x", "count": "2"}))
    assert (values, faults) == ({"email": "a@x", "count": 2}, [])
    _, faults = typed(COLUMNS, InputRow(7, {"count": "two"}))
    assert [(fault.code, fault.column, fault.row) for fault in faults] == [
        ("cell.missing", "email", 7),
        ("cell.not_a_number", "count", 7),
    ]


def test_a_cell_that_is_true_or_false_is_no_text() -> None:
    columns = (*COLUMNS, Column("notify", "", type="boolean"))
    [row] = input_rows(columns, sheet(["email", "name", "notify"], ["a@x", as_text(True), as_text(False)]))
    values, faults = typed(columns, row)
    assert values == {"email": "a@x", "notify": False}
    assert [(fault.row, fault.column, fault.code) for fault in faults] == [(2, "name", "cell.not_a_text")]
    # What was typed as a text is one.
    [row] = input_rows(columns, sheet(["email", "name"], ["a@x", "true"]))
    assert row.values["name"] == "true"
    assert type(row.values["name"]) is str
