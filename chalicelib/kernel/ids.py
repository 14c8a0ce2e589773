"""Identifiers: prefixed ULIDs. They sort by the moment they were made for, and say what they name.

`ses_01JD...`: 48 bits of milliseconds and 80 bits that are either random or derived from a key (so that the same
fact gets the same id when it is decided again after a crash).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from chalicelib.kernel.clock import to_epoch_ms

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TAIL_BITS = 80


def new_id(prefix: str, moment: datetime) -> str:
    """A fresh id: `new_id("ses", clock.now())`."""
    return f"{prefix}_{_ulid(to_epoch_ms(moment), secrets.randbits(_TAIL_BITS))}"


def derived_id(prefix: str, moment: datetime, *key: str) -> str:
    """The id of a fact: same moment and same key, same id."""
    digest = hashlib.sha256("\x1f".join(key).encode()).digest()
    return f"{prefix}_{_ulid(to_epoch_ms(moment), int.from_bytes(digest[: _TAIL_BITS // 8], 'big'))}"


def _ulid(milliseconds: int, tail: int) -> str:
    value = (milliseconds << _TAIL_BITS) | tail
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))
