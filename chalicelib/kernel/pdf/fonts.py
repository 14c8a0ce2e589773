"""TrueType fonts for PDF: which glyph a letter has, how wide it is, and the font cut down to the glyphs in use. Pure.

Only what embedding as a CIDFontType2 needs (ISO 32000-1, 9.7.4) is read of the file: cmap format 4, hmtx, glyf, loca
(OpenType 1.9). Glyphs keep their numbers; those that are not used become empty.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from functools import cache, cached_property
from importlib import resources
from typing import Final, Literal

Face = Literal["regular", "bold"]
FILES: Final[dict[Face, str]] = {"regular": "Roboto-Regular.ttf", "bold": "Roboto-Bold.ttf"}
"""Roboto (Apache 2.0): Latin, Greek, Cyrillic, Vietnamese."""
MISSING: Final = "?"
"""What stands for letters that the font has not."""
_KEPT: Final = (b"head", b"hhea", b"maxp", b"hmtx", b"cvt ", b"fpgm", b"prep", b"loca", b"glyf")
_WORDS, _MORE_COMPONENTS, _SCALED, _SCALED_XY, _SCALED_2X2 = 0x0001, 0x0020, 0x0008, 0x0040, 0x0080


class Font:
    """One face. Widths are in thousandths of the size, as PDF counts them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        count = struct.unpack_from(">H", data, 4)[0]
        records = (struct.unpack_from(">4sIII", data, 12 + 16 * n) for n in range(count))
        self._tables: dict[bytes, tuple[int, int]] = {tag: (offset, length) for tag, _, offset, length in records}
        self._units = struct.unpack_from(">H", self._table(b"head"), 18)[0]
        self.ascent, self.descent = (
            round(value * 1000 / self._units) for value in struct.unpack_from(">hh", self._table(b"hhea"), 4)
        )
        self.box = [round(v * 1000 / self._units) for v in struct.unpack_from(">4h", self._table(b"head"), 36)]

    def glyphs(self, text: str) -> list[int]:
        return [self._glyph_of.get(ord(letter)) or self._glyph_of[ord(MISSING)] for letter in text]

    def width(self, text: str) -> int:
        return sum(self.glyph_width(glyph) for glyph in self.glyphs(text))

    def glyph_width(self, glyph: int) -> int:
        return self._widths[min(glyph, len(self._widths) - 1)]

    def letters_of(self, text: str) -> dict[int, str]:
        """Each glyph that the text needs, and what it says."""
        return {glyph: letter for letter in {*text, MISSING} for glyph in self.glyphs(letter) if self._has(letter)}

    def _has(self, letter: str) -> bool:
        return ord(letter) in self._glyph_of

    def subset(self, glyphs: Iterable[int]) -> bytes:
        """The font file with the outlines of `glyphs` alone; what is made of others has these too."""
        used = self._with_parts({0, *glyphs})
        outlines, places = bytearray(), [0]
        for glyph in range(len(self._places) - 1):
            if glyph in used:
                outlines += self._outline(glyph)
                outlines += b"\0" * (-len(outlines) % 4)
            places.append(len(outlines))
        head = bytearray(self._table(b"head"))
        struct.pack_into(">h", head, 50, 1)  # loca is in its long form
        changed = {b"head": bytes(head), b"glyf": bytes(outlines), b"loca": struct.pack(f">{len(places)}I", *places)}
        kept = [tag for tag in _KEPT if tag in self._tables]
        return _font_file({tag: changed.get(tag) or self._table(tag) for tag in kept})

    def _table(self, tag: bytes) -> bytes:
        offset, length = self._tables[tag]
        return self._data[offset : offset + length]

    @cached_property
    def _widths(self) -> list[int]:
        """Glyphs behind the last one are as wide as it."""
        count = struct.unpack_from(">H", self._table(b"hhea"), 34)[0]
        metrics = struct.unpack_from(f">{2 * count}H", self._table(b"hmtx"))
        return [round(advance * 1000 / self._units) for advance in metrics[::2]]

    @cached_property
    def _glyph_of(self) -> dict[int, int]:
        """Letters of the Basic Multilingual Plane, from the subtable for Windows (platform 3, encoding 1)."""
        cmap = self._table(b"cmap")
        count = struct.unpack_from(">H", cmap, 2)[0]
        records = (struct.unpack_from(">HHI", cmap, 4 + 8 * n) for n in range(count))
        start = next(offset for platform, encoding, offset in records if (platform, encoding) == (3, 1))
        segments = struct.unpack_from(">H", cmap, start + 6)[0] // 2
        ends, starts, deltas, offsets = (
            struct.unpack_from(f">{segments}H", cmap, start + 14 + 2 * segments * n + (2 if n else 0)) for n in range(4)
        )
        found: dict[int, int] = {}
        for n in range(segments):
            for code in range(starts[n], min(ends[n], 0xFFFE) + 1):
                glyph = code
                if offsets[n]:
                    at = start + 16 + 6 * segments + 2 * n + offsets[n] + 2 * (code - starts[n])
                    glyph = struct.unpack_from(">H", cmap, at)[0]
                if glyph:
                    found[code] = (glyph + deltas[n]) & 0xFFFF
        return found

    @cached_property
    def _places(self) -> list[int]:
        loca = self._table(b"loca")
        if struct.unpack_from(">h", self._table(b"head"), 50)[0]:
            return list(struct.unpack(f">{len(loca) // 4}I", loca))
        return [2 * place for place in struct.unpack(f">{len(loca) // 2}H", loca)]

    def _outline(self, glyph: int) -> bytes:
        start = self._tables[b"glyf"][0]
        return self._data[start + self._places[glyph] : start + self._places[glyph + 1]]

    def _with_parts(self, glyphs: set[int]) -> set[int]:
        found: set[int] = set()
        waiting = list(glyphs)
        while waiting:
            glyph = waiting.pop()
            if glyph not in found:
                found.add(glyph)
                waiting += _parts_of(self._outline(glyph))
        return found


def _parts_of(outline: bytes) -> list[int]:
    """The glyphs that a composite one is made of (OpenType, glyf: composite glyph description)."""
    if not outline or struct.unpack_from(">h", outline)[0] >= 0:
        return []
    parts, at = [], 10
    while True:
        flags, glyph = struct.unpack_from(">HH", outline, at)
        parts.append(glyph)
        at += 8 if flags & _WORDS else 6
        at += 2 if flags & _SCALED else 4 if flags & _SCALED_XY else 8 if flags & _SCALED_2X2 else 0
        if not flags & _MORE_COMPONENTS:
            return parts


def _font_file(tables: dict[bytes, bytes]) -> bytes:
    """An sfnt of these tables. Readers of PDF do not look at checksums."""
    power = 1 << (len(tables).bit_length() - 1)
    header = struct.pack(
        ">IHHHH", 0x00010000, len(tables), power * 16, power.bit_length() - 1, (len(tables) - power) * 16
    )
    directory, body = bytearray(), bytearray()
    begin = len(header) + 16 * len(tables)
    for tag in sorted(tables):
        directory += struct.pack(">4sIII", tag, 0, begin + len(body), len(tables[tag]))
        body += tables[tag] + b"\0" * (-len(tables[tag]) % 4)
    return header + bytes(directory) + bytes(body)


@cache
def load(face: Face) -> Font:
    return Font(resources.files("chalicelib.kernel.pdf").joinpath("fonts", FILES[face]).read_bytes())
