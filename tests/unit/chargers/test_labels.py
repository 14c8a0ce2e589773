"""Labels are read by a reader that is not ours: what is printed leads to the connector that it is stuck on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pypdfium2
import pytest
import zxingcpp

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.chargers.model.labels import Label, dark_runs, grouped, sheets_of, side_of
from chalicelib.chargers.service.labelling import code_as_svg, sheet_as_svg, sheets_as_pdf
from tests.site import CHARGER_ID, Site, build_site
from tests.world import World

SVG = "{http://www.w3.org/2000/svg}"
PIXELS_PER_MM = 8
_RECTANGLE = re.compile(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-[\d.]+z")


@pytest.fixture
def site(world: World) -> Site:
    return build_site(world)


def label(number: int, **changes: str) -> Label:
    values = {
        "url": f"https://charge.example/c/CODE{number:04d}",
        "code": f"CODE{number:04d}",
        "charger": "CP-001",
        "letter": "A",
        "side": "left",
        "location": "Market square, Berlin",
        "operator": "Northwind",
    }
    return Label(**{**values, **changes})


def codes_in(width: int, height: int, pixels: bytes) -> list[str]:
    image = memoryview(pixels).cast("B", shape=[height, width])
    return sorted(code.text for code in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode))


def codes_of_pdf(document: bytes) -> Iterator[list[str]]:
    for page in pypdfium2.PdfDocument(document):
        bitmap = page.render(scale=2, grayscale=True)
        rows = bytes(bitmap.buffer)
        packed = b"".join(rows[y * bitmap.stride : y * bitmap.stride + bitmap.width] for y in range(bitmap.height))
        yield codes_in(bitmap.width, bitmap.height, packed)


def text_of_pdf(document: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(document))


def codes_of_svg(svg: str, scale: float = PIXELS_PER_MM) -> list[str]:
    """Draws the dark rectangles of all paths and reads what they show."""
    root = ElementTree.fromstring(svg)
    _, _, wide, high = (float(part) for part in root.attrib["viewBox"].split())
    width, height = round(wide * scale), round(high * scale)
    pixels = bytearray(b"\xff" * (width * height))
    for path in (path for path in root.iter(f"{SVG}path") if "fill" not in path.attrib):
        for x, y, w, h in (map(float, found) for found in _RECTANGLE.findall(path.attrib["d"])):
            left, right = round(x * scale), round((x + w) * scale)
            for row in range(round(y * scale), round((y + h) * scale)):
                pixels[row * width + left : row * width + right] = b"\x00" * (right - left)
    return codes_in(width, height, bytes(pixels))


def test_every_label_of_a_pdf_leads_to_its_connector() -> None:
    labels = [label(number) for number in range(14)]
    read = list(codes_of_pdf(sheets_as_pdf(sheets_of(labels, "a4"))))
    assert [len(page) for page in read] == [12, 2]
    assert sorted(code for page in read for code in page) == sorted(each.url for each in labels)


def test_a_small_label_is_a_page_of_its_own() -> None:
    sheets = sheets_of([label(1), label(2)], "a6")
    assert [(sheet.width, sheet.height, len(sheet.cells)) for sheet in sheets] == [(105, 148, 1), (105, 148, 1)]
    assert list(codes_of_pdf(sheets_as_pdf(sheets))) == [[label(1).url], [label(2).url]]


def test_every_label_of_an_svg_leads_to_its_connector() -> None:
    labels = [label(number) for number in range(12)]
    [sheet] = sheets_of(labels, "a4")
    assert codes_of_svg(sheet_as_svg(sheet)) == sorted(each.url for each in labels)


def test_a_code_alone_is_read_too() -> None:
    assert codes_of_svg(code_as_svg("https://charge.example/c/2B4C6D8F")) == ["https://charge.example/c/2B4C6D8F"]


def test_a_quarter_of_a_code_may_be_scratched_off() -> None:
    """Error level Q: here a tenth of the area in one piece, away from the corners that a reader needs to find it."""
    modules, runs = dark_runs("https://charge.example/c/2B4C6D8F")
    scratch = range(int(modules * 0.5), int(modules * 0.5) + int(modules * 0.3))
    kept = [run for run in runs if not (run[0] in scratch and run[1] in scratch)]
    assert len(kept) < len(runs)
    path = "".join(f"M{column} {row}h{length}v1h-{length}z" for column, row, length in kept)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {modules} {modules}"><path d="{path}"/></svg>'
    assert codes_of_svg(svg) == ["https://charge.example/c/2B4C6D8F"]


def test_names_of_any_script_are_in_the_svg_and_cannot_break_it() -> None:
    hostile = '東京 <script>alert(1)</script> & "ٱلرِّيَاض"\x00\x1b'
    [sheet] = sheets_of([label(1, location=hostile, operator="Ünïcode ⚡")], "a6")
    root = ElementTree.fromstring(sheet_as_svg(sheet))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert hostile.replace("\x00", " ").replace("\x1b", " ") in texts
    assert "Ünïcode ⚡" in texts
    assert not list(root.iter(f"{SVG}script"))


def test_a_pdf_leaves_out_what_its_fonts_do_not_have_and_never_prints_something_else() -> None:
    shown = text_of_pdf(
        sheets_as_pdf(sheets_of([label(1, location="東京", operator="Ladestation Köln (Süd) \\")], "a6"))
    )
    assert "Ladestation Köln (Süd) \\" in shown
    assert "CP-001 · A (left)" in shown
    assert "CODE 0001" in shown
    assert "?" not in shown
    assert "東" not in shown


def test_letters_have_sides_on_chargers_with_two_connectors_only() -> None:
    assert [side_of(letter, 2) for letter in "AB"] == ["left", "right"]
    assert [side_of("A", 1), side_of("A", 3), side_of("C", 3)] == ["", "", ""]
    assert grouped("2B4C6D8F") == "2B4C 6D8F"


def test_the_labels_of_a_location_are_those_of_the_chargers_there(world: World, site: Site) -> None:
    """And the code that a driver scans is answered with the charger and the connector that it stands on."""
    token = site.operator.access_token
    elsewhere = Charger("CP-ELSE", site.operator.operator_id, 1, "", world.clock.now())
    world.commit(lambda uow: chargers.register_charger(uow, elsewhere, None))
    reply = world.rest.get(f"/v1/locations/{site.location.location_id}/qr-labels?format=svg", token=token)
    assert reply.headers["content-type"] == "image/svg+xml"
    assert reply.headers["x-page-count"] == "1"
    evses = chargers.list_evses(world.ctx, CHARGER_ID)
    read = codes_of_svg(reply.body)
    assert read == sorted(f"{world.ctx.settings.public_url}/c/{evse.code}" for evse in evses)
    driver = world.driver_token(site.driver.driver_id)
    for url in read:
        seen = world.rest.get(f"/v1/driver/chargers/{url.rsplit('/', 1)[1]}", token=driver).body
        assert seen["charger_id"] == CHARGER_ID
    assert "A (left)" in reply.body
    assert "B (right)" in reply.body


@pytest.mark.parametrize("path", ["chargers/CP-001/qr-labels?format=svg&page=2", "chargers/CP-001/evses/3/qr-code"])
def test_what_is_not_there_is_told(world: World, site: Site, path: str) -> None:
    assert world.rest.get(f"/v1/{path}", token=site.operator.access_token).status in (404, 422)
