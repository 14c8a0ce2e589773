"""Tables as files: what is written is read back, and what spreadsheets write is understood."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from chalicelib.files.model import Fault, FileFormat, OutColumn
from chalicelib.files.model.cells import Truth
from chalicelib.files.tabular import format_of, read_rows, write_table, xlsx_bounds
from chalicelib.kernel.errors import DomainError

TEXTS = (OutColumn("a"), OutColumn("b"))
words = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="￾￿") | st.sampled_from("'=+-@"),
    max_size=12,
).map(str.strip)


def cells_of(content: bytes) -> list[list[object]]:
    return [list(row.cells) for row in read_rows(content)]


@given(st.lists(st.tuples(words.filter(bool), words.filter(bool)), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_texts_come_back_as_they_were(file_format: FileFormat, rows: list[tuple[str, str]]) -> None:
    content = write_table(file_format, TEXTS, rows)
    assert format_of(content) == file_format
    assert cells_of(content)[1:] == [list(row) for row in rows]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_numbers_dates_and_leading_zeros(file_format: FileFormat) -> None:
    columns = (
        OutColumn("id"),
        OutColumn("n", "integer"),
        OutColumn("money", "decimal"),
        OutColumn("at_utc", "moment"),
        OutColumn("at_local", "moment"),
        OutColumn("yes", "boolean"),
        OutColumn("none"),
    )
    row = ["0042", -3, "-12.50", "2026-03-02T08:00:00Z", "2026-03-02T09:00:00", True, None]
    content = write_table(file_format, columns, [row])
    read = cells_of(content)[1]
    assert read[:2] == ["0042", "-3"]
    assert read[2] in ("-12.50", "-12.5")
    assert [str(cell).rstrip("Z") for cell in read[3:5]] == ["2026-03-02T08:00:00", "2026-03-02T09:00:00"]
    assert read[5:] in (["true", ""], ["true"])
    if file_format == "xlsx":
        written = load_workbook(io.BytesIO(content)).worksheets[0][2]
        assert [cell.data_type for cell in written[:6]] == ["s", "n", "n", "d", "d", "b"]
        assert written[3].value == datetime(2026, 3, 2, 8)  # noqa: DTZ001


def test_csv_is_what_a_spreadsheet_opens() -> None:
    content = write_table("csv", TEXTS, [["=1+1", 'say "hi", Dana']])
    assert content == b'\xef\xbb\xbfa,b\r\n\'=1+1,"say ""hi"", Dana"\r\n'


@pytest.mark.parametrize(
    "content",
    [
        "name,note\r\nÄrger,x;y\r\n".encode(),
        "\ufeffname,note\nÄrger,x;y\n".encode(),
        '"name";"note"\r\nÄrger;"x;y"\r\n'.encode(),
        "name\tnote\r\nÄrger\tx;y\r\n".encode("utf-16"),
        b"\xfe\xff" + 'name;note\r\nÄrger;"x;y"'.encode("utf-16-be"),
        '"name","no\nte"\r\nÄrger,x;y'.encode().replace(b"no\nte", b"note"),
    ],
)
def test_what_spreadsheets_write_is_read(content: bytes) -> None:
    assert cells_of(content) == [["name", "note"], ["Ärger", "x;y"]]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("name\r\nÄrger".encode("latin-1"), "import.encoding"),
        (b"\xff\xfe\x00", "import.encoding"),
        (b"name\n" + b"x" * 200_000, "import.unreadable"),
        (b'name,note\r\nanna,"a quote that nothing closes\r\nben,second\r\n', "import.unreadable"),
        (b"PK\x03\x04 no zip at all", "import.unreadable"),
        (b"PK", "import.unreadable"),
    ],
)
def test_what_cannot_be_read_says_so(content: bytes, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        cells_of(content)
    assert refused.value.code == code


def workbook(fill: object) -> bytes:
    book = Workbook()
    fill(book.active)  # type: ignore[operator]
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def test_a_formula_is_a_fault_and_a_text_like_one_is_not() -> None:
    def fill(sheet: object) -> None:
        sheet["A1"], sheet["A2"], sheet["B2"] = "a", "=1+1", "plain"  # type: ignore[index]
        sheet["A3"] = "x"  # type: ignore[index]
        sheet["A3"].value, sheet["A3"].data_type = "=text", "s"  # type: ignore[index]

    rows = cells_of(workbook(fill))
    assert isinstance(rows[1][0], Fault)
    assert rows[1][0].code == "cell.formula"
    assert rows[2][0] == "=text"


def test_a_sheet_that_claims_to_be_huge_is_not_walked() -> None:
    """One cell at the far corner: the rows and columns up to it are not laid out."""

    def fill(sheet: object) -> None:
        sheet["A1"], sheet["A2"] = "a", "x"  # type: ignore[index]
        sheet["XFD1048576"] = "far"  # type: ignore[index]

    rows = cells_of(workbook(fill))
    assert len(rows) <= 20_000
    assert max(map(len, rows)) <= 61


def test_what_becomes_too_large_is_not_unpacked(tmp_path: object) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("xl/workbook.xml", b" " * (xlsx_bounds.MAX_UNPACKED_BYTES + 1))
    assert len(packed.getvalue()) < 100_000
    with pytest.raises(DomainError) as refused:
        cells_of(packed.getvalue())
    assert refused.value.code == "import.too_large"


def changed(name: str, before: str, after: str) -> bytes:
    """A workbook of ours with one part written otherwise."""
    whole = write_table("xlsx", TEXTS, [["x", "y"]])
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as parts, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        for entry in parts.namelist():
            text = parts.read(entry).decode()
            assert entry != name or before in text
            zipped.writestr(entry, text.replace(before, after, 1) if entry == name else text)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "before", "element"),
    [
        ("xl/styles.xml", "</cellXfs>", "<xf/>"),
        ("xl/worksheets/sheet1.xml", "</row>", "<c/>"),
        ("xl/workbook.xml", "</sheets>", '<sheet name="a" sheetId="1"/>'),
        ("[Content_Types].xml", "</Types>", '<Override PartName="/a" ContentType="b"/>'),
    ],
)
def test_a_small_file_of_countless_elements_is_not_parsed(name: str, before: str, element: str) -> None:
    """Some KB as a file, some MB as text, gigabytes as what a parser makes of it."""
    assert cells_of(changed(name, before, element * 100 + before if name == "[Content_Types].xml" else before))
    content = changed(name, before, element * (xlsx_bounds.MAX_HELD_ELEMENTS + 1) + before)
    assert len(content) < 200_000
    with pytest.raises(DomainError) as refused:
        cells_of(content)
    assert refused.value.code == "import.too_large"


def test_entities_are_refused_before_anything_is_made_of_them() -> None:
    declared = '<!DOCTYPE worksheet [<!ENTITY a "aaaa">]><worksheet'
    with pytest.raises(DomainError) as refused:
        cells_of(changed("xl/worksheets/sheet1.xml", "<worksheet", declared))
    assert refused.value.code == "import.unreadable"


def test_the_workbook_is_no_part_that_is_read_in_steps() -> None:
    """Else its elements would be counted as those of rows, which are kept one at a time."""
    with pytest.raises(DomainError) as refused:
        cells_of(changed("[Content_Types].xml", "/xl/workbook.xml", "/xl/worksheets/sheet1.xml"))
    assert refused.value.code == "import.unreadable"


def test_as_many_rows_as_may_be_are_read() -> None:
    rows = [[f"a{number}", "b"] for number in range(10_000)]
    assert len(cells_of(write_table("xlsx", TEXTS, rows))) == 10_001


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
@pytest.mark.parametrize(
    "content", [b"", b"no xml", b"<x/>", b'<!DOCTYPE a [<!ENTITY b "cc">]><workbook>&b;</workbook>', None]
)
def test_a_workbook_that_is_none(name: str, content: bytes | None) -> None:
    whole = workbook(lambda sheet: sheet.append(["a"]))
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as before, zipfile.ZipFile(packed, "w") as after:
        for entry in before.namelist():
            if entry != name:
                after.writestr(entry, before.read(entry))
            elif content is not None:
                after.writestr(entry, content)
    try:
        cells_of(packed.getvalue())
    except DomainError as refused:
        assert refused.code == "import.unreadable"  # noqa: PT017


def test_a_workbook_of_the_old_form_is_told_what_to_do() -> None:
    with pytest.raises(DomainError) as refused:
        read_rows(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    assert refused.value.code == "import.unreadable"
    assert "save it as XLSX or CSV" in refused.value.detail


def test_truths_of_a_workbook_are_known_as_such() -> None:
    book, packed = Workbook(), io.BytesIO()
    for row in (("a", "b"), (True, "true")):
        book.worksheets[0].append(row)
    book.save(packed)
    assert [isinstance(cell, Truth) for cell in cells_of(packed.getvalue())[1]] == [True, False]
