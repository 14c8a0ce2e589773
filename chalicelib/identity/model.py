"""Organisations, users, logins, sign-ins, and the rules that guard them. Pure.

One e-mail address is one login, which may open a user (somebody who works for an organisation), a driver, or both.
Whoever asks with an address learns nothing about whether it is known: rules here treat both alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Literal
from zoneinfo import available_timezones

from chalicelib.identity.permissions import GROUPS
from chalicelib.kernel.clock import from_epoch_ms
from chalicelib.kernel.errors import DomainError, Kind, invalid, unauthenticated
from chalicelib.kernel.ids import derived_id

OrganizationKind = Literal["platform", "manufacturer", "dealer", "operator", "agency"]
OrganizationState = Literal["active", "inactive"]
UserState = Literal["active", "inactive"]
CodePurpose = Literal["sign_up", "password_reset"]

PLATFORM_ID = derived_id("org", from_epoch_ms(0), "platform")
PLATFORM_ADMIN_GROUP = "platform_admin"
OPERATOR_ADMIN_GROUP = "operator_admin"

ACCESS_TOKEN_LIFE = timedelta(minutes=15)
SIGN_IN_LIFE = timedelta(days=30)
REFRESH_GRACE = timedelta(seconds=30)

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

MIN_PASSWORD_LENGTH = 8  # NIST SP 800-63B: length is what counts, no rules of composition
MAX_PASSWORD_LENGTH = 128

_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\x00-\x1f\x7f]+@[^\s@.<>\"(),:;\\]+(\.[^\s@.<>\"(),:;\\]+)+")
MAX_EMAIL_LENGTH = 254


@dataclass(frozen=True)
class Organization:
    """A node of the tree platform → manufacturer → dealer → operator → agency."""

    organization_id: str
    kind: str
    name: str
    email: str
    currency: str
    time_zone: str
    language: str
    created_at: datetime
    parent_id: str | None = None
    country: str | None = None
    phone: str | None = None
    state: str = "active"


@dataclass(frozen=True)
class User:
    """Somebody who works for an organisation. What they may do comes from their groups."""

    user_id: str
    organization_id: str
    email: str
    full_name: str
    groups: list[str]
    language: str
    created_at: datetime
    state: str = "active"


@dataclass(frozen=True)
class Login:
    """What an e-mail address and a password open. Without a password it waits for its first password reset.

    `password_version` counts the passwords: sign-ins made with an earlier one are void.
    """

    login_id: str
    email: str
    created_at: datetime
    password_hash: str | None = None
    password_version: int = 1
    user_id: str | None = None
    driver_id: str | None = None


@dataclass(frozen=True)
class LoginPointer:
    """Finds a login by its id: access tokens carry the id, never the address."""

    login_id: str
    email: str


@dataclass(frozen=True)
class SignIn:
    """One device that stays signed in by refresh tokens, of which only the newest `generation` is good."""

    sign_in_id: str
    login_id: str
    email: str
    password_version: int
    created_at: datetime
    rotated_at: datetime
    expires_at: int
    generation: int = 1


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


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says of its bearer."""

    login_id: str
    sign_in_id: str
    issued_at: datetime
    expires_at: datetime
    organization_id: str | None = None
    organization_kind: str | None = None
    user_id: str | None = None
    driver_id: str | None = None
    groups: list[str] = field(default_factory=list)


# -- addresses, passwords, places -----------------------------------------------------------------------------------


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


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_time_zone(name: str, pointer: str = "/time_zone") -> str:
    """Raises time_zone.unknown (422) unless IANA's database has the zone."""
    if name not in _time_zones():
        raise invalid("time_zone.unknown", f"{name!r} is not an IANA time zone.", pointer)
    return name


def check_groups(group_ids: list[str], organization_kind: str) -> list[str]:
    """Raises group.unknown (422): a group is for organisations of one kind, others cannot see it."""
    for position, group_id in enumerate(group_ids):
        group = GROUPS.get(group_id)
        if group is None or group.organization_kind != organization_kind:
            raise invalid("group.unknown", f"There is no group {group_id!r} here.", f"/groups/{position}")
    return sorted(set(group_ids))


# -- guessing ---------------------------------------------------------------------------------------------------------


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


# -- staying signed in ------------------------------------------------------------------------------------------------


def rotate(sign_in: SignIn, presented: int, now: datetime) -> SignIn | None:
    """The sign-in after its refresh token of generation `presented` was used; None means a stolen token.

    The newest token makes the next one. The one before it is answered with the newest again for a short while:
    its holder's answer was lost, or two tabs asked at once. Anything older has been used by two parties.
    Raises auth.refresh_invalid (401) when the sign-in is over.
    """
    if sign_in.expires_at <= now.timestamp():
        raise refresh_invalid()
    if presented == sign_in.generation:
        return replace(
            sign_in,
            generation=presented + 1,
            rotated_at=now,
            expires_at=int((now + SIGN_IN_LIFE).timestamp()),
        )
    if presented == sign_in.generation - 1 and now - sign_in.rotated_at <= REFRESH_GRACE:
        return sign_in
    return None


def refresh_invalid() -> DomainError:
    return unauthenticated("auth.refresh_invalid", "This sign-in is over; sign in again.")
