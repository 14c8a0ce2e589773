"""What people recognise a device by. Pure.

A guess from what the client says of itself: shown to the owner of the sign-in, never decided by.
"""

from __future__ import annotations

import re
from typing import Final

MAX_LABEL: Final = 80

_PROGRAMS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("okhttp", "App"),
    ("CFNetwork", "App"),
    ("Dart", "App"),
)
"""The first that occurs: nearly all call themselves Chrome and Safari too."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Darwin", "Apple"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]+")


def device_label(user_agent: str) -> str:
    """`Chrome on Windows`; what the client said, cut, when it is nothing we know; empty when it said nothing."""
    program = next((label for word, label in _PROGRAMS if word in user_agent), "")
    system = next((label for word, label in _SYSTEMS if word in user_agent), "")
    if program and system:
        return f"{program} on {system}"
    return program or system or " ".join(_UNPRINTABLE.sub(" ", user_agent).split())[:MAX_LABEL]
