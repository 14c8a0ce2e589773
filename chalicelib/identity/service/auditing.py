"""Writing the audit log: this is the only code that does, and it only adds (tests/architecture/test_audit_log.py).

`record` is what `kernel.rest` calls before a request's commit: the log and the change land together or not at all.
`record_of_person` is for what people do before they are signed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import msgspec

from chalicelib.identity.model import AuditEvent, Login, User
from chalicelib.identity.model.audit import ActorKind
from chalicelib.identity.store import AUDIT_EVENTS
from chalicelib.kernel.changes import Change, masked
from chalicelib.kernel.http import Endpoint, Request
from chalicelib.kernel.unit_of_work import MAX_WRITES, UnitOfWork

LOGS_PER_CHANGE: Final = 2
RESERVED_WRITES: Final = 1
"""For the answer of a request with an Idempotency-Key."""
MAX_ID_CHARACTERS: Final = 200
UNSAID: Final = "request"
"""The object type of a request that did not say what it changes: kept as it was sent."""


@dataclass(frozen=True)
class _Actor:
    kind: ActorKind
    actor_id: str
    organization_id: str | None
    home: str
    """Whose log keeps what this actor does."""


def record(req: Request, endpoint: Endpoint, arguments: Mapping[str, Any]) -> None:
    """One event per object that the request says it changes, in the log of its owner, and in that of the actor's
    organisation where that is another. A request that says nothing is recorded with what it was sent; an object that
    stays as it was is not recorded."""
    actor = _actor(req, endpoint)
    said = [change for change in req.changes if not _is_idle(change)]
    if not req.changes:
        said = [_as_sent(endpoint, arguments)]
    room = MAX_WRITES - RESERVED_WRITES - len(req.uow.writes)
    if LOGS_PER_CHANGE * len(said) > room:
        said = list(_folded(said))
    for change in said:
        before, after = change.difference()
        audit_id = req.ctx.new_id("aud")
        for owner_id in _logs(change, actor):
            event = AuditEvent(
                audit_id=audit_id,
                owner_id=owner_id,
                action=endpoint.operation_id,
                object_type=change.object_type,
                object_id=change.object_id[:MAX_ID_CHARACTERS],
                occurred_at=req.ctx.now(),
                actor_kind=actor.kind,
                actor_id=actor.actor_id,
                actor_organization_id=actor.organization_id,
                api_key_id=req.actor.api_key_id,
                source_ip=req.actor.source_ip,
                request_id=req.request_id,
                before=before,
                after=after,
            )
            req.uow.create(AUDIT_EVENTS, event)


def record_of_person(
    uow: UnitOfWork,
    action: str,
    login: Login,
    user: User | None,
    source_ip: str,
    facts: Mapping[str, Any],
    audit_id: str | None = None,
) -> None:
    """What a person does before being signed in: signing in, choosing a new password, being locked out. In the log of
    the user's organisation; of who is a driver alone, in their own."""
    home = actor_id = login.driver_id or login.login_id
    kind: ActorKind = "driver"
    if user is not None:
        home, actor_id, kind = user.organization_id, user.user_id, "person"
    event = AuditEvent(
        audit_id=audit_id or uow.ctx.new_id("aud"),
        owner_id=home,
        action=action,
        object_type="user" if user is not None else "driver",
        object_id=actor_id,
        occurred_at=uow.ctx.now(),
        actor_kind=kind,
        actor_id=actor_id,
        actor_organization_id=None if user is None else home,
        source_ip=source_ip,
        after=masked(facts),
    )
    uow.create(AUDIT_EVENTS, event)


def _actor(req: Request, endpoint: Endpoint) -> _Actor:
    """Who is a user and a driver acts as the one whose endpoint it is: what people change of their private side is
    none of their employer's business."""
    actor = req.actor
    if actor.driver_id is not None and (endpoint.audience == "driver" or actor.organization_id is None):
        return _Actor("driver", actor.driver_id, None, actor.driver_id)
    home = actor.organization_id or actor.login_id
    return _Actor(actor.kind, actor.person_id, actor.organization_id, home)


def _logs(change: Change, actor: _Actor) -> list[str]:
    """Whose logs keep a change, each once."""
    owner_id = change.owner_id or actor.home
    if change.for_owner_only:
        return [] if owner_id == actor.home else [owner_id]
    return list(dict.fromkeys((owner_id, actor.home)))


def _is_idle(change: Change) -> bool:
    if change.before is None or change.after is None:
        return False
    return change.difference() == ({}, {})


def _folded(changes: list[Change]) -> Iterator[Change]:
    """One change per kind of object and owner, for a request that changes more than a commit can tell one by one."""
    ordered = sorted(changes, key=_kind_of)
    for (owner_id, object_type), alike in groupby(ordered, key=_kind_of):
        object_ids = [change.object_id[:MAX_ID_CHARACTERS] for change in alike]
        yield Change(object_type, object_ids[0], owner_id or None, after={"object_ids": object_ids})


def _kind_of(change: Change) -> tuple[str, str]:
    return change.owner_id or "", change.object_type


def _as_sent(endpoint: Endpoint, arguments: Mapping[str, Any]) -> Change:
    named = [str(arguments[name]) for name in endpoint.path_names]
    sent: dict[str, Any] = {}
    for part in ("query", "body"):
        members = msgspec.to_builtins(arguments.get(part), str_keys=True)
        sent |= members if isinstance(members, dict) else {}
    return Change(UNSAID, "/".join(named), None, after={k: v for k, v in sent.items() if v is not None})
