"""The codes of vouchers: how they are made of a key, written, read as people type them, and found by. Pure.

A code is 15 characters (75 bits) that nobody can tell without the deployment's key, and a check character, in
Crockford's base 32. Invariant: one character that is mistyped, and any two that are swapped, make no code.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: without I, L, O and U."""
CODE_LENGTH: Final = 16
GROUP: Final = 4
SECRET_BITS: Final = 75

_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_FIELD: Final = 0b100101
"""x^5 + x^2 + 1: primitive, so that the powers of x are 31 different weights."""


def code_of(key: str, batch_id: str, number: int) -> str:
    """The code of a batch's voucher, the same whenever it is asked for."""
    bits = int.from_bytes(_mac(key, "code", batch_id, str(number)), "big") >> (256 - SECRET_BITS)
    secret = "".join(ALPHABET[(bits >> shift) & 31] for shift in range(SECRET_BITS - 5, -1, -5))
    return secret + _check_character(secret)


def read_code(typed: str) -> str | None:
    """The code that somebody means: in any case, with or without blanks and dashes, O for 0, I and L for 1. None for
    what is no code, and for one that is mistyped."""
    code = typed.upper().translate(_READ_AS)
    if len(code) != CODE_LENGTH or not set(code) <= set(ALPHABET):
        return None
    return code if _check_character(code[:-1]) == code[-1] else None


def grouped(code: str) -> str:
    """As it is printed: `7K3M-9QXA-…`."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def code_hash(key: str, code: str) -> str:
    """What a voucher is found by: of no use to who reads the store."""
    return _mac(key, "hash", code).hex()


def key_id(key: str) -> str:
    """Names a key without telling it."""
    return _mac(key, "name").hex()[:16]


def _mac(key: str, *parts: str) -> bytes:
    return hmac.new(key.encode(), "\x00".join(("voucher", *parts)).encode(), hashlib.sha256).digest()


def _check_character(secret: str) -> str:
    """With it, the sum of all characters, each times its own power of x in GF(32), is nothing. The last one has the
    weight 1."""
    total = 0
    for letter in secret:
        total = _times_x(total ^ ALPHABET.index(letter))
    return ALPHABET[total]


def _times_x(element: int) -> int:
    doubled = element << 1
    return doubled ^ _FIELD if doubled & 0b100000 else doubled
