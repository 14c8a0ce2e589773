"""API keys: made, found, used, rotated, revoked.

A warm process remembers a key for KEY_AGE_S: the process that revokes one refuses it at once, any other that much later
at most. Wrong keys are counted per IP; right ones are never refused for it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pynamodb.expressions.condition import Condition

from chalicelib.identity.model import api_keys as model
from chalicelib.identity.model.api_keys import ApiKey, ApiKeyState
from chalicelib.identity.permissions import within
from chalicelib.identity.service.access_tokens import keyed_hash
from chalicelib.identity.service.guessing import count_wrong_guess, refuse_guesser
from chalicelib.identity.service.organizations import find_organization
from chalicelib.identity.service.rights import is_working
from chalicelib.identity.store import ByOrganization
from chalicelib.identity.store.logins import API_KEY_PREFIX, API_KEYS, ApiKeyRow, api_key_key
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.cache import Cache
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, forbidden, not_found
from chalicelib.kernel.pages import Page, Step, page_of
from chalicelib.kernel.table import actions_of
from chalicelib.kernel.unit_of_work import UnitOfWork

KEY_AGE_S: Final = 30.0
SECRET_BYTES: Final = 24


@dataclass(frozen=True)
class NewApiKey:
    name: str
    permissions: list[str]
    expires_at: datetime | None = None
    allowed_ips: Sequence[str] = ()


@dataclass(frozen=True)
class _Known:
    """What a warm process remembers; `organization_kind` None: the organisation is not active."""

    api_key: ApiKey
    organization_kind: str | None


def create_api_key(uow: UnitOfWork, actor: Actor, new: NewApiKey) -> tuple[ApiKey, str]:
    """The key and the text that machines present, which is shown this once. It works where its maker does.

    Raises api_key.permissions_missing, permission.unknown, permission.not_for_keys, api_key.address,
    api_key.expires_at (422), forbidden (403), api_key.too_many (409).
    """
    ctx = uow.ctx
    organization_id = actor.organization_id or ""
    permissions = model.check_permissions(new.permissions, actor)
    if _count_active(ctx, organization_id) >= model.MAX_KEYS:
        raise model.too_many()
    api_key_id, secret = ctx.new_id("key"), _new_secret()
    api_key = ApiKey(
        api_key_id=api_key_id,
        organization_id=organization_id,
        name=new.name,
        permissions=permissions,
        secret_hash=_hash(ctx, api_key_id, secret),
        created_at=ctx.now(),
        created_by=actor.person_id,
        region_ids=sorted(actor.region_ids or ()),
        vending_point_ids=sorted(actor.vending_point_ids or ()),
        allowed_ips=model.check_allowed_ips(new.allowed_ips),
        expires_at=model.check_end(new.expires_at, ctx.now()),
    )
    uow.create(API_KEYS, api_key)
    return api_key, model.bearer_text(api_key, secret)


def get_api_key(ctx: Context, organization_id: str, api_key_id: str) -> ApiKey:
    """Raises api_key.not_found (404), for another organisation's too."""
    api_key = API_KEYS.get(ctx, *api_key_key(api_key_id))
    if api_key is None or api_key.organization_id != organization_id:
        raise not_found("api_key", api_key_id)
    return api_key


def list_api_keys(
    ctx: Context, organization_id: str, *, state: ApiKeyState | None, limit: int, cursor: str | None
) -> Page[ApiKey]:
    """An organisation's keys, oldest first."""
    now = ctx.now()
    return page_of(
        _walk(ctx, organization_id, cursor), limit, lambda api_key: state is None or api_key.state(now) == state
    )


def revoke_api_key(uow: UnitOfWork, api_key: ApiKey) -> ApiKey:
    """The second click changes nothing."""
    if api_key.revoked_at is not None:
        return api_key
    ctx = uow.ctx
    revoked = replace(api_key, revoked_at=ctx.now(), previous_hash=None, previous_until=None)
    uow.put(API_KEYS, revoked, condition=_unchanged(api_key))
    uow.then(lambda: _cache(ctx).forget(api_key.api_key_id))
    return revoked


def rotate_api_key(uow: UnitOfWork, actor: Actor, api_key: ApiKey, grace: timedelta) -> tuple[ApiKey, str]:
    """A new secret, shown this once; the one before is good for `grace`.

    Raises forbidden (403) for a key that may do what the asker may not, api_key.not_active (409).
    """
    ctx = uow.ctx
    model.check_may_hand_out(api_key, actor)
    if api_key.state(ctx.now()) != "active":
        raise model.not_active()
    secret = _new_secret()
    rotated = api_key.rotated(_hash(ctx, api_key.api_key_id, secret), grace, ctx.now())
    uow.put(API_KEYS, rotated, condition=_unchanged(api_key))
    uow.then(lambda: _cache(ctx).forget(api_key.api_key_id))
    return rotated, model.bearer_text(rotated, secret)


