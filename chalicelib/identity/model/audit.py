"""The audit log: who did what to which object, before and after, from where. Pure.

A record is written in the same transaction as the change and never again: no code changes or deletes one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class AuditEvent:
    """`owner_id` is the organisation whose log it is in (a driver's id for what a driver did alone), `actor_*` who did
    it. `action` is the operation of the OpenAPI file; `before` and `after` are what differs, as REST shows it."""

    audit_id: str
    owner_id: str
    action: str
    object_type: str
    object_id: str
    occurred_at: datetime
    actor_kind: str
    actor_id: str
    actor_organization_id: str | None = None
    api_key_id: str | None = None
    source_ip: str = ""
    request_id: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
