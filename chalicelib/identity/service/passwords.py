"""Passwords: argon2id, 19 MiB, 2 passes, 1 lane (OWASP's minimum: 27 ms, and it fits a small Lambda).

argon2 is imported on first use: the WebSocket functions read organisations through this capability and never hash.
"""

from __future__ import annotations

from functools import cache
from typing import Any

MEMORY_KIB = 19_456
PASSES = 2
LANES = 1

# The hash of a random password nobody kept, with the parameters above: verified for unknown addresses, so that
# the answer takes as long as for known ones.
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$6DC8tsRI+yEw+EShvZdLkw$DJTWj/ZBDfD+nhGMTAzT8OuzD3DRy+hkNGwemq0mSBE"


@cache
def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


def hash_password(password: str) -> str:
    return str(_hasher().hash(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is right. Takes the same time when there is none to compare with."""
    from argon2.exceptions import VerifyMismatchError

    try:
        _hasher().verify(password_hash or DUMMY_HASH, password)
    except VerifyMismatchError:
        return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return bool(_hasher().check_needs_rehash(password_hash))
