"""How lists are searched by what people type: words, wherever they stand, however they are written. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

_COMBINING_MARKS: Final = dict.fromkeys(range(0x300, 0x370))
"""The accents of Latin, Greek and Cyrillic. Marks of other scripts are letters to those who write them."""


def has_words(words: str, *texts: str | None) -> bool:
    """Does every word occur in the texts, without regard to case, accents, width of letters and how they are composed?
    No words are in everything."""
    shown = folded(" ".join(text for text in texts if text))
    return all(word in shown for word in folded(words).split())


def folded(text: str) -> str:
    """The same for texts that read the same. Decomposed before and after: what case folding yields may be composed
    again."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return decomposed.translate(_COMBINING_MARKS)
