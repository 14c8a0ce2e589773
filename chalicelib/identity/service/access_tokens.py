"""Access and refresh tokens: what a signed-in client shows us.

An access token is a JWT (HS256, 15 minutes) that nobody looks up; a refresh token names its sign-in and generation
under a MAC, so that the store holds nothing one could sign in with. Time is our clock's, never the library's.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from chalicelib.identity.model import AccessClaims, SignIn, refresh_invalid
from chalicelib.kernel.clock import from_epoch_ms, to_epoch_ms
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, unauthenticated

ALGORITHM = "HS256"
ISSUER = "wattfare"
KEY_NAME = "access-token-key"
_REQUIRED = ["iss", "sub", "sid", "iat", "exp"]


def encode_access_token(ctx: Context, claims: AccessClaims) -> str:
    import jwt

    payload = {
        "iss": ISSUER,
        "sub": claims.login_id,
        "sid": claims.sign_in_id,
        "iat": to_epoch_ms(claims.issued_at) // 1000,
        "exp": to_epoch_ms(claims.expires_at) // 1000,
        "org": claims.organization_id,
        "kind": claims.organization_kind,
        "usr": claims.user_id,
        "drv": claims.driver_id,
    }
    present = {name: value for name, value in payload.items() if value}
    return jwt.encode(present, ctx.secret(KEY_NAME), algorithm=ALGORITHM)


def decode_access_token(ctx: Context, access_token: str) -> AccessClaims:
    """Raises auth.token_invalid, auth.token_expired (401)."""
    import jwt

    try:
        payload: dict[str, Any] = jwt.decode(
            access_token,
            ctx.secret(KEY_NAME),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        claims = AccessClaims(
            login_id=str(payload["sub"]),
            sign_in_id=str(payload["sid"]),
            issued_at=from_epoch_ms(int(payload["iat"]) * 1000),
            expires_at=from_epoch_ms(int(payload["exp"]) * 1000),
            organization_id=payload.get("org"),
            organization_kind=payload.get("kind"),
            user_id=payload.get("usr"),
            driver_id=payload.get("drv"),
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, OSError):
        raise _invalid() from None
    if claims.expires_at <= ctx.now():
        raise unauthenticated("auth.token_expired", "The access token has expired; refresh it.")
    return claims


def _invalid() -> DomainError:
    return unauthenticated("auth.token_invalid", "The access token is not one of ours.")


def encode_refresh_token(ctx: Context, sign_in: SignIn) -> str:
    """`<login id>.<sign-in id>.<generation>.<MAC>`; the same for the same generation, so a lost answer can be given
    again."""
    named = (sign_in.login_id, sign_in.sign_in_id, str(sign_in.generation))
    return ".".join((*named, keyed_hash(ctx, "refresh", *named)))


def decode_refresh_token(ctx: Context, refresh_token: str) -> tuple[str, str, int]:
    """`(login id, sign-in id, generation)`. Raises auth.refresh_invalid (401) for tokens that we did not make."""
    *named, mac = refresh_token.split(".")
    if len(named) != 3:
        raise refresh_invalid()
    login_id, sign_in_id, number = named
    if not (number.isascii() and number.isdecimal() and len(number) <= 9):
        raise refresh_invalid()
    if not hmac.compare_digest(mac.encode(), keyed_hash(ctx, "refresh", *named).encode()):
        raise refresh_invalid()
    return login_id, sign_in_id, int(number)


def keyed_hash(ctx: Context, purpose: str, *parts: str) -> str:
    """A MAC under the deployment's key; `purpose` keeps the uses of the key apart (a JWT has no NUL)."""
    message = "\x00".join((purpose, *parts)).encode()
    return hmac.new(ctx.secret(KEY_NAME).encode(), message, hashlib.sha256).hexdigest()
