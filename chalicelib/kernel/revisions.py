"""Edits that name what was read: the ETag of what counts its changes, and If-Match (RFC 9110, 8.8.3 and 13.1.1)."""

from __future__ import annotations

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.http import Request


def etag_of(revision: int) -> str:
    return f'"{revision}"'


def expected_revision(req: Request) -> int | None:
    """What If-Match names; None for whatever there is. One that we never gave out matches nothing (-1)."""
    expected = req.headers.get("if-match", "*").strip()
    if expected == "*":
        return None
    digits = expected.removeprefix('"').removesuffix('"')
    is_ours = len(digits) <= 15 and digits.isascii() and digits.isdecimal() and expected == etag_of(int(digits))
    return int(digits) if is_ours else -1


def check_revision(expected: int | None, revision: int, noun: str) -> None:
    """`expected`: what the caller read, None for whatever there is. Raises `<noun>.changed` (412)."""
    if expected is not None and expected != revision:
        words = noun.replace("_", " ")
        raise DomainError(f"{noun}.changed", f"The {words} was changed since it was read.", Kind.PRECONDITION)
