"""Writing and reading the audit log.

`record` is what `kernel.rest` calls before a request's commit: the log and the change land together or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.identity.model import AuditEvent
from chalicelib.identity.store import AUDIT_EVENTS
from chalicelib.kernel.changes import Change
from chalicelib.kernel.http import Endpoint, Request


def record(req: Request, endpoint: Endpoint, arguments: Mapping[str, Any]) -> None:
    """One event per object that the request says it changes, in the log of its owner, and in that of the actor's
    organisation where that is another. A request that says nothing is recorded with what it was sent."""
    at_home = req.actor.organization_id or req.actor.driver_id or req.actor.login_id
    for change in req.changes or [_as_sent(endpoint, arguments)]:
        before, after = change.difference()
        if change.before is not None and change.after is not None and not (before or after):
            continue
        audit_id = req.ctx.new_id("aud")
        for owner_id in dict.fromkeys((change.owner_id or at_home, at_home)):
            event = AuditEvent(
                audit_id=audit_id,
                owner_id=owner_id,
                action=endpoint.operation_id,
                object_type=change.object_type,
                object_id=change.object_id,
                occurred_at=req.ctx.now(),
                actor_kind=req.actor.kind if req.actor.user_id or req.actor.api_key_id else "driver",
                actor_id=req.actor.person_id,
                actor_organization_id=req.actor.organization_id,
                api_key_id=req.actor.api_key_id,
                source_ip=req.actor.source_ip,
                request_id=req.request_id,
                before=before,
                after=after,
            )
            req.uow.create(AUDIT_EVENTS, event)


def _as_sent(endpoint: Endpoint, arguments: Mapping[str, Any]) -> Change:
    named = [str(arguments[name]) for name in endpoint.path_names]
    body = arguments.get("body")
    sent = {} if body is None else {k: v for k, v in msgspec.to_builtins(body).items() if v is not None}
    return Change(endpoint.tag, "/".join(named), None, after=sent)
