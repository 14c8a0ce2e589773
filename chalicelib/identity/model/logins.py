"""Logins and the sign-ins made with them. Pure.

One e-mail address is one login, which may open a user (somebody who works for an organisation), a driver, or both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel.errors import DomainError, unauthenticated

ACCESS_TOKEN_LIFE = timedelta(minutes=15)
SIGN_IN_LIFE = timedelta(days=30)
REFRESH_GRACE = timedelta(seconds=30)


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
class AccessClaims:
    """What an access token says of its bearer: who, not what they may do (`service/rights.py`)."""

    login_id: str
    sign_in_id: str
    issued_at: datetime
    expires_at: datetime
    organization_id: str | None = None
    organization_kind: str | None = None
    user_id: str | None = None
    driver_id: str | None = None


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
