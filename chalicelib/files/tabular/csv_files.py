"""CSV (RFC 4180): written as UTF-8 with a byte order mark, which spreadsheets need to see that it is; read in what
spreadsheets write: UTF-8, or UTF-16 with a mark, with commas, semicolons or tabs.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from chalicelib.files.model import OutColumn, SheetRow, guard
from chalicelib.files.model.cells import MAX_COLUMNS, read_text
from chalicelib.kernel.errors import invalid

_DELIMITERS: Final = ",;\t"
_POINTER: Final = "/content"


def read_rows(content: bytes) -> Iterator[SheetRow]:
    """The rows with their numbers, header first. Raises import.encoding, import.unreadable (422)."""
    text = _decoded(content)
    # Strict: a quote that nothing closes would take all rows after it into one cell, without a word.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            yield SheetRow(number, [read_text(cell) for cell in row[: MAX_COLUMNS + 1]])
    except csv.Error as error:
        detail = f"From row {number + 1} on the file is not CSV: {error}."
        raise invalid("import.unreadable", detail, _POINTER) from None


def write_table(columns: Sequence[OutColumn], rows: Iterable[Sequence[Any]]) -> str:
    """The table with its header, guarded against formulas. Without a byte order mark."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([guard(column.name) for column in columns])
    for row in rows:
        writer.writerow([_text(column, value) for column, value in zip(columns, row, strict=True)])
    return written.getvalue()


def _text(column: OutColumn, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # Numbers are ours: a minus before one is no formula.
    return str(value) if column.type in ("integer", "decimal") else guard(str(value))


def _decoded(content: bytes) -> str:
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        detail = "The file is neither UTF-8 nor UTF-16 with a byte order mark: save it as “CSV UTF-8”."
        raise invalid("import.encoding", detail, _POINTER) from None


def _delimiter(text: str) -> str:
    """What stands most often in the header, outside of quotes; a comma if nothing does."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for letter in text.lstrip("\r\n"):
        if letter == '"':
            quoted = not quoted
        elif letter in "\r\n" and not quoted:
            break
        elif letter in counts and not quoted:
            counts[letter] += 1
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])
