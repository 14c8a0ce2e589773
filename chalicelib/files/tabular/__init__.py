"""Tables as files: what spreadsheets write is read, and the other way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from chalicelib.files.model import FileFormat, OutColumn, SheetRow
from chalicelib.files.tabular import csv_files, xlsx_reading, xlsx_writing
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.rest import XLSX_TYPE

CSV_TYPE: Final = "text/csv; charset=utf-8"
MEDIA_TYPES: Final[Mapping[FileFormat, str]] = {"csv": CSV_TYPE, "xlsx": XLSX_TYPE}

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How .xls begins, and every workbook that is encrypted (MS-CFB, 2.2)."""


def format_of(content: bytes) -> FileFormat:
    """By the content: file names lie, and every XLSX is a zip."""
    return "xlsx" if content.startswith(b"PK") else "csv"


def read_rows(content: bytes) -> Iterator[SheetRow]:
    """The rows of a file, header first. Raises import.unreadable, import.encoding, import.too_large (422)."""
    if content.startswith(_OLE):
        detail = "This is a workbook of an old form (.xls), or one with a password: save it as XLSX or CSV."
        raise invalid("import.unreadable", detail, "/content")
    return xlsx_reading.read_rows(content) if format_of(content) == "xlsx" else csv_files.read_rows(content)


def write_table(
    file_format: FileFormat,
    columns: Sequence[OutColumn],
    rows: Iterable[Sequence[Any]],
    notes: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A table as a file. `notes` stand on a sheet of their own, where the format has sheets."""
    if file_format == "xlsx":
        return xlsx_writing.write_table(columns, rows, notes)
    return csv_files.write_table(columns, rows).encode("utf-8-sig")
