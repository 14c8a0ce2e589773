"""Who may connect: identity, password and subprotocol of a WebSocket handshake, decided purely.

Refusals carry the HTTP status for the upgrade and a reason for the installer, who reads it under connection
attempts. An unknown identity costs the same work as a wrong password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.chargers.model.places import Charger

PROTOCOLS = ("ocpp1.6",)
"""Subprotocols that we speak."""

ASSUMED_PROTOCOL = "ocpp1.6"
"""What a charger without a subprotocol is taken for, where its switch allows it."""

ATTEMPT_RETENTION_DAYS = 30

_MAX_OFFERED = 16
_NO_HASH = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Credentials:
    """What Basic auth carried (RFC 7617): bytes, since chargers send binary passwords."""

    user_and_password: bytes

    def password_for(self, identity: str) -> bytes | None:
        """The password if the user is the identity, in whatever case; None if it is somebody else.

        RFC 7617 forbids a colon in the user, OCPP identities may contain one: so the identity is taken off first.
        """
        user = identity.lower().encode()
        head = self.user_and_password[: len(user) + 1]
        return self.user_and_password[len(user) + 1 :] if head.lower() == user + b":" else None


@dataclass(frozen=True)
class Accepted:
    """`subprotocol` is what the answer must echo, None if the charger offered none; `protocol` what is spoken."""

    charger: Charger
    protocol: str
    subprotocol: str | None


@dataclass(frozen=True)
class Refused:
    """`status` 404 unknown identity, 401 password, 400 subprotocol; `reason` a stable word, `detail` for people."""

    status: int
    reason: str
    detail: str


Handshake = Accepted | Refused


@dataclass(frozen=True)
class ConnectionAttempt:
    """A refused handshake. `charger_id` is the identity as presented (shortened), known or not."""

    attempt_id: str
    charger_id: str
    status: int
    reason: str
    detail: str
    source_ip: str
    offered_protocols: list[str]
    attempted_at: datetime
    operator_id: str | None = None


def decide_handshake(
    charger: Charger | None, *, identity: str, authorization: str | None, offered: Sequence[str], key: bytes
) -> Handshake:
    """Checks identity, then password, then subprotocol. `offered` are values of Sec-WebSocket-Protocol headers."""
    credentials = parse_authorization(authorization)
    password = credentials.password_for(identity) if credentials else None
    expected = charger.password_hash if charger is not None else _NO_HASH
    right = _password_matches(password or b"", expected, key)
    if charger is None:
        return Refused(404, "unknown_charger", "No charger is registered under this identity.")
    if credentials is None:
        return Refused(401, "password_missing", "The charger sent no Basic authorization.")
    if password is None:
        return Refused(401, "user_differs", "The user name of the Basic authorization is not the charger's identity.")
    if not right:
        return Refused(401, "password_wrong", "The password is not the one that was set for this charger.")
    names = split_protocols(offered)
    subprotocol = negotiate(names)
    if subprotocol is not None:
        return Accepted(charger, subprotocol.lower(), subprotocol)
    if names:
        return Refused(400, "subprotocol_unsupported", f"None of {', '.join(names)[:100]} is spoken here.")
    if charger.accepts_missing_subprotocol:
        return Accepted(charger, ASSUMED_PROTOCOL, None)
    return Refused(400, "subprotocol_missing", "The charger offered no subprotocol.")


def split_protocols(offered: Sequence[str]) -> list[str]:
    """The offered names in the charger's order: commas, blanks and empty members are survived (OCPP.Core#91)."""
    names = [name.strip() for value in offered for name in value.split(",")]
    return [name for name in names if name][:_MAX_OFFERED]


def negotiate(names: Sequence[str]) -> str | None:
    """The first offered name that we speak, as the charger wrote it."""
    return next((name for name in names if name.lower() in PROTOCOLS), None)


def parse_authorization(authorization: str | None) -> Credentials | None:
    """The bytes of a Basic authorization header, None if it is missing or unreadable."""
    scheme, _, encoded = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    encoded = encoded.strip()
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return Credentials(decoded) if b":" in decoded else None


def password_hash(password: bytes, key: bytes) -> str:
    """HMAC-SHA256 in hex. Passwords are long and random, so a slow hash would only cost time at each reconnect."""
    return hmac.new(key, password, hashlib.sha256).hexdigest()


def _password_matches(presented: bytes, expected: str, key: bytes) -> bool:
    """Compares in constant time, the presented bytes and their other forms.

    The 1.6 AuthorizationKey is set in hex; some chargers then present the hex text, some the bytes that it means
    (security whitepaper 1.6, A00.FR.205; steve#1895).
    """
    matches = [hmac.compare_digest(password_hash(form, key), expected) for form in _forms(presented)]
    return any(matches)


def _forms(presented: bytes) -> tuple[bytes, ...]:
    try:
        meant = bytes.fromhex(presented.decode("ascii"))
    except ValueError:
        meant = presented
    is_hex = meant is not presented
    return (
        presented,
        meant,
        presented.hex().encode(),
        presented.hex().upper().encode(),
        presented.lower() if is_hex else presented,
        presented.upper() if is_hex else presented,
    )
