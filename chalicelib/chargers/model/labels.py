"""QR labels: what is printed on them and where. Pure; `service/labelling.py` writes the pages as SVG and PDF.

What draws is imported on first use: labels are printed once, functions start often.

One label per connector, with its own code: a driver who scans it has chosen the connector. The code is printed as text
too, for people whose camera does not work. Lengths are millimetres from the upper left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

LabelSize = Literal["a4", "a6"]
Font = Literal["sans", "bold", "mono"]

ERROR_LEVEL: Final = "q"
"""A quarter of the code may be scratched off."""
QUIET_ZONE: Final = 4
"""Modules of white around the code (ISO/IEC 18004)."""
MAX_LABELS: Final = 1_200
"""Of one sheet: 100 pages."""

_WIDTH: Final = 70.0
_HEIGHT: Final = 74.25
_CODE_SIDE: Final = 46.0
_MARGIN: Final = 5.0
_MONO_ADVANCE: Final = 0.6
"""Width of a character of the monospaced font, by its size."""
_GROUP: Final = 4


@dataclass(frozen=True)
class Label:
    """What one label says. `side` is left or right on a charger with two connectors, else empty."""

    url: str
    code: str
    charger: str
    letter: str
    side: str
    location: str
    operator: str


@dataclass(frozen=True)
class Layout:
    """Pages of `columns` × `rows` labels, each `scale` times the label of an A4 sheet."""

    width: float
    height: float
    columns: int
    rows: int
    scale: float

    @property
    def labels_per_page(self) -> int:
        return self.columns * self.rows


LAYOUTS: Final[dict[LabelSize, Layout]] = {
    "a4": Layout(210.0, 297.0, columns=3, rows=4, scale=1.0),
    "a6": Layout(105.0, 148.0, columns=1, rows=1, scale=1.5),
}


@dataclass(frozen=True)
class Text:
    x: float
    y: float
    size: float
    font: Font
    text: str


@dataclass(frozen=True)
class Cell:
    """One label on its page: dark rectangles (x, y, width, height), texts by their baseline, and its own bounds."""

    x: float
    y: float
    width: float
    height: float
    dark: list[tuple[float, float, float, float]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


@dataclass(frozen=True)
class Sheet:
    """One page; labels are cut along the bounds of its cells."""

    width: float
    height: float
    cells: list[Cell]


def side_of(letter: str, connector_count: int) -> str:
    """A is left and B right where a charger has two connectors; with one or many there are no sides."""
    return {"A": "left", "B": "right"}.get(letter, "") if connector_count == 2 else ""


def sheets_of(labels: Sequence[Label], size: LabelSize) -> list[Sheet]:
    """The pages of these labels, in their order. At least one page."""
    layout = LAYOUTS[size]
    pages = [labels[start : start + layout.labels_per_page] for start in range(0, len(labels), layout.labels_per_page)]
    return [Sheet(layout.width, layout.height, list(_cells(page, layout))) for page in pages or [[]]]


def grouped(code: str) -> str:
    """A code as people read it: in groups of four."""
    return " ".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def dark_runs(text: str) -> tuple[int, list[tuple[int, int, int]]]:
    """The QR code of a text: modules per side with the quiet zone, and (column, row, length) of its dark runs."""
    import segno

    code = segno.make_qr(text, error=ERROR_LEVEL, boost_error=False)
    runs: list[tuple[int, int, int]] = []
    for row, line in enumerate(code.matrix):
        column = 0
        while column < len(line):
            length = 0
            while column + length < len(line) and line[column + length] & 1:
                length += 1
            if length:
                runs.append((column + QUIET_ZONE, row + QUIET_ZONE, length))
            column += max(length, 1)
    return len(code.matrix) + 2 * QUIET_ZONE, runs


def _cells(labels: Sequence[Label], layout: Layout) -> Iterator[Cell]:
    width, height = _WIDTH * layout.scale, _HEIGHT * layout.scale
    left = (layout.width - layout.columns * width) / 2
    top = (layout.height - layout.rows * height) / 2
    for position, label in enumerate(labels):
        row, column = divmod(position, layout.columns)
        yield _cell(label, left + column * width, top + row * height, layout.scale)


def _cell(label: Label, x: float, y: float, scale: float) -> Cell:
    cell = Cell(x, y, _WIDTH * scale, _HEIGHT * scale)
    modules, runs = dark_runs(label.url)
    module = _CODE_SIDE * scale / modules
    code_x = x + (_WIDTH - _CODE_SIDE) * scale / 2
    code_y = y + 3 * scale
    cell.dark.extend(
        (code_x + column * module, code_y + row * module, length * module, module) for column, row, length in runs
    )
    shown = grouped(label.code)
    code_width = len(shown) * 6.0 * _MONO_ADVANCE
    connector = f"{label.letter} ({label.side})" if label.side else label.letter
    lines: tuple[tuple[float, float, float, Font, str], ...] = (
        ((_WIDTH - code_width) / 2, 54.0, 6.0, "mono", shown),
        (_MARGIN, 60.0, 4.2, "bold", f"{label.charger} · {connector}"),
        (_MARGIN, 64.5, 3.4, "sans", label.location),
        (_MARGIN, 68.5, 3.0, "sans", label.operator),
        (_MARGIN, 72.0, 2.4, "sans", label.url),
    )
    cell.texts.extend(
        Text(x + left * scale, y + baseline * scale, size * scale, font, text)
        for left, baseline, size, font, text in lines
    )
    return cell
