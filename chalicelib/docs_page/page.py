"""Puts the page's three files into one document, and says by hash which script and style a browser may run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def html() -> str:
    text = _read("page.html")
    return text.replace("{{style}}", _read("page.css")).replace("{{script}}", _read("page.js"))


@cache
def security_policy() -> str:
    """Nothing but this script and this style, and requests to where the page came from."""
    return (
        f"default-src 'none'; script-src '{_hash('page.js')}'; style-src '{_hash('page.css')}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(name: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_read(name).encode()).digest()).decode()


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