def authenticate_key(ctx: Context, text: str, source_ip: str) -> Actor:
    """The actor of a key. Raises auth.api_key_invalid (401), auth.too_many_attempts (429), forbidden (403)."""
    found = _find(ctx, text)
    if found is None:
        refuse_guesser(ctx, source_ip)
        count_wrong_guess(ctx, source_ip)
        raise model.api_key_invalid()
    known, hashed = found
    api_key, kind, now = known.api_key, known.organization_kind, ctx.now()
    if kind is None or api_key.state(now) != "active" or hashed not in api_key.good_hashes(now):
        raise model.api_key_invalid()
    if not api_key.allows_from(source_ip):
        raise forbidden("This API key is not good from this address.")
    if api_key.tells_use(now):
        _cache(ctx).put(api_key.api_key_id, replace(known, api_key=api_key.used(now)))
        ctx.afterwards.add(_tell_use, api_key.used(now))
    return Actor(
        "api_key",
        login_id=api_key.api_key_id,
        api_key_id=api_key.api_key_id,
        organization_id=api_key.organization_id,
        organization_kind=kind,
        permissions=within(api_key.permissions, kind) - model.NEVER_HELD,
        region_ids=frozenset(api_key.region_ids) or None,
        vending_point_ids=frozenset(api_key.vending_point_ids) or None,
        source_ip=source_ip,
    )


def _find(ctx: Context, text: str) -> tuple[_Known, str] | None:
    """The key whose secret this is or was, and the secret's hash; None for what somebody guessed."""
    parsed = model.parse_bearer_text(text)
    known = None if parsed is None else _cache(ctx).get_or_load(parsed[0], lambda: _load(ctx, parsed[0]))
    if parsed is None or known is None:
        return None
    hashed = _hash(ctx, *parsed)
    secrets_it_had = (known.api_key.secret_hash, known.api_key.previous_hash)
    is_right = any(hmac.compare_digest(hashed, one) for one in secrets_it_had if one is not None)
    return (known, hashed) if is_right else None


def _load(ctx: Context, api_key_id: str) -> _Known | None:
    api_key = API_KEYS.get(ctx, *api_key_key(api_key_id))
    if api_key is None:
        return None
    organization = find_organization(ctx, api_key.organization_id)
    is_active = organization is not None and is_working(ctx, organization)
    return _Known(api_key, organization.kind if organization is not None and is_active else None)


def _tell_use(ctx: Context, used: list[ApiKey]) -> None:
    """Once an hour and key, after the answer: nothing depends on it."""
    for api_key in used:
        uow = UnitOfWork(ctx)
        uow.update(
            API_KEYS,
            api_key_key(api_key.api_key_id),
            actions_of(ApiKeyRow, {"last_used_at": api_key.last_used_at}),
            condition=ApiKeyRow.pk.exists()
            & (ApiKeyRow.last_used_at.does_not_exist() | (ApiKeyRow.last_used_at < api_key.last_used_at)),
        )
        try:
            uow.commit()
        except StaleRead:
            continue


def _unchanged(api_key: ApiKey) -> Condition:
    """Nobody rotated or revoked it since it was read. That it was used meanwhile may be forgotten."""
    unchanged: Condition = (ApiKeyRow.secret_hash == api_key.secret_hash) & ApiKeyRow.revoked_at.does_not_exist()
    return unchanged


def _walk(ctx: Context, organization_id: str, cursor: str | None = None) -> Iterator[Step[ApiKey]]:
    return API_KEYS.walk(
        ctx,
        organization_id,
        ByOrganization.pk.startswith(API_KEY_PREFIX),
        index=ApiKeyRow.by_organization,
        cursor=cursor,
    )


def _count_active(ctx: Context, organization_id: str) -> int:
    now = ctx.now()
    return sum(1 for api_key, _ in _walk(ctx, organization_id) if api_key.state(now) == "active")


def _new_secret() -> str:
    return secrets.token_hex(SECRET_BYTES)


def _hash(ctx: Context, api_key_id: str, secret: str) -> str:
    return keyed_hash(ctx, "api_key", api_key_id, secret)


def _cache(ctx: Context) -> Cache[_Known]:
    return ctx.cache("identity.api_keys", size=10_000, ttl_s=KEY_AGE_S)
