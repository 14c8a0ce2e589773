"""Documents, read back with a reader that is not ours."""

from __future__ import annotations

import pypdfium2
import pytest

from chalicelib.kernel import pdf
from chalicelib.kernel.pdf.fonts import load
from chalicelib.kernel.pdf.paper import broken

COLUMNS = [pdf.Column("Order", 2), pdf.Column("Where", 4), pdf.Column("Gross", 1, "right")]


def pages(document: bytes) -> list[str]:
    opened = pypdfium2.PdfDocument(document)
    return [opened[number].get_textpage().get_text_range().replace("\r\n", "\n") for number in range(len(opened))]


def rows(count: int) -> list[tuple[str, str, str]]:
    return [(f"No{number}", "Gare du Nord", f"{number}.00") for number in range(count)]


@pytest.mark.parametrize("name", ["Müller & Söhne", "Čeština Żółć", "Αθήνα", "Київ", "Việt Nam", "№ 5 – „€“"])
def test_names_of_europe_can_be_read_and_copied(name: str) -> None:
    [page] = pages(pdf.render("Receipt", [pdf.Heading(name), pdf.Pairs([("Name", name)])]))
    assert page.count(name) == 2


def test_letters_that_the_font_has_not_are_question_marks() -> None:
    [page] = pages(pdf.render("Receipt", [pdf.Text("東京 Tower")]))
    assert page.splitlines()[0] == "?? Tower"


def test_a_long_table_has_its_head_on_each_page_and_each_row_once() -> None:
    document = pdf.render("Invoice", [pdf.Table(COLUMNS, rows(1000), totals=[("", "Sum", "9.00")])], footer="INV-1")
    read = pages(document)
    assert len(read) > 10
    assert all("Order Where Gross" in page and "INV-1" in page for page in read)
    numbers = [line.split()[0] for page in read for line in page.splitlines() if line.startswith("No")]
    assert numbers == [f"No{number}" for number in range(1000)]
    assert f"{len(read)} / {len(read)}" in read[-1]


@pytest.mark.parametrize("count", range(40, 60))
def test_totals_are_never_alone_on_a_page(count: int) -> None:
    read = pages(pdf.render("Invoice", [pdf.Table(COLUMNS, rows(count), totals=[("", "Sum", "9.00")])]))
    assert f"No{count - 1} " in read[-1]
    assert "Sum 9.00" in read[-1]


def test_the_same_document_is_the_same_bytes() -> None:
    blocks = [pdf.Table(COLUMNS, rows(3))]
    assert pdf.render("Invoice", blocks) == pdf.render("Invoice", blocks)
    assert pdf.render("Invoice", blocks) != pdf.render("Invoice", [pdf.Table(COLUMNS, rows(4))])


def test_a_file_carries_the_glyphs_in_use_alone() -> None:
    assert len(pdf.render("Receipt", [pdf.Text("Thank you")])) < 20_000


def test_lines_are_no_wider_than_they_may_be() -> None:
    text = "a few words and " + "x" * 300
    lines = broken(text, "regular", 9.0, 120.0)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(load("regular").width(line) * 9 / 1000 <= 120 for line in lines)


def test_what_has_no_value_is_left_out() -> None:
    [page] = pages(pdf.render("Receipt", [pdf.Pairs([("Tax", ""), ("Net", "1.00")])]))
    assert "Tax" not in page


def test_a_row_that_is_longer_than_a_page_goes_on() -> None:
    read = pages(pdf.render("Receipt", [pdf.Table(COLUMNS, [("1", "word " * 3000, "1.00")])]))
    assert sum(page.count("word") for page in read) == 3000
