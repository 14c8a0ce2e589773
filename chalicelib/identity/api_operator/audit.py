"""The audit log of an organisation: who did what to which object. Written by `identity/service/auditing.py` alone.

A user who is narrowed to regions or vending points sees what they did themselves: the log does not say where things
stood when they were changed. Who looks into a log from above sees there what their own kind may see at all: of an
operator's drivers, prices and money a dealer learns nothing, here either.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from chalicelib.identity import service
from chalicelib.identity.api_operator.common import api
from chalicelib.identity.model import AuditEvent
from chalicelib.identity.model.audit import ActorFacts, ActorKind, AuditFilter
from chalicelib.identity.permissions import grantable
from chalicelib.identity.scope import may_see, visible_organization
from chalicelib.identity.service.auditing import UNSAID
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Moment, PageQuery, PageView, Request, Shape, check_span, page_view

WordText = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
IdText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

SHOWN_WITH: Final = {
    "charger_group_driver": "drivers:read",
    "driver": "drivers:read",
    "driver_group": "drivers:read",
    "driver_group_driver": "drivers:read",
    "enterprise": "enterprises:read",
    "enterprise_member": "enterprises:read",
    "feedback": "feedback:read",
    "id_token": "id_tokens:read",
    "invoice": "enterprises:read",
    "invoice_payment": "enterprises:read",
    "tariff": "tariffs:read",
    "tariff_assignment": "tariffs:read",
    "vending_point": "vending_points:read",
    "wallet": "wallets:read",
}
"""Objects that not every kind of organisation may see: what shows them elsewhere, by the type that the log knows."""


class AuditLogQuery(Shape):
    """`organization_id`: whose log, one's own unless one of the subtree is named."""

    organization_id: IdText | None = None


class AuditEventsQuery(PageQuery):
    """`organization_id`: whose log, one's own unless one of the subtree is named. `object_type` and `object_id`
    together give the history of one object. `date_from` is included, `date_to` is not."""

    organization_id: IdText | None = None
    object_type: WordText | None = None
    object_id: IdText | None = None
    actor_id: IdText | None = None
    action: WordText | None = None
    api_key_id: IdText | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None


class ActorView(Shape):
    """A user (`person`), a machine (`api_key`) or a `driver`; `name` and organisation as they are called now."""

    kind: ActorKind
    id: str
    name: str | None
    organization_id: str | None
    organization_name: str | None


class AuditEventView(Shape):
    """`action` is the operation of this API; `before` and `after` are the members that differ: of a new object all it
    has, of one that is gone all it had. Passwords and other secrets read `***`. `source_ip` is not shown of those who
    are not in the reader's own organisation or below it."""

    audit_id: str
    organization_id: str
    at: datetime
    action: str
    object_type: str
    object_id: str
    actor: ActorView
    api_key_id: str | None
    source_ip: str | None
    request_id: str
    before: dict[str, Any]
    after: dict[str, Any]


@api.get("/v1/audit-events", permission="audit:read")
def list_audit_events(req: Request, query: AuditEventsQuery) -> PageView[AuditEventView]:
    """Who did what to which object, newest first.

    What those above did to an organisation's objects is in its log too.
    """
    date_from, date_to = check_span(query.date_from, query.date_to)
    page = service.list_audit_events(
        req.ctx,
        _log(req, query.organization_id),
        AuditFilter(
            object_type=query.object_type,
            object_id=query.object_id,
            actor_id=query.actor_id,
            action=query.action,
            api_key_id=query.api_key_id,
            date_from=date_from,
            date_to=date_to,
        ),
        limit=query.limit,
        cursor=query.cursor,
        keep=lambda event: _may_read(req, event),
    )
    actors = service.actors_of(req.ctx, page.data)
    return page_view(page, lambda event: _view(req, event, actors))


@api.get("/v1/audit-events/{audit_id}", permission="audit:read")
def get_audit_event(req: Request, audit_id: str, query: AuditLogQuery) -> AuditEventView:
    """One event of the log."""
    event = service.get_audit_event(req.ctx, _log(req, query.organization_id), audit_id)
    if not _may_read(req, event):
        raise not_found("audit_event", audit_id)
    return _view(req, event, service.actors_of(req.ctx, [event]))


def _log(req: Request, organization_id: str | None) -> str:
    return visible_organization(req, organization_id or req.organization_id)


def _may_read(req: Request, event: AuditEvent) -> bool:
    if req.actor.is_narrowed and event.actor_id != req.actor.person_id:
        return False
    if req.actor.is_platform or event.owner_id == req.organization_id:
        return True
    # What was kept as it was sent may be about anything.
    needed = SHOWN_WITH.get(event.object_type)
    is_grantable = needed is None or needed in grantable(req.actor.organization_kind or "")
    return is_grantable and event.object_type != UNSAID


def _view(req: Request, event: AuditEvent, actors: Mapping[str, ActorFacts]) -> AuditEventView:
    actor = actors.get(event.actor_id, ActorFacts())
    return AuditEventView(
        audit_id=event.audit_id,
        organization_id=event.owner_id,
        at=event.occurred_at,
        action=event.action,
        object_type=event.object_type,
        object_id=event.object_id,
        actor=ActorView(
            kind=event.actor_kind,
            id=event.actor_id,
            name=actor.name,
            organization_id=actor.organization_id,
            organization_name=actor.organization_name,
        ),
        api_key_id=event.api_key_id,
        source_ip=event.source_ip if may_see(req, event.actor_organization_id) else None,
        request_id=event.request_id,
        before=event.before,
        after=event.after,
    )
