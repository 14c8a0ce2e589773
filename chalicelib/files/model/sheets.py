"""From the rows of a table to the rows of an import: columns by their names, values by their types. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from chalicelib.files.model.cells import MAX_COLUMNS, MAX_ROWS, Column, Fault, SheetRow, Truth, parse
from chalicelib.kernel.errors import invalid

POINTER = "/content"
MAX_EMPTY_ROWS = 4 * MAX_ROWS
"""Further down nothing is looked for: a file of line ends alone is millions of rows."""


@dataclass(frozen=True)
class RowError:
    """One fault in a file. `row` as the spreadsheet counts; without a `column` it is about the whole row."""

    row: int
    code: str
    detail: str
    column: str | None = None


@dataclass(frozen=True)
class InputRow:
    """A row as it is kept until its turn: texts by column, without the empty ones, and what is known to be wrong."""

    number: int
    values: dict[str, str]
    faults: list[RowError] = field(default_factory=list)


def input_rows(columns: Sequence[Column], rows: Iterable[SheetRow]) -> list[InputRow]:
    """The rows under the header, empty ones passed over.

    Raises (all 422) import.empty, import.unknown_column, import.repeated_column, import.missing_column,
    import.too_many_columns, import.too_many_rows.
    """
    steps = iter(rows)
    header = _header(columns, next(steps, None))
    texts = {column.name for column in columns if column.type == "text"}
    unique = [column.name for column in columns if column.unique]
    seen: dict[tuple[str, str], int] = {}
    found: list[InputRow] = []
    for row in steps:
        read = _row(header, row, texts)
        if row.number <= MAX_EMPTY_ROWS and not read.values and not read.faults:
            continue
        if len(found) == MAX_ROWS or row.number > MAX_EMPTY_ROWS:
            raise invalid("import.too_many_rows", f"A file has at most {MAX_ROWS} rows; split it.", POINTER)
        _note_repeats(read, unique, seen)
        found.append(read)
    if not found:
        raise invalid("import.empty", "The file has no rows under its header.", POINTER)
    return found


def typed(columns: Sequence[Column], row: InputRow) -> tuple[dict[str, object], list[RowError]]:
    """The values of a row by column, and every fault of its cells."""
    values: dict[str, object] = {}
    faults = list(row.faults)
    for column in columns:
        text = row.values.get(column.name)
        if text is None:
            if column.required and all(fault.column != column.name for fault in faults):
                faults.append(RowError(row.number, "cell.missing", "The cell must not be empty.", column.name))
            continue
        value = parse(column, text)
        if isinstance(value, Fault):
            faults.append(RowError(row.number, value.code, value.detail, column.name))
        else:
            values[column.name] = value
    return values, faults


def _header(columns: Sequence[Column], row: SheetRow | None) -> list[str]:
    cells = [] if row is None else [_name(cell) for cell in row.cells]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        raise invalid("import.empty", "The file has no header.", POINTER)
    if len(cells) > MAX_COLUMNS:
        raise invalid("import.too_many_columns", f"A file has at most {MAX_COLUMNS} columns.", POINTER)
    known = [column.name for column in columns]
    for place, name in enumerate(cells):
        if name not in known:
            raise invalid(
                "import.unknown_column", f"There is no column {name!r}; there are {', '.join(known)}.", POINTER
            )
        if name in cells[:place]:
            raise invalid("import.repeated_column", f"The column {name!r} is there twice.", POINTER)
    for column in columns:
        if column.required and column.name not in cells:
            raise invalid("import.missing_column", f"The file needs the column {column.name!r}.", POINTER)
    return cells


def _name(cell: str | Fault) -> str:
    if isinstance(cell, Fault):
        return "?"
    return cell.strip().rstrip("*").strip().casefold().replace(" ", "_")[:100]


def _row(header: Sequence[str], row: SheetRow, texts: Set[str]) -> InputRow:
    values: dict[str, str] = {}
    faults: list[RowError] = []
    for name, cell in zip(header, row.cells, strict=False):
        if isinstance(cell, Fault):
            faults.append(RowError(row.number, cell.code, cell.detail, name))
        elif isinstance(cell, Truth) and name in texts:
            detail = "The cell is true or false, no text: make the column one of text."
            faults.append(RowError(row.number, "cell.not_a_text", detail, name))
        elif cell:
            values[name] = str(cell)
    if any(row.cells[len(header) :]):
        faults.append(RowError(row.number, "row.too_long", "The row has more cells than the header."))
    return InputRow(row.number, values, faults)


def _note_repeats(row: InputRow, unique: Sequence[str], seen: dict[tuple[str, str], int]) -> None:
    for name in unique:
        text = row.values.get(name, "").casefold()
        if not text:
            continue
        first = seen.setdefault((name, text), row.number)
        if first != row.number:
            row.faults.append(RowError(row.number, "row.repeated", f"Row {first} has the same {name}.", name))
