"""Addresses, passwords and zones as people type them. Pure."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from chalicelib.kernel.errors import invalid

MIN_PASSWORD_LENGTH = 8  # NIST SP 800-63B: length is what counts, no rules of composition
MAX_PASSWORD_LENGTH = 128

_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\x00-\x1f\x7f]+@[^\s@.<>\"(),:;\\]+(\.[^\s@.<>\"(),:;\\]+)+")
MAX_EMAIL_LENGTH = 254


def email_key(email: str) -> str:
    """What an address is stored under: addresses differ only by more than case."""
    return email.strip().lower()


def check_email(email: str, pointer: str = "/email") -> str:
    """The address without surrounding blanks. Raises email.invalid (422)."""
    trimmed = email.strip()
    if len(trimmed) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(trimmed):
        raise invalid("email.invalid", "This is not an e-mail address.", pointer)
    return trimmed


def check_password(password: str, pointer: str = "/password") -> str:
    """Raises password.too_short, password.too_long (422). Counted in characters; nothing is cut off."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise invalid("password.too_short", f"A password has at least {MIN_PASSWORD_LENGTH} characters.", pointer)
    if len(password) > MAX_PASSWORD_LENGTH:
        raise invalid("password.too_long", f"A password has at most {MAX_PASSWORD_LENGTH} characters.", pointer)
    return password


_NO_ZONES = {"localtime", "posixrules", "Factory"}
"""What may stand among the zones of a machine and is none: its own clock, and IANA's mark of one that is not set."""


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NO_ZONES)


def check_time_zone(name: str, pointer: str = "/time_zone") -> str:
    """Raises time_zone.unknown (422) unless IANA's database has the zone."""
    if name not in _time_zones():
        raise invalid("time_zone.unknown", f"{name!r} is not an IANA time zone.", pointer)
    return name
