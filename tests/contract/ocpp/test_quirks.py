"""None of the quirks that were collected from the field is without its test."""

from __future__ import annotations

import re
from pathlib import Path

QUIRKS = (
    "01 02 04 05 07 08 10 11 13 14 16 17 19 20 22 23 25 26 28 29 31 32 34 35 37 38 40 41 43 44 46 47 49 50 52 53 55 56 "
    "58 59 61 62 64 65 67 68 70 71 73 74 76 77 79 80 82 83 85 86"
)


def test_every_quirk_has_its_test() -> None:
    texts = [path.read_text() for path in Path(__file__).parent.glob("test_quirks_*.py")]
    told = {name for text in texts for name in re.findall(r"def test_q(\d\d)_", text)}
    assert told == set(QUIRKS.split())
    assert len(told) == 58
