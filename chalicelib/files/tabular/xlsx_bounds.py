"""What a workbook may hold, checked before it is read.

A parser makes some hundred bytes out of each element: `<xf/>` or `<c/>`, a million times, fits a file of a few KB and
takes gigabytes. So elements are counted first, which keeps none of them. Rows and shared strings are read one by one,
and may be many; everything else is held at once.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Final
from xml.parsers import expat

MAX_UNPACKED_BYTES: Final = 48 * 1024 * 1024
MAX_ENTRIES: Final = 200
MAX_ELEMENTS: Final = 3_000_000
"""10 000 rows of 60 columns have 1.2 million, and as many again for their shared strings."""
MAX_HELD_ELEMENTS: Final = 100_000
"""Of one row, one shared string, or of all else in a part. A spreadsheet has up to 65 490 styles."""
_STYLES: Final = "xl/styles.xml"
"""Where openpyxl reads styles from, whatever the part says that it is."""
_READ_IN_STEPS: Final[Mapping[str, str]] = {"worksheet": "row", "sst": "si"}
"""The root of a part that is read step by step, and its step."""
_BLOCK: Final = 1 << 16


class TooLarge(Exception):
    """The workbook holds more than is read."""


class Malformed(Exception):
    """No spreadsheet program writes this."""


def check_bounds(content: bytes) -> None:
    """Raises TooLarge, Malformed, and what `zipfile` raises for what is no zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        entries = packed.infolist()
        # An entry that says less than it holds is cut off at what it says, and then fails its checksum.
        if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
            raise TooLarge
        count = _Count()
        for entry in entries:
            count.part(packed, entry)
    if count.books & count.in_steps:
        raise Malformed


class _Count:
    """Elements of all parts. `books`: parts that are said to be the workbook; `in_steps`: those with a root of
    `_READ_IN_STEPS`."""

    def __init__(self) -> None:
        self.books: set[str] = set()
        self.in_steps: set[str] = set()
        self._all = self._held = 0
        self._part, self._step, self._is_root = "", "", True

    def part(self, packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        """Pictures and the like have no elements; of a part that is broken, those before the break count."""
        self._part, self._step, self._is_root, self._held = entry.filename, "", True, 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._element
        parser.StartDoctypeDeclHandler = self._doctype
        with packed.open(entry) as opened:
            try:
                while block := opened.read(_BLOCK):
                    parser.Parse(block, False)
            except expat.ExpatError:
                return

    def _element(self, name: str, values: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if self._is_root:
            self._is_root = False
            self._step = "" if self._part.lower() == _STYLES else _READ_IN_STEPS.get(local, "")
            if self._step:
                self.in_steps.add(self._part)
        self._all += 1
        self._held = 0 if local == self._step else self._held + 1
        if self._all > MAX_ELEMENTS or self._held > MAX_HELD_ELEMENTS:
            raise TooLarge
        if local == "Override" and values.get("ContentType", "").endswith(".main+xml"):
            self.books.add(values.get("PartName", "").removeprefix("/"))

    def _doctype(self, *_declared: object) -> None:
        """Entities are the only use of one."""
        raise Malformed
