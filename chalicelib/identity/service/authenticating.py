"""Who asks: the actor behind the bearer of a request, a person's access token or a machine's API key."""

from __future__ import annotations

from chalicelib.identity.model import NO_RIGHTS
from chalicelib.identity.model.api_keys import is_bearer_text
from chalicelib.identity.service import access_tokens
from chalicelib.identity.service.api_keys import authenticate_key
from chalicelib.identity.service.rights import rights_of
from chalicelib.identity.service.sign_ins import is_ended
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import unauthenticated


def authenticate(ctx: Context, bearer: str, source_ip: str) -> Actor:
    """Rights, and whether the sign-in or the key still stands, are those of this half minute.

    Raises auth.token_invalid, auth.token_expired, auth.sign_in_ended, auth.api_key_invalid (401),
    auth.too_many_attempts (429), forbidden (403, a key from where it is not allowed).
    """
    return authenticate_key(ctx, bearer, source_ip) if is_bearer_text(bearer) else _person(ctx, bearer, source_ip)


def _person(ctx: Context, access_token: str, source_ip: str) -> Actor:
    claims = access_tokens.decode_access_token(ctx, access_token)
    if is_ended(ctx, claims.login_id, claims.sign_in_id):
        raise unauthenticated("auth.sign_in_ended", "This sign-in was ended; sign in again.")
    rights = NO_RIGHTS if claims.user_id is None else rights_of(ctx, claims.user_id)
    is_user = bool(rights.permissions)
    return Actor(
        "person",
        login_id=claims.login_id,
        sign_in_id=claims.sign_in_id,
        organization_id=claims.organization_id if is_user else None,
        organization_kind=claims.organization_kind if is_user else None,
        user_id=claims.user_id,
        driver_id=claims.driver_id,
        permissions=rights.permissions,
        region_ids=rights.region_ids,
        vending_point_ids=rights.vending_point_ids,
        source_ip=source_ip,
    )
