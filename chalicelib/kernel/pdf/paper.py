"""The layout: blocks become lines of text at places on pages, and those a PDF file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from chalicelib.kernel.pdf.fonts import Face, load

Align = Literal["left", "right"]

WIDTH, HEIGHT = 595.28, 841.89  # A4 in points
MARGIN: Final = 50.0
BOTTOM: Final = 60.0
SIZE: Final = 9.0
LEADING: Final = 1.35
HEADING_SIZES: Final = {1: 16.0, 2: 11.0}
GAP: Final = 6.0
LABEL_WIDTH: Final = 140.0
MOST_PAGES: Final = 1000


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 1


@dataclass(frozen=True)
class Text:
    """Lines are broken at spaces; `\\n` breaks too."""

    text: str
    face: Face = "regular"


@dataclass(frozen=True)
class Pairs:
    """Labels and their values, one under the other; those without a value are left out."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Column:
    """`share` of the width, against those of the other columns."""

    title: str
    share: float
    align: Align = "left"


@dataclass(frozen=True)
class Table:
    """Its head stands on each page again. `totals` are rows in bold, kept with the last row."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    totals: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Space:
    points: float = 12.0


Block = Heading | Text | Pairs | Table | Space


@dataclass(frozen=True)
class _Line:
    """One piece of text: `x` and `y` in points from the lower left."""

    x: float
    y: float
    text: str
    face: Face
    size: float


@dataclass
class _Page:
    lines: list[_Line] = field(default_factory=list)
    rules: list[float] = field(default_factory=list)


@dataclass
class _Layout:
    pages: list[_Page] = field(default_factory=lambda: [_Page()])
    y: float = HEIGHT - MARGIN

    def room_for(self, height: float) -> bool:
        return self.y - height >= BOTTOM

    def break_page(self) -> None:
        if len(self.pages) >= MOST_PAGES:
            raise ValueError("a document has no end")
        self.pages.append(_Page())
        self.y = HEIGHT - MARGIN

    def add(self, block: Block) -> None:
        if isinstance(block, Heading):
            self._paragraph(block.text, "bold", HEADING_SIZES[block.level], 0.0, WIDTH - 2 * MARGIN)
            self.y -= GAP
        elif isinstance(block, Text):
            self._paragraph(block.text, block.face, SIZE, 0.0, WIDTH - 2 * MARGIN)
        elif isinstance(block, Pairs):
            self._pairs(block)
        elif isinstance(block, Space):
            self.y -= block.points
        else:
            self._table(block)

    def _paragraph(self, text: str, face: Face, size: float, left: float, width: float) -> None:
        for line in broken(text, face, size, width):
            if not self.room_for(size * LEADING):
                self.break_page()
            self.y -= size * LEADING
            self._write(MARGIN + left, line, face, size)

    def _pairs(self, block: Pairs) -> None:
        columns = [Column("", LABEL_WIDTH), Column("", WIDTH - 2 * MARGIN - LABEL_WIDTH)]
        for label, value in block.pairs:
            if value:
                self._row(columns, (label, value), "regular")

    def _table(self, table: Table) -> None:
        self._head(table.columns)
        for number, row in enumerate(table.rows):
            is_last = number == len(table.rows) - 1
            height = self._row_height(table.columns, row, "regular")
            height += sum(self._row_height(table.columns, each, "bold") for each in table.totals) if is_last else 0
            if not self.room_for(height + GAP) and self.y < HEIGHT - 2 * MARGIN:
                self.break_page()
                self._head(table.columns)
            self._row(table.columns, row, "regular")
        self._rule()
        for row in table.totals:
            self._row(table.columns, row, "bold")

    def _head(self, columns: Sequence[Column]) -> None:
        titles = [column.title for column in columns]
        if not self.room_for(3 * self._row_height(columns, titles, "bold")):
            self.break_page()
        self._row(columns, titles, "bold")
        self._rule()

    def _rule(self) -> None:
        self.y -= GAP / 2
        self.pages[-1].rules.append(self.y)
        self.y -= GAP / 4

    def _row(self, columns: Sequence[Column], cells: Sequence[str], face: Face) -> None:
        """A row that is longer than a page goes on on the next."""
        shown = [broken(cell, face, SIZE, width) for cell, (_, width) in zip(cells, _edges(columns), strict=True)]
        for number in range(max((len(lines) for lines in shown), default=0)):
            if not self.room_for(SIZE * LEADING):
                self.break_page()
            self.y -= SIZE * LEADING
            for column, lines, (left, width) in zip(columns, shown, _edges(columns), strict=True):
                if number < len(lines):
                    indent = width - _width(lines[number], face, SIZE) if column.align == "right" else 0.0
                    self._write(MARGIN + left + indent, lines[number], face, SIZE)

    def _row_height(self, columns: Sequence[Column], cells: Sequence[str], face: Face) -> float:
        edges = _edges(columns)
        most = max(len(broken(cell, face, SIZE, width)) for cell, (_, width) in zip(cells, edges, strict=True))
        return most * SIZE * LEADING

    def _write(self, x: float, text: str, face: Face, size: float) -> None:
        if text:
            self.pages[-1].lines.append(_Line(round(x, 2), round(self.y, 2), text, face, size))


@lru_cache(maxsize=4096)
def broken(text: str, face: Face, size: float, width: float) -> tuple[str, ...]:
    """The lines of a text that is no wider than `width` points; a word that is, is broken in itself."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if _width(longer, face, size) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            *whole, line = _pieces(word, face, size, width)
            lines += whole
        lines.append(line)
    return tuple(lines)


