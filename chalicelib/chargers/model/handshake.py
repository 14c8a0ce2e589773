"""Who may connect: identity, security profile and subprotocol of a WebSocket handshake, decided purely.

Security profiles (1.6 whitepaper and 2.0.1 part 2, A00): 0 none, 1 Basic auth, 2 Basic auth over TLS, 3 TLS with a
client certificate.

Refusals carry the HTTP status for the upgrade and a reason for the installer, who reads it under connection
attempts. An unknown identity costs the same work as a wrong password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.chargers.model.places import Charger

PROTOCOLS = ("ocpp1.6", "ocpp2.0.1", "ocpp2.1")
"""Subprotocols that we speak; a charger that offers several gets the one it names first."""

ASSUMED_PROTOCOL = "ocpp1.6"
"""What a charger without a subprotocol is taken for, where its switch allows it."""

ATTEMPT_RETENTION_DAYS = 30

_MAX_OFFERED = 16
# A comma that is not escaped ends a part of a distinguished name.
_DN_COMMA = re.compile(r"(?<!\\),")
_DN_ESCAPE = re.compile(r"\\(.)")
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
class Viewer:
    """How a handshake came: over TLS or not, and with what client certificate. As the CDN vouches, never the client.

    `certificate_subject` is the subject's distinguished name (RFC 2253) of a certificate that the CDN has verified.
    """

    is_secure: bool = True
    certificate_subject: str | None = None

    @property
    def certificate_name(self) -> str | None:
        """The common name of the certificate's subject: in OCPP the charger's identity (1.6 whitepaper, A00.FR.509;
        2.0.1, A00.FR.509)."""
        return None if self.certificate_subject is None else common_name(self.certificate_subject)


OVER_TLS = Viewer()
"""What API Gateway itself lets through: TLS, and it does not ask for a client certificate."""


@dataclass(frozen=True)
class Accepted:
    """`subprotocol` is what the answer must echo, None if the charger offered none; `protocol` what is spoken.

    `profile` is the security profile that the handshake reached, `saw_new_password` whether it used the password that
    was set by command. `oddities` are reasons and details that an installer should see although the charger is in.
    """

    charger: Charger
    protocol: str
    subprotocol: str | None
    profile: int = 2
    saw_new_password: bool = False
    oddities: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Refused:
    """`status` 404 unknown identity, or out of service; 401 not proven to be the charger; 400 subprotocol. `reason` is
    a stable word, `detail` for people."""

    status: int
    reason: str
    detail: str


Handshake = Accepted | Refused


@dataclass(frozen=True)
class ConnectionAttempt:
    """A handshake that was refused, or (status 101) let in although something was odd about it. `charger_id` is the
    identity as presented (shortened), known or not."""

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
    charger: Charger | None,
    *,
    identity: str,
    authorization: str | None,
    offered: Sequence[str],
    key: bytes,
    viewer: Viewer = OVER_TLS,
) -> Handshake:
    """Checks identity, then who it is, then subprotocol. `offered` are values of Sec-WebSocket-Protocol headers.

    A charger is let in when it proves at least its security profile: a lower one is a downgrade (OCPP 1.6 whitepaper
    A05, 2.0.1 A05), refused whatever else is right.
    """
    proof = _prove(charger, identity, authorization, key, viewer)
    if charger is None:
        return Refused(404, "unknown_charger", "No charger is registered under this identity.")
    if charger.state == "inactive":
        return Refused(404, "decommissioned", "This charger was taken out of service.")
    if isinstance(proof, Refused):
        return proof
    if proof.profile < charger.security_profile:
        return _downgrade(charger.security_profile, viewer)
    names = split_protocols(offered)
    subprotocol = negotiate(names)
    if subprotocol is None and names:
        return Refused(400, "subprotocol_unsupported", f"None of {', '.join(names)[:100]} is spoken here.")
    if subprotocol is None and not charger.accepts_missing_subprotocol:
        return Refused(400, "subprotocol_missing", "The charger offered no subprotocol.")
    oddities = [*proof.oddities]
    if subprotocol is None:
        oddities.append(("subprotocol_assumed", f"The charger offered no subprotocol; {ASSUMED_PROTOCOL} is spoken."))
    return Accepted(
        charger,
        ASSUMED_PROTOCOL if subprotocol is None else subprotocol.lower(),
        subprotocol,
        proof.profile,
        proof.saw_new_password,
        tuple(oddities),
    )


@dataclass(frozen=True)
class _Proof:
    profile: int
    saw_new_password: bool = False
    oddities: tuple[tuple[str, str], ...] = ()


def _prove(
    charger: Charger | None, identity: str, authorization: str | None, key: bytes, viewer: Viewer
) -> _Proof | Refused:
    """The highest security profile that the handshake proves, or why it proves nothing.

    Does the work of a password comparison for unknown chargers too.
    """
    credentials = parse_authorization(authorization)
    user = identity if charger is None or charger.basic_auth_user is None else charger.basic_auth_user
    password = credentials.password_for(user) if credentials else None
    is_current, is_new = _compare(password or b"", charger, key)
    name = viewer.certificate_name
    if name is not None:
        if name.lower() == identity.lower():
            return _Proof(3, saw_new_password=is_new)
        return Refused(401, "certificate_differs", f"The client certificate is that of {name[:100]}.")
    profile = 2 if viewer.is_secure else 1
    if password is not None and is_new:
        return _Proof(profile, saw_new_password=True)
    if password is not None and is_current:
        waiting = charger is not None and charger.new_password_hash is not None
        return _Proof(profile, oddities=(_OLD_PASSWORD,) if waiting else ())
    refusal = _wrong_credentials(credentials, password)
    if charger is None or charger.security_profile > 0:
        return refusal
    return _Proof(0, oddities=() if credentials is None else ((refusal.reason, refusal.detail),))


_OLD_PASSWORD = ("old_password", "The charger still uses the password from before the last rotation.")


def _wrong_credentials(credentials: Credentials | None, password: bytes | None) -> Refused:
    if credentials is None:
        return Refused(401, "password_missing", "The charger sent no Basic authorization, or none that can be read.")
    if password is None:
        return Refused(401, "user_differs", "The user name of the Basic authorization is not the charger's identity.")
    return Refused(401, "password_wrong", "The password is not the one that was set for this charger.")


def _downgrade(wanted: int, viewer: Viewer) -> Refused:
    if wanted == 3:
        return Refused(401, "certificate_missing", "Security profile 3 wants a client certificate, and none was shown.")
    return Refused(401, "tls_missing", f"Security profile {wanted} wants TLS, and the charger came without.")


def common_name(subject: str) -> str | None:
    """The first CN of a distinguished name; RFC 2253 escapes are undone."""
    for part in _DN_COMMA.split(subject):
        attribute, _, value = part.strip().partition("=")
        if attribute.strip().upper() == "CN":
            return _DN_ESCAPE.sub(r"\1", value.strip())
    return None


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


def _compare(presented: bytes, charger: Charger | None, key: bytes) -> tuple[bool, bool]:
    """Whether the password is the charger's, and whether it is the one that was set by command and not yet seen.

    In constant time, the presented bytes and their other forms: the 1.6 AuthorizationKey is set in hex; some chargers
    then present the hex text, some the bytes that it means (security whitepaper 1.6, A00.FR.205; steve#1895).
    """
    current = _NO_HASH if charger is None else charger.password_hash
    new = (None if charger is None else charger.new_password_hash) or _NO_HASH
    hashes = [password_hash(form, key) for form in _forms(presented)]
    # Every form is compared, whichever matches: a list, not a generator.
    as_current = [hmac.compare_digest(known, current) for known in hashes]
    as_new = [hmac.compare_digest(known, new) for known in hashes]
    return any(as_current), any(as_new)


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
