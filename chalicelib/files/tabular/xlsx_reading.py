"""Reads the first sheet of an XLSX workbook.

A workbook is a zip that a stranger made: how much it holds is bounded before anything of it is read
(`xlsx_bounds.py`), and so are the rows and columns that it claims to have. Formulas are never worked out: a cell with
one is a fault of its row.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from chalicelib.files.model import Cell, Fault, SheetRow
from chalicelib.files.model.cells import MAX_COLUMNS, MAX_ROWS, as_text
from chalicelib.files.tabular.xlsx_bounds import Malformed, TooLarge, check_bounds
from chalicelib.kernel.errors import DomainError, invalid

_POINTER: Final = "/content"
_BAD_CONTENT: Final = (
    *(ParseError, zipfile.BadZipFile, zlib.error, EOFError, ArithmeticError, LookupError),
    *(AttributeError, NotImplementedError, OSError, RuntimeError, TypeError, ValueError),
)
"""What the parsers below raise for files that are none: openpyxl has no error of its own for most of them."""
_FORMULA: Final = Fault("cell.formula", "The cell holds a formula: paste its value instead.")
_ERROR: Final = Fault("cell.error", "The cell shows an error.")


def read_rows(content: bytes) -> Iterator[SheetRow]:
    """The rows of the first sheet with their numbers. Raises import.too_large, import.unreadable (422)."""
    _check_bounds(content)
    for number, row in enumerate(_rows_of(content), start=1):
        yield SheetRow(number, _trimmed([_cell(cell) for cell in row]))


def _rows_of(content: bytes) -> Iterator[tuple[Any, ...]]:
    """What openpyxl reads, and nothing of ours: a mistake of our own must not pass for an unreadable file."""
    # 40 ms and some MB that nobody else needs.
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        # Two rows more than may be, and a column: so that too many are noticed.
        yield from sheet.iter_rows(max_row=MAX_ROWS * 2, max_col=MAX_COLUMNS + 1)
    except _BAD_CONTENT as error:
        raise _unreadable() from error


def _trimmed(cells: list[Cell]) -> list[Cell]:
    while cells and cells[-1] == "":
        cells.pop()
    return cells


def _cell(cell: Any) -> Cell:
    if cell.data_type == "f":
        return _FORMULA
    return _ERROR if cell.data_type == "e" else as_text(cell.value)


def _check_bounds(content: bytes) -> None:
    try:
        check_bounds(content)
    except TooLarge:
        detail = "The workbook is too large when unpacked: keep one sheet of data."
        raise invalid("import.too_large", detail, _POINTER) from None
    except (Malformed, *_BAD_CONTENT) as error:
        raise _unreadable() from error


def _unreadable() -> DomainError:
    return invalid("import.unreadable", "The file is not an XLSX workbook that can be read.", _POINTER)
