"""Reading the audit log of an organisation, newest first. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from pynamodb.expressions.condition import Condition

from chalicelib.identity.model import AuditEvent
from chalicelib.identity.model.audit import ActorFacts, AuditFilter
from chalicelib.identity.store import (
    AUDIT_EVENTS,
    ORGANIZATIONS,
    USERS,
    AuditEventRow,
    audit_pk,
    audited_object,
    organization_key,
    user_key,
)
from chalicelib.identity.store.logins import API_KEYS, api_key_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.ids import lowest_id
from chalicelib.kernel.pages import Page, Step, page_of

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(3000, 1, 1, tzinfo=UTC)


def list_audit_events(
    ctx: Context,
    owner_id: str,
    wanted: AuditFilter,
    *,
    limit: int,
    cursor: str | None,
    keep: Callable[[AuditEvent], bool] = lambda event: True,
) -> Page[AuditEvent]:
    """The events of one log that `wanted` and `keep` keep."""
    steps = walk_audit_events(ctx, owner_id, wanted, cursor=cursor)
    return page_of(steps, limit, lambda event: wanted.keeps(event) and keep(event))


def walk_audit_events(
    ctx: Context, owner_id: str, wanted: AuditFilter, *, cursor: str | None = None
) -> Iterator[Step[AuditEvent]]:
    """The events of the time and the object that `wanted` names, each with the place after it; its other wishes
    (`wanted.keeps`) are the caller's to ask. One object's history is read through its index."""
    between = _between(wanted.date_from, wanted.date_to)
    if wanted.object_type is None or wanted.object_id is None:
        return AUDIT_EVENTS.walk(ctx, audit_pk(owner_id), between, newest_first=True, cursor=cursor)
    hash_value = audited_object(owner_id, wanted.object_type, wanted.object_id)
    return AUDIT_EVENTS.walk(
        ctx, hash_value, between, index=AuditEventRow.by_audited_object, newest_first=True, cursor=cursor
    )


def get_audit_event(ctx: Context, owner_id: str, audit_id: str) -> AuditEvent:
    """Raises audit_event.not_found."""
    event = AUDIT_EVENTS.get(ctx, audit_pk(owner_id), audit_id)
    if event is None:
        raise not_found("audit_event", audit_id)
    return event


def actors_of(ctx: Context, events: Iterable[AuditEvent]) -> Mapping[str, ActorFacts]:
    """Who did them, by `actor_id`, as they are called now: three reads for a page of events."""
    acting = {event.actor_id: event for event in events}
    users = USERS.batch_get(
        ctx, [user_key(event.actor_id) for event in acting.values() if event.actor_kind == "person"]
    )
    machines = [api_key_key(event.actor_id) for event in acting.values() if event.actor_kind == "api_key"]
    names = {user.user_id: user.full_name for user in users}
    names |= {api_key.api_key_id: api_key.name for api_key in API_KEYS.batch_get(ctx, machines)}
    organization_ids = dict.fromkeys(event.actor_organization_id for event in acting.values())
    found = ORGANIZATIONS.batch_get(ctx, [organization_key(one) for one in organization_ids if one is not None])
    titles = {organization.organization_id: organization.name for organization in found}
    return {
        actor_id: ActorFacts(
            name=names.get(actor_id),
            organization_id=event.actor_organization_id,
            organization_name=titles.get(event.actor_organization_id or ""),
        )
        for actor_id, event in acting.items()
    }


def _between(date_from: datetime | None, date_to: datetime | None) -> Condition:
    earliest = max(date_from or _FIRST, _FIRST)
    # DynamoDB refuses a range that ends before it begins; this one has nothing in it either.
    end = max(min(date_to or _LAST, _LAST), earliest)
    return AuditEventRow.sk.between(lowest_id("aud", earliest), lowest_id("aud", end))
