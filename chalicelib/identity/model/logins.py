"""Logins and the sign-ins made with them. Pure.

One e-mail address is one login, which may open a user (somebody who works for an organisation), a driver, or both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.identity.model.texts import email_key
from chalicelib.identity.model.users import user_name_key
from chalicelib.kernel.errors import DomainError, invalid, unauthenticated

ACCESS_TOKEN_LIFE = timedelta(minutes=15)
SIGN_IN_LIFE = timedelta(days=30)
REFRESH_GRACE = timedelta(seconds=30)
MAX_SIGN_INS = 30
"""Per login: beyond it the one that was longest not used ends. All of them end in one transaction."""


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
class SignInName:
    """What somebody signs in with: `text` is an e-mail address or a user name, as it was typed."""

    kind: Literal["email", "user_name"]
    text: str

    @property
    def subject(self) -> str:
        """What attempts and codes are counted under. An address and a user name of the same login are counted apart:
        else the answers would tell that they belong together."""
        if self.kind == "email":
            return f"email#{email_key(self.text)}"
        return f"user_name#{user_name_key(self.text.strip())}"

    @property
    def code_subject(self) -> str:
        """What a mailed code is kept under: the address, or what no address can be."""
        return email_key(self.text) if self.kind == "email" else self.subject


def sign_in_name(email: str | None, user_name: str | None) -> SignInName:
    """Raises sign_in.name (422) unless exactly one of them is given."""
    if email is not None and user_name is None:
        return SignInName("email", email)
    if user_name is not None and email is None:
        return SignInName("user_name", user_name)
    pointer = "/email" if email is None else "/user_name"
    raise invalid("sign_in.name", "Give the e-mail address or the user name: one of them.", pointer)


@dataclass(frozen=True)
class Device:
    """From where somebody asks: what the client calls itself, and its address."""

    label: str = ""
    source_ip: str = ""


@dataclass(frozen=True)
class SignIn:
    """One device that stays signed in by refresh tokens, of which only the newest `generation` is good.

    `device` and `source_ip` are those of its last use. One that was ended stays until its access tokens have run out,
    so that they are refused, and says no more of its owner.
    """

    sign_in_id: str
    login_id: str
    email: str
    password_version: int
    created_at: datetime
    rotated_at: datetime
    expires_at: int
    generation: int = 1
    device: str = ""
    source_ip: str = ""
    ended_at: datetime | None = None

    def is_live(self, login: Login, now: datetime) -> bool:
        in_time = self.ended_at is None and self.expires_at > now.timestamp()
        return in_time and self.password_version == login.password_version

    def ended(self, now: datetime) -> SignIn:
        gone = int((now + ACCESS_TOKEN_LIFE).timestamp())
        return replace(self, ended_at=now, expires_at=gone, email="", device="", source_ip="")


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


def rotate(sign_in: SignIn, presented: int, now: datetime, device: Device | None = None) -> SignIn | None:
    """The sign-in after its refresh token of generation `presented` was used; None means a stolen token.

    The newest token makes the next one. The one before it is answered with the newest again for a short while:
    its holder's answer was lost, or two tabs asked at once. Anything older has been used by two parties.
    Raises auth.refresh_invalid (401) when the sign-in is over.
    """
    if sign_in.ended_at is not None or sign_in.expires_at <= now.timestamp():
        raise refresh_invalid()
    if presented == sign_in.generation:
        seen = device or Device()
        return replace(
            sign_in,
            generation=presented + 1,
            rotated_at=now,
            expires_at=int((now + SIGN_IN_LIFE).timestamp()),
            device=seen.label or sign_in.device,
            source_ip=seen.source_ip or sign_in.source_ip,
        )
    if presented == sign_in.generation - 1 and now - sign_in.rotated_at <= REFRESH_GRACE:
        return sign_in
    return None


def wrong_password() -> DomainError:
    """One error for unknown names and wrong passwords."""
    return unauthenticated("auth.failed", "The e-mail address, the user name or the password is wrong.")


def refresh_invalid() -> DomainError:
    return unauthenticated("auth.refresh_invalid", "This sign-in is over; sign in again.")
