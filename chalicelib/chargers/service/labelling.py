"""QR labels as files: SVG with all text as it is, PDF for the printer.

A PDF carries the fonts every reader has, which know the letters of Western European languages (Windows-1252). A line
with other letters is left out of it: the code, the connector and the charger's identity are never among them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from chalicelib.chargers.model import Charger, Location
from chalicelib.chargers.model.labels import MAX_LABELS, Cell, Font, Label, Sheet, Text, dark_runs, side_of
from chalicelib.chargers.model.places import Evse, code_url
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid

_POINTS_PER_MM: Final = 72 / 25.4
_PDF_FONTS: Final[dict[Font, str]] = {"sans": "Helvetica", "bold": "Helvetica-Bold", "mono": "Courier-Bold"}
_SVG_FONTS: Final[dict[Font, str]] = {
    "sans": 'font-family="Helvetica, Arial, sans-serif"',
    "bold": 'font-family="Helvetica, Arial, sans-serif" font-weight="bold"',
    "mono": 'font-family="Courier New, Courier, monospace" font-weight="bold"',
}
_CUT_WIDTH_MM: Final = 0.1


def labels_of(
    ctx: Context, charger: Charger, evses: Iterable[Evse], location: Location | None, operator_name: str
) -> list[Label]:
    """One label per connector that has a code, in order."""
    connectors = [evse for evse in evses if evse.evse_no > 0]
    return [
        Label(
            url=code_url(ctx.settings.public_url, evse.code),
            code=evse.code,
            charger=charger.charger_id,
            letter=evse.letter,
            side=side_of(evse.letter, len(connectors)),
            location="" if location is None else ", ".join((location.name, location.city)),
            operator=operator_name,
        )
        for evse in connectors
        if evse.code
    ]


def check_label_count(labels: list[Label]) -> list[Label]:
    """Raises qr_labels.too_many (422): print them by charger."""
    if len(labels) > MAX_LABELS:
        raise invalid("qr_labels.too_many", f"A file has at most {MAX_LABELS} labels.", "")
    return labels


def code_as_svg(text: str, side_mm: float = 40.0) -> str:
    """A QR code alone, as an SVG image."""
    modules, runs = dark_runs(text)
    path = "".join(f"M{column} {row}h{length}v1h-{length}z" for column, row, length in runs)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side_mm:g}mm" height="{side_mm:g}mm" '
        f'viewBox="0 0 {modules} {modules}" shape-rendering="crispEdges"><title>{escape(text)}</title>'
        f'<path fill="#fff" d="M0 0h{modules}v{modules}h-{modules}z"/><path d="{path}"/></svg>'
    )


def sheet_as_svg(sheet: Sheet) -> str:
    """One page as an SVG document."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width:g}mm" height="{sheet.height:g}mm" '
        f'viewBox="0 0 {sheet.width:g} {sheet.height:g}">'
        f'<rect width="{sheet.width:g}" height="{sheet.height:g}" fill="#fff"/>'
    ]
    parts += [_cell_as_svg(cell, number) for number, cell in enumerate(sheet.cells)]
    return "".join((*parts, "</svg>"))


def _cell_as_svg(cell: Cell, number: int) -> str:
    bounds = f'x="{cell.x:g}" y="{cell.y:g}" width="{cell.width:g}" height="{cell.height:g}"'
    path = "".join(f"M{x:.3f} {y:.3f}h{w:.3f}v{h:.3f}h-{w:.3f}z" for x, y, w, h in cell.dark)
    name = quoteattr(f"label-{number}")
    texts = "".join(
        f'<text x="{text.x:.3f}" y="{text.y:.3f}" font-size="{text.size:g}" {_SVG_FONTS[text.font]}>'
        f"{escape(_printable(text.text))}</text>"
        for text in cell.texts
    )
    return (
        f'<clipPath id={name}><rect {bounds}/></clipPath><g clip-path="url(#label-{number})">'
        f'<rect {bounds} fill="none" stroke="#999" stroke-width="{_CUT_WIDTH_MM:g}" stroke-dasharray="1 2"/>'
        f'<path shape-rendering="crispEdges" d="{path}"/>{texts}</g>'
    )


def _printable(text: str) -> str:
    """XML has no way to say control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def sheets_as_pdf(sheets: Iterable[Sheet]) -> bytes:
    """All pages as one PDF document, of real size."""
    import pydyf

    document = pydyf.PDF()
    fonts: dict[str, Any] = {}
    for name, base in _PDF_FONTS.items():
        font = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type1",
                "BaseFont": f"/{base}",
                "Encoding": "/WinAnsiEncoding",
            }
        )
        document.add_object(font)
        fonts[name] = font.reference
    for sheet in sheets:
        _add_page(document, sheet, pydyf.Dictionary(fonts))
    target = io.BytesIO()
    document.write(target, compress=True)
    return target.getvalue()


def _add_page(document: Any, sheet: Sheet, fonts: Any) -> None:
    import pydyf

    stream = pydyf.Stream(compress=True)
    for cell in sheet.cells:
        stream.push_state()
        stream.rectangle(*_box(sheet, cell.x, cell.y, cell.width, cell.height))
        stream.clip()
        stream.end()
        stream.set_color_rgb(0.6, 0.6, 0.6, stroke=True)
        stream.set_line_width(_CUT_WIDTH_MM * _POINTS_PER_MM)
        stream.set_dash((3, 6), 0)
        stream.rectangle(*_box(sheet, cell.x, cell.y, cell.width, cell.height))
        stream.stroke()
        for dark in cell.dark:
            stream.rectangle(*_box(sheet, *dark))
        stream.fill()
        for text in cell.texts:
            _write_text(stream, sheet, text)
        stream.pop_state()
    document.add_object(stream)
    width, height = sheet.width * _POINTS_PER_MM, sheet.height * _POINTS_PER_MM
    document.add_page(
        pydyf.Dictionary(
            {
                "Type": "/Page",
                "Parent": document.pages.reference,
                "MediaBox": pydyf.Array([0, 0, round(width, 2), round(height, 2)]),
                "Contents": stream.reference,
                "Resources": pydyf.Dictionary({"Font": fonts}),
            }
        )
    )


def _box(sheet: Sheet, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    """In points, from the lower left as PDF wants it."""
    lower = sheet.height - y - height
    left, bottom, wide, high = (round(value * _POINTS_PER_MM, 3) for value in (x, lower, width, height))
    return left, bottom, wide, high


def _write_text(stream: Any, sheet: Sheet, text: Text) -> None:
    try:
        encoded = _printable(text.text).encode("cp1252")
    except UnicodeEncodeError:
        return
    for special in (b"\\", b"(", b")"):
        encoded = encoded.replace(special, b"\\" + special)
    x, y, _, _ = _box(sheet, text.x, text.y, 0, 0)
    stream.begin_text()
    stream.set_font_size(text.font, round(text.size * _POINTS_PER_MM, 2))
    stream.set_text_matrix(1, 0, 0, 1, x, y)
    stream.stream.append(b"(" + encoded + b") Tj")
    stream.end_text()
