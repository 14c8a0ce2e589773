"""Cells of a table: what they may hold, and how a spreadsheet is kept from running them. Pure.

What begins like a formula is written with an apostrophe before it, and read without it again, so that what goes out
comes back the same (`unguard(guard(text)) == text` for every text). Also within a text: where lists are separated by
semicolons a spreadsheet cuts our lines at those, wherever they stand, and what follows one is a cell of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, Literal

MAX_ROWS: Final = 10_000
MAX_COLUMNS: Final = 60
MAX_CELL_CHARS: Final = 1_000

FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")
"""What makes a spreadsheet take a text for a formula (OWASP, CSV Injection); Japanese ones also take the wide signs."""
_WITHIN: Final = re.compile(r"""([;\t\r\n]"*)('*)(?=[=+\-@＝＋－＠])""")
"""Where a spreadsheet could see another cell begin, with a formula: after what cuts there, quotes that it swallows and
apostrophes that we or others wrote."""
_UNREADABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff￾￿]")

ColumnType = Literal["text", "integer", "boolean", "moment"]
Value = str | int | bool | datetime | None

_TRUTHS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Fault:
    """Why a cell is of no use. `code` is stable, `detail` a sentence."""

    code: str
    detail: str


class Truth(str):
    """The text of a cell that holds no text but true or false."""


Cell = str | Fault
"""A cell as it was read: its text, empty for none."""


@dataclass(frozen=True)
class SheetRow:
    """`number` is the row's in the spreadsheet: the header is 1."""

    number: int
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Column:
    """A column of an import. `example` stands in the template, `note` on its sheet of notes."""

    name: str
    note: str
    example: str = ""
    required: bool = False
    type: ColumnType = "text"
    unique: bool = False
    """No two rows of a file may have the same here."""


def guard(text: str) -> str:
    """The text as it is written: with an apostrophe wherever a spreadsheet could take it for a formula."""
    text = _WITHIN.sub(r"\1\2'", text)
    return f"'{text}" if _needs_guard(text) else text


def unguard(text: str) -> str:
    """The text that `guard` was given."""
    text = text[1:] if text.startswith("'") and _needs_guard(text) else text
    return _WITHIN.sub(lambda found: found[1] + found[2][1:], text)


def _needs_guard(text: str) -> bool:
    # With apostrophes of its own before the sign, so that each `unguard` takes off exactly one `guard`.
    return text.lstrip("'").startswith(FORMULA_STARTS)


def read_text(text: str) -> Cell:
    """A cell's text as it is meant, or what is wrong with it."""
    text = unguard(text)
    if len(text) > MAX_CELL_CHARS:
        return Fault("cell.too_long", f"A cell has at most {MAX_CELL_CHARS} characters.")
    if _UNREADABLE.search(text):
        return Fault("cell.unreadable", "The cell has a character that is none.")
    return text.strip()


def parse(column: Column, text: str) -> Value | Fault:
    """The value of a cell that is not empty."""
    if column.type == "integer":
        if re.fullmatch(r"[+-]?[0-9]{1,12}", text):
            return int(text)
        return Fault("cell.not_a_number", "The cell is not a whole number.")
    if column.type == "boolean":
        truth = _TRUTHS.get(text.casefold())
        return Fault("cell.not_a_truth", "The cell is not true or false.") if truth is None else truth
    if column.type == "moment":
        return _moment(text)
    return text


def _moment(text: str) -> datetime | Fault:
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return Fault("cell.not_a_moment", "The cell is not a date, or a date and time (2026-12-31T18:00:00Z).")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_text(value: Any) -> Cell:
    """The text that a spreadsheet's own value stands for."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return Truth("true" if value else "false")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        if not value.is_integer():
            return repr(value)
        value = int(value)
    if isinstance(value, int):
        # A spreadsheet keeps 15 digits; of a longer card number it has lost the rest, and the cell does not show it.
        if abs(value) >= 10**15:
            return Fault("cell.imprecise", "A number of more than 15 digits is not kept: make the column one of text.")
        return str(value)
    return read_text(str(value))
