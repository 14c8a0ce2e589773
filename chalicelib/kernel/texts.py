"""The texts of requests that mean the same everywhere: how long they may be, and what their form is.

A text that only one noun has stands with that noun. Whether an address or a zone exists is asked by the model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

NameText = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
LineText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
PhoneText = Annotated[str, msgspec.Meta(min_length=3, max_length=32)]
EmailText = Annotated[str, msgspec.Meta(min_length=3, max_length=254, description="An e-mail address.")]
LanguageText = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}(-[A-Z]{2})?$(?!\n)", description="BCP 47, e.g. `en`.")]
CountryText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$(?!\n)", description="ISO 3166-1 alpha-2.")]
CurrencyText = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217.")]
ZoneText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="IANA time zone.")]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPED_CONTROL: Final = re.compile(rb"\\(?:u00(?:0[0-8bcefBCEF]|1[0-9a-fA-F]|7[fF])|[bf])|\x7f")


def control_character_at(raw_body: bytes) -> str | None:
    """The JSON pointer of the first text with a control character in it, in a body that is JSON; None if there is none.

    Lines may end and have tabs. The others mean nothing to people, and break what a text is written into later: XML,
    a file name, a terminal. JSON has them in escapes only (RFC 8259, 7): most bodies are passed by one search.
    """
    if _ESCAPED_CONTROL.search(raw_body) is None:
        return None
    return next(_controls("", msgspec.json.decode(raw_body)), None)


def _controls(pointer: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if _CONTROL.search(value):
            yield pointer
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if isinstance(name, str) and _CONTROL.search(name):
            yield pointer
        yield from _controls(f"{pointer}/{name}", item)
