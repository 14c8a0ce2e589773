"""Identifiers: prefixed ULIDs. They sort by the moment they were made for, and say what they name.

`ses_01JD...`: 48 bits of milliseconds and 80 bits that are either random or derived from a key (so that the same
fact gets the same id when it is decided again after a crash).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from chalicelib.kernel.clock import from_epoch_ms, to_epoch_ms

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TAIL_BITS = 80


def new_id(prefix: str, moment: datetime) -> str:
    """A fresh id: `new_id("ses", clock.now())`."""
    return f"{prefix}_{_ulid(to_epoch_ms(moment), secrets.randbits(_TAIL_BITS))}"


def derived_id(prefix: str, moment: datetime, *key: str) -> str:
    """The id of a fact: same moment and same key, same id."""
    digest = hashlib.sha256("\x1f".join(key).encode()).digest()
    return f"{prefix}_{_ulid(to_epoch_ms(moment), int.from_bytes(digest[: _TAIL_BITS // 8], 'big'))}"


def lowest_id(prefix: str, moment: datetime) -> str:
    """No id of that moment or later sorts before it: a bound for ranges of time."""
    return f"{prefix}_{_ulid(to_epoch_ms(moment), 0)}"


def number_of(identifier: str) -> int:
    """A positive int32 made of an id: for protocols that number what we name. Two ids share one once in 2^31."""
    digest = hashlib.sha256(identifier.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (2**31 - 1) + 1


def moment_of(identifier: str) -> datetime:
    """The moment an id was made for, to the millisecond. ValueError for anything but a prefixed ULID."""
    ulid = identifier.rpartition("_")[2]
    if len(ulid) != 26:
        raise ValueError(f"{identifier!r} is not a prefixed ULID")
    value = 0
    for letter in ulid:
        value = (value << 5) | _CROCKFORD.index(letter)
    return from_epoch_ms(value >> _TAIL_BITS)


def _ulid(milliseconds: int, tail: int) -> str:
    value = (milliseconds << _TAIL_BITS) | tail
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))
