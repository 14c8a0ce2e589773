"""API keys of one's own organisation: how its machines sign in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec

from chalicelib.identity.api_operator.common import api
from chalicelib.identity.model import shown_name
from chalicelib.identity.model.api_keys import GRACE, LONGEST_GRACE, MAX_ALLOWED_IPS, ApiKey
from chalicelib.identity.service import api_keys
from chalicelib.kernel.http import Moment, PageQuery, PageView, Request, Shape, check_moment, page_view
from chalicelib.kernel.texts import NameText

GRACE_S = int(GRACE.total_seconds())
LONGEST_GRACE_S = int(LONGEST_GRACE.total_seconds())


class ApiKeyCreate(Shape):
    """`permissions`: of one's own, those that the machine needs. `allowed_ips`: addresses or networks (CIDR) from
    which alone the key is good; empty is everywhere."""

    name: NameText
    permissions: Annotated[list[str], msgspec.Meta(max_length=200)]
    expires_at: Moment | None = None
    allowed_ips: Annotated[list[str], msgspec.Meta(max_length=MAX_ALLOWED_IPS)] = msgspec.field(default_factory=list)


class ApiKeyRotation(Shape):
    """The secret before is good for `grace_s` more seconds; 0 ends it at once."""

    grace_s: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_GRACE_S)] = GRACE_S


class ApiKeyView(Shape):
    """`prefix` begins the key, by which one finds it again; `last_used_at` is to the hour. `region_ids` and
    `vending_point_ids`: where it works, as its maker did; empty is everywhere."""

    api_key_id: str
    name: str
    prefix: str
    permissions: list[str]
    state: Literal["active", "expired", "revoked"]
    created_at: datetime
    created_by: str
    region_ids: list[str]
    vending_point_ids: list[str]
    allowed_ips: list[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    rotated_at: datetime | None
    previous_secret_until: datetime | None
    revoked_at: datetime | None


class ApiKeySecretView(ApiKeyView):
    """`api_key` is what the machine sends as its bearer; nobody can read it again."""

    api_key: str


class ApiKeyQuery(PageQuery):
    state: Literal["active", "expired", "revoked"] | None = None


def api_key_view(api_key: ApiKey, now: datetime) -> ApiKeyView:
    return ApiKeyView(
        api_key_id=api_key.api_key_id,
        name=api_key.name,
        prefix=api_key.prefix,
        permissions=api_key.permissions,
        state=api_key.state(now),
        created_at=api_key.created_at,
        created_by=api_key.created_by,
        region_ids=api_key.region_ids,
        vending_point_ids=api_key.vending_point_ids,
        allowed_ips=api_key.allowed_ips,
        expires_at=api_key.expires_at,
        last_used_at=api_key.last_used_at,
        rotated_at=api_key.rotated_at,
        previous_secret_until=api_key.previous_until,
        revoked_at=api_key.revoked_at,
    )


@api.post("/v1/api-keys", permission="api_keys:write")
def create_api_key(req: Request, body: ApiKeyCreate) -> ApiKeySecretView:
    """Makes a key, which is shown this once.

    It is the organisation's: it goes on when its maker leaves, until it is revoked or expires. No key can add users,
    organisations or keys, or change groups.
    """
    expires_at = None if body.expires_at is None else check_moment(body.expires_at, "/expires_at")
    new = api_keys.NewApiKey(shown_name(body.name), body.permissions, expires_at, body.allowed_ips)
    api_key, text = api_keys.create_api_key(req.uow, req.actor, new)
    view = api_key_view(api_key, req.ctx.now())
    req.audit("api_key", api_key.api_key_id, after=view)
    return _with_text(view, text)


@api.get("/v1/api-keys", permission="api_keys:read")
def list_api_keys(req: Request, query: ApiKeyQuery) -> PageView[ApiKeyView]:
    """The keys of one's own organisation, oldest first."""
    page = api_keys.list_api_keys(
        req.ctx, req.organization_id, state=query.state, limit=query.limit, cursor=query.cursor
    )
    return page_view(page, lambda api_key: api_key_view(api_key, req.ctx.now()))


@api.get("/v1/api-keys/{api_key_id}", permission="api_keys:read")
def get_api_key(req: Request, api_key_id: str) -> ApiKeyView:
    """One key, without its secret."""
    return api_key_view(_own(req, api_key_id), req.ctx.now())


@api.delete("/v1/api-keys/{api_key_id}", permission="api_keys:write")
def revoke_api_key(req: Request, api_key_id: str) -> None:
    """Revokes a key for good: within 30 seconds nothing accepts it any more."""
    api_key = _own(req, api_key_id)
    revoked = api_keys.revoke_api_key(req.uow, api_key)
    now = req.ctx.now()
    req.audit("api_key", api_key_id, before=api_key_view(api_key, now), after=api_key_view(revoked, now))


@api.post("/v1/api-keys/{api_key_id}/rotation", permission="api_keys:write")
def rotate_api_key(req: Request, api_key_id: str, body: ApiKeyRotation) -> ApiKeySecretView:
    """Gives a key a new secret, shown this once; the one before stays good for a while, so that machines can follow.

    Who may not do what the key may gets no secret of it (403).
    """
    api_key = _own(req, api_key_id)
    rotated, text = api_keys.rotate_api_key(req.uow, req.actor, api_key, timedelta(seconds=body.grace_s))
    now = req.ctx.now()
    view = api_key_view(rotated, now)
    req.audit("api_key", api_key_id, before=api_key_view(api_key, now), after=view)
    return _with_text(view, text)


def _own(req: Request, api_key_id: str) -> ApiKey:
    return api_keys.get_api_key(req.ctx, req.organization_id, api_key_id)


def _with_text(view: ApiKeyView, text: str) -> ApiKeySecretView:
    return ApiKeySecretView(**msgspec.structs.asdict(view), api_key=text)
