"""Endpoints: made, changed, their secrets rotated, taken away. Secrets are sealed; one is shown when it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.webhooks import model
from chalicelib.webhooks.model import Endpoint
from chalicelib.webhooks.service.subscribing import note_wishes
from chalicelib.webhooks.store import ENDPOINT_ROWS, EndpointRow, endpoints_pk

PURPOSE = "webhook"


@dataclass(frozen=True)
class NewEndpoint:
    url: str
    event_types: Sequence[str]
    description: str = ""


def create_endpoint(uow: UnitOfWork, organization_id: str, new: NewEndpoint, *, by: str) -> tuple[Endpoint, str]:
    """The endpoint and its secret, which nobody can read again. Raises webhook_endpoint.url, webhook_endpoint.too_many.
    The types are checked by the caller, who knows which there are."""
    ctx = uow.ctx
    others = list_endpoints(ctx, organization_id)
    if len(others) >= model.MAX_ENDPOINTS:
        raise conflict("webhook_endpoint.too_many", f"An organisation has {model.MAX_ENDPOINTS} endpoints at most.")
    endpoint_id, secret = ctx.new_id("whe"), model.new_secret()
    endpoint = Endpoint(
        endpoint_id=endpoint_id,
        organization_id=organization_id,
        url=model.check_url(new.url, allows_loopback=ctx.settings.webhook_loopback == "on"),
        description=new.description,
        event_types=list(new.event_types),
        state="active",
        sealed_secret=identity.seal(ctx, PURPOSE, endpoint_id, secret),
        created_at=ctx.now(),
        created_by=by,
    )
    uow.create(ENDPOINT_ROWS, endpoint)
    note_wishes(uow, organization_id, [*others, endpoint])
    return endpoint, secret


def find_endpoint(ctx: Context, organization_id: str, endpoint_id: str) -> Endpoint | None:
    return ENDPOINT_ROWS.get(ctx, endpoints_pk(organization_id), endpoint_id)


def get_endpoint(ctx: Context, organization_id: str, endpoint_id: str) -> Endpoint:
    """Raises webhook_endpoint.not_found (404), for another organisation's too."""
    endpoint = find_endpoint(ctx, organization_id, endpoint_id)
    if endpoint is None:
        raise not_found("webhook_endpoint", endpoint_id)
    return endpoint


def list_endpoints(ctx: Context, organization_id: str) -> list[Endpoint]:
    """All of an organisation, oldest first."""
    return list(ENDPOINT_ROWS.query_all(ctx, endpoints_pk(organization_id), consistent=True))


def change_endpoint(uow: UnitOfWork, endpoint: Endpoint, changes: Mapping[str, Any]) -> Endpoint:
    """`changes`: url, description, event_types, state. Raises webhook_endpoint.url (422)."""
    given = dict(changes)
    state = given.pop("state", endpoint.state)
    if "url" in given:
        given["url"] = model.check_url(given["url"], allows_loopback=uow.ctx.settings.webhook_loopback == "on")
    changed = replace(endpoint, **given)
    if state == "active":
        changed = model.enabled(changed) if endpoint.state == "disabled" else changed
    else:
        changed = model.disabled(changed, "by_hand", uow.ctx.now())
    return save_endpoint(uow, endpoint, changed)


def rotate_secret(uow: UnitOfWork, endpoint: Endpoint, grace: timedelta) -> tuple[Endpoint, str]:
    """A new secret, shown this once; the one before signs beside it for `grace`."""
    secret = model.new_secret()
    sealed = identity.seal(uow.ctx, PURPOSE, endpoint.endpoint_id, secret)
    return save_endpoint(uow, endpoint, model.rotated(endpoint, sealed, grace, uow.ctx.now())), secret


def delete_endpoint(uow: UnitOfWork, endpoint: Endpoint) -> None:
    """What waits for it is cancelled at its next turn."""
    unchanged = EndpointRow.revision == endpoint.revision
    uow.delete(ENDPOINT_ROWS, ENDPOINT_ROWS.key_of(endpoint), condition=unchanged)
    others = [
        other
        for other in list_endpoints(uow.ctx, endpoint.organization_id)
        if other.endpoint_id != endpoint.endpoint_id
    ]
    note_wishes(uow, endpoint.organization_id, others)


def save_endpoint(uow: UnitOfWork, before: Endpoint, after: Endpoint) -> Endpoint:
    """Writes the endpoint if nobody changed it since it was read, and what its organisation wants now."""
    saved = replace(after, revision=before.revision + 1)
    unchanged = EndpointRow.revision == before.revision
    uow.put(ENDPOINT_ROWS, saved, condition=unchanged, on_conflict=StaleRead("The webhook endpoint"))
    if (saved.state, saved.event_types) != (before.state, before.event_types):
        others = list_endpoints(uow.ctx, saved.organization_id)
        now = [saved if other.endpoint_id == saved.endpoint_id else other for other in others]
        note_wishes(uow, saved.organization_id, now)
    return saved


def open_secrets(ctx: Context, endpoint: Endpoint) -> list[str]:
    """The secrets that sign now, the newest first."""
    return [
        identity.unseal(ctx, PURPOSE, endpoint.endpoint_id, sealed) for sealed in endpoint.sealed_secrets(ctx.now())
    ]
