"""What guards against guessing: counted attempts and mailed codes. Pure.

Whoever asks with an address learns nothing about whether it is known: rules here treat both alike.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.identity.model.texts import email_key
from chalicelib.kernel.errors import DomainError, Kind, invalid

CodePurpose = Literal["sign_up", "password_reset"]

MAX_WRONG_PASSWORDS = 10
LOCK_OUT = timedelta(minutes=15)
MAX_WRONG_PASSWORDS_PER_IP = 100  # a mobile network shows many people behind one address
IP_WINDOW = timedelta(minutes=15)

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=10)
CODE_RESEND_AFTER = timedelta(seconds=60)
MAX_CODE_TRIES = 5
CODE_WINDOW = timedelta(days=1)
MAX_CODES_PER_WINDOW = 10  # with 5 tries each: a guesser's chance is 1 in 20,000 a day
MAX_CODES_PER_IP = 200
CODE_IP_WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class Attempts:
    """Counted attempts of one kind by one subject (an address, an IP) until a moment that moves or stands."""

    subject: str
    made: int
    until: datetime


@dataclass(frozen=True)
class VerificationCode:
    """The code last mailed to an address for a purpose; `issued` counts them until `window_ends_at`.

    `code_hash` is gone once the code was used.
    """

    email: str
    purpose: str
    tries: int
    issued_at: datetime
    valid_until: datetime
    issued: int
    window_ends_at: datetime
    code_hash: str | None = None


def network_of(source_ip: str) -> str:
    """What attempts from an address are counted under. An IPv6 customer has at least 2^64 addresses (RFC 6177): all of
    a /64 are one."""
    try:
        address = ipaddress.IPv6Address(source_ip)
    except ValueError:
        return source_ip
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))


def after_attempt(known: Attempts | None, subject: str, now: datetime, limit: int, window: timedelta) -> Attempts:
    """The count with one more attempt; each attempt prolongs the window. Raises too_many_attempts (429)."""
    if known is None or known.until <= now:
        return Attempts(subject, 1, now + window)
    refuse_beyond(known, now, limit)
    return Attempts(subject, known.made + 1, now + window)


def refuse_beyond(known: Attempts | None, now: datetime, limit: int) -> None:
    """Raises too_many_attempts (429) when the limit is reached and its window not over."""
    if known is not None and known.until > now and known.made >= limit:
        wait_s = max(1, int((known.until - now).total_seconds()))
        raise DomainError(
            "auth.too_many_attempts", "Too many attempts; try again later.", Kind.LIMITED, retry_after_s=wait_s
        )


def wait_before_code_s(known: VerificationCode | None, now: datetime) -> int:
    """Seconds until a new code may be mailed to the address of `known`; 0 means now."""
    if known is None:
        return 0
    until = known.issued_at + CODE_RESEND_AFTER
    if known.issued >= MAX_CODES_PER_WINDOW:
        until = max(until, known.window_ends_at)
    return max(0, int((until - now).total_seconds()))


def next_code(
    known: VerificationCode | None, email: str, purpose: str, code_hash: str, now: datetime
) -> VerificationCode:
    """The row of a new code, which ends the one before."""
    in_window = known is not None and known.window_ends_at > now
    return VerificationCode(
        email=email_key(email),
        purpose=purpose,
        tries=0,
        issued_at=now,
        valid_until=now + CODE_LIFE,
        issued=known.issued + 1 if known is not None and in_window else 1,
        window_ends_at=known.window_ends_at if known is not None and in_window else now + CODE_WINDOW,
        code_hash=code_hash,
    )


def code_invalid() -> DomainError:
    """One error for wrong, used, expired and never issued codes."""
    return invalid("verification.code_invalid", "The code is wrong or no longer valid.", "/code")


def code_usable(known: VerificationCode | None, now: datetime) -> bool:
    return (
        known is not None and known.code_hash is not None and known.tries < MAX_CODE_TRIES and known.valid_until > now
    )
