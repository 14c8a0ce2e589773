"""The audit log: who did what to which object, before and after, from where. Pure.

A record is written in the same transaction as the change and never again: no code changes or deletes one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ActorKind = Literal["person", "api_key", "driver", "system", "anonymous"]


@dataclass(frozen=True)
class AuditEvent:
    """`owner_id` is the organisation whose log it is in (a driver's id for what a driver did alone), `actor_*` who did
    it: a user, an API key or a driver. `action` is the operation of the OpenAPI file; `before` and `after` are what
    differs, as REST shows it."""

    audit_id: str
    owner_id: str
    action: str
    object_type: str
    object_id: str
    occurred_at: datetime
    actor_kind: ActorKind
    actor_id: str
    actor_organization_id: str | None = None
    api_key_id: str | None = None
    source_ip: str = ""
    request_id: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditFilter:
    """What of a log is wanted; None: whatever. `date_from` is included, `date_to` is not."""

    object_type: str | None = None
    object_id: str | None = None
    actor_id: str | None = None
    action: str | None = None
    api_key_id: str | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None

    def keeps(self, event: AuditEvent) -> bool:
        """Time apart: that is a range of keys."""
        return all(
            wanted in (None, found)
            for wanted, found in (
                (self.object_type, event.object_type),
                (self.object_id, event.object_id),
                (self.actor_id, event.actor_id),
                (self.action, event.action),
                (self.api_key_id, event.api_key_id),
            )
        )


@dataclass(frozen=True)
class ActorFacts:
    """What is known of an actor now; None where it is gone, or a driver."""

    name: str | None = None
    organization_id: str | None = None
    organization_name: str | None = None