def _pieces(word: str, face: Face, size: float, width: float) -> list[str]:
    pieces = [""]
    for letter in word:
        if pieces[-1] and _width(pieces[-1] + letter, face, size) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _width(text: str, face: Face, size: float) -> float:
    return load(face).width(text) * size / 1000


def _edges(columns: Sequence[Column]) -> list[tuple[float, float]]:
    """Left edge and width of each column, a gap kept between them."""
    total = sum(column.share for column in columns)
    edges, left = [], 0.0
    for column in columns:
        width = (WIDTH - 2 * MARGIN) * column.share / total
        edges.append((left, width - GAP))
        left += width
    return edges


def render(title: str, blocks: Sequence[Block], footer: str = "", language: str = "en") -> bytes:
    """The PDF file. `footer` stands on each page, with its number."""
    layout = _Layout()
    for block in blocks:
        layout.add(block)
    for number, page in enumerate(layout.pages, start=1):
        numbered = f"{number} / {len(layout.pages)}"
        page.lines.append(_Line(MARGIN, BOTTOM / 2, footer, "regular", 8.0))
        right = WIDTH - MARGIN - _width(numbered, "regular", 8.0)
        page.lines.append(_Line(round(right, 2), BOTTOM / 2, numbered, "regular", 8.0))
    return _file(title, layout.pages, language)


def _file(title: str, pages: Sequence[_Page], language: str) -> bytes:
    import pydyf

    document = pydyf.PDF()
    document.info["Title"] = pydyf.String(title)
    document.catalog["Lang"] = pydyf.String(language)
    texts: dict[Face, str] = {"regular": "", "bold": ""}
    for page in pages:
        for line in page.lines:
            texts[line.face] += line.text
    fonts = {face: _add_font(document, face, text) for face, text in texts.items()}
    for page in pages:
        _add_page(document, page, fonts)
    target = io.BytesIO()
    # A reader tells files apart by their identifier: it is made of what they say.
    said = "\n".join(line.text for page in pages for line in page.lines)
    document.write(target, identifier=hashlib.sha256(said.encode()).hexdigest()[:32].encode(), compress=True)
    return target.getvalue()


def _add_page(document: Any, page: _Page, fonts: dict[Face, Any]) -> None:
    import pydyf

    stream = pydyf.Stream(compress=True)
    stream.set_line_width(0.5)
    for y in page.rules:
        stream.move_to(MARGIN, round(y, 2))
        stream.line_to(WIDTH - MARGIN, round(y, 2))
        stream.stroke()
    for line in page.lines:
        stream.begin_text()
        stream.set_font_size(line.face, line.size)
        stream.set_text_matrix(1, 0, 0, 1, line.x, line.y)
        _show(stream, line)
        stream.end_text()
    document.add_object(stream)
    document.add_page(
        pydyf.Dictionary(
            {
                "Type": "/Page",
                "Parent": document.pages.reference,
                "MediaBox": pydyf.Array([0, 0, WIDTH, HEIGHT]),
                "Contents": stream.reference,
                "Resources": pydyf.Dictionary({"Font": pydyf.Dictionary(fonts)}),
            }
        )
    )


def _show(stream: Any, line: _Line) -> None:
    glyphs = "".join(f"{glyph:04x}" for glyph in load(line.face).glyphs(line.text))
    stream.stream.append(f"<{glyphs}> Tj".encode())


def _add_font(document: Any, face: Face, text: str) -> Any:
    """A composite font with the glyphs in use (ISO 32000-1, 9.7), and the way back to letters for who copies text."""
    import pydyf

    font = load(face)
    letters = font.letters_of(text)
    name = f"/WATTFR+Roboto-{face.capitalize()}"
    program = pydyf.Stream([font.subset(letters)], compress=True)
    to_unicode = pydyf.Stream([_to_unicode(letters)], compress=True)
    descriptor = pydyf.Dictionary(
        {
            "Type": "/FontDescriptor",
            "FontName": name,
            "Flags": 4,
            "FontBBox": pydyf.Array(font.box),
            "ItalicAngle": 0,
            "Ascent": font.ascent,
            "Descent": font.descent,
            "CapHeight": font.ascent,
            "StemV": 80,
        }
    )
    for each in (program, to_unicode):
        document.add_object(each)
    descriptor["FontFile2"] = program.reference
    document.add_object(descriptor)
    widths = [part for glyph in sorted(letters) for part in (glyph, pydyf.Array([font.glyph_width(glyph)]))]
    descendant = pydyf.Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/CIDFontType2",
            "BaseFont": name,
            "CIDSystemInfo": pydyf.Dictionary(
                {"Registry": pydyf.String("Adobe"), "Ordering": pydyf.String("Identity"), "Supplement": 0}
            ),
            "FontDescriptor": descriptor.reference,
            "CIDToGIDMap": "/Identity",
            "W": pydyf.Array(widths),
        }
    )
    document.add_object(descendant)
    composite = pydyf.Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/Type0",
            "BaseFont": name,
            "Encoding": "/Identity-H",
            "DescendantFonts": pydyf.Array([descendant.reference]),
            "ToUnicode": to_unicode.reference,
        }
    )
    document.add_object(composite)
    return composite.reference


def _to_unicode(letters: dict[int, str]) -> bytes:
    """The CMap from glyphs to UTF-16 (ISO 32000-1, 9.10.3), in blocks of a hundred as it asks."""
    pairs = [f"<{glyph:04x}> <{letter.encode('utf-16-be').hex()}>" for glyph, letter in sorted(letters.items())]
    blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]
    mapped = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return f"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
{mapped}
endcmap
CMapName currentdict /CMap defineresource pop
end
end""".encode()
