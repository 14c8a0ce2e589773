"""Writes a workbook: real numbers, real dates, and texts that stay texts. Of SpreadsheetML (ECMA-376) it uses what a
table needs: inline strings and a fixed set of styles.

Written by hand, for an export is laid out within the time of a request: openpyxl takes twenty times as long for its
cells. What is written here is read by openpyxl in the tests.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax.saxutils import escape

from chalicelib.files.model import OutColumn, guard

MAX_TEXT: Final = 32_000
"""Of one cell; the format's own limit is 32 767."""
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 (a spreadsheet's days have no zone)
_DATE_OF_FILES: Final = (1980, 1, 1, 0, 0, 0)

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_GENERAL, _BOLD, _TEXT, _MOMENT, _PLACES = 0, 1, 2, 3, 4
"""Places in `cellXfs`; from _PLACES on the numbers of 0 to 4 decimals."""
_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="5">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd hh:mm:ss"/><numFmt numFmtId="165" formatCode="0.0"/>'
    '<numFmt numFmtId="166" formatCode="0.000"/><numFmt numFmtId="167" formatCode="0.0000"/>'
    '<numFmt numFmtId="168" formatCode="0"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    "</fills><borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="9">'
    + "".join(
        f'<xf numFmtId="{number}" fontId="{font}" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for number, font in ((0, 0), (49, 1), (49, 0), (164, 0), (168, 0), (165, 0), (2, 0), (166, 0), (167, 0))
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_SHEET: Final = (
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" '
    'state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
)


def write_table(
    columns: Sequence[OutColumn], rows: Iterable[Sequence[Any]], notes: Sequence[tuple[str, str]] = ()
) -> bytes:
    """The table on a sheet with a frozen header, guarded against formulas; `notes` on a second sheet."""
    sheets = {"data": _sheet(columns, rows)}
    if notes:
        head, *explained = notes
        sheets["notes"] = _sheet([OutColumn(name) for name in head], explained)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zipped:
        for name, content in _files(sheets):
            zipped.writestr(zipfile.ZipInfo(name, _DATE_OF_FILES), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _sheet(columns: Sequence[OutColumn], rows: Iterable[Sequence[Any]]) -> str:
    writers = [_WRITERS[column.type] for column in columns]
    widths = "".join(
        f'<col min="{place}" max="{place}" width="{max(12, min(len(column.name) + 4, 40))}" customWidth="1" '
        f'style="{_TEXT if column.type == "text" else _GENERAL}"/>'
        for place, column in enumerate(columns, start=1)
    )
    head = "".join(_string(column.name, _BOLD) for column in columns)
    lines = [f"<row>{head}</row>"]
    for row in rows:
        cells = ["<c/>" if value is None else write(value) for write, value in zip(writers, row, strict=True)]
        lines.append(f"<row>{''.join(cells)}</row>")
    data = f"<sheetData>{''.join(lines)}</sheetData>"
    return f'{_HEAD}<worksheet xmlns="{_MAIN}">{_SHEET}<cols>{widths}</cols>{data}</worksheet>'


def _string(text: str, style: int) -> str:
    # What is no character of XML would make the whole workbook unreadable; a bare CR would become LF.
    shown = escape(_ILLEGAL.sub("\ufffd", guard(text))[:MAX_TEXT], {"\r": "&#13;"})
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{shown}</t></is></c>'


def _text(value: Any) -> str:
    return _string(str(value), _TEXT)


def _integer(value: Any) -> str:
    return f"<c><v>{int(value)}</v></c>"


def _decimal(value: Any) -> str:
    places = len(str(value).partition(".")[2])
    return f'<c s="{_PLACES + min(places, 4)}"><v>{value}</v></c>'


def _boolean(value: Any) -> str:
    return f'<c t="b"><v>{int(value)}</v></c>'


def _moment(value: Any) -> str:
    moment = datetime.fromisoformat(value)
    since = (moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment) - _EPOCH
    return f'<c s="{_MOMENT}"><v>{since.days + since.seconds / 86_400:.10f}</v></c>'


_WRITERS: Final[Mapping[str, Callable[[Any], str]]] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "boolean": _boolean,
    "moment": _moment,
}


def _files(sheets: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The parts of the package, by name."""
    numbered = list(enumerate(sheets, start=1))
    overrides = "".join(
        f'<Override PartName="/{part}" ContentType="{_TYPE}.{kind}+xml"/>'
        for part, kind in (
            ("xl/workbook.xml", "sheet.main"),
            ("xl/styles.xml", "styles"),
            *((f"xl/worksheets/sheet{number}.xml", "worksheet") for number, _ in numbered),
        )
    )
    yield (
        "[Content_Types].xml",
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
    )
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    listed = "".join(f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>' for number, name in numbered)
    yield (
        "xl/workbook.xml",
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELS}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{listed}</sheets></workbook>",
    )
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number, _ in numbered]
    yield "xl/_rels/workbook.xml.rels", _relations([*targets, ("styles", "styles.xml")])
    yield "xl/styles.xml", _STYLES
    for number, name in numbered:
        yield f"xl/worksheets/sheet{number}.xml", sheets[name]


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'
