"""An endpoint: a URL of a customer's own system, the events that it wants, and the secrets that sign them. Pure.

It is disabled when nothing got through for three days, or when it says that it is gone (410); only people enable it
again. `revision` counts writes: whoever changes it names the one that was read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from chalicelib.kernel.errors import invalid

MAX_ENDPOINTS: Final = 20
"""Of an organisation."""
DISABLED_AFTER: Final = timedelta(days=3)
GRACE: Final = timedelta(hours=24)
"""How long the secret before is good for, by default."""

EndpointState = Literal["active", "disabled"]
DisabledReason = Literal["by_hand", "failing", "gone"]


@dataclass(frozen=True)
class Endpoint:
    """`sealed_secret` and `previous_secret` are encrypted. `failing_since`: since when nothing got through, if so."""

    endpoint_id: str
    organization_id: str
    url: str
    description: str
    event_types: list[str]
    state: EndpointState
    sealed_secret: str
    created_at: datetime
    created_by: str
    previous_secret: str | None = None
    previous_until: datetime | None = None
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: DisabledReason | None = None
    revision: int = 1

    def sealed_secrets(self, now: datetime) -> list[str]:
        """Those that sign now, the newest first."""
        if self.previous_secret is None or self.previous_until is None or now >= self.previous_until:
            return [self.sealed_secret]
        return [self.sealed_secret, self.previous_secret]


@dataclass(frozen=True)
class Subscription:
    """What an organisation's active endpoints want to hear, all together: the one row that an event has to look for."""

    organization_id: str
    event_types: list[str]
    revision: int = 1


def check_types(event_types: Sequence[str], known: Collection[str], pointer: str = "/event_types") -> list[str]:
    """The types without repeats, sorted. Raises webhook_endpoint.event_types (422)."""
    for position, name in enumerate(event_types):
        if name not in known:
            raise invalid("webhook_endpoint.event_types", f"There is no event {name!r}.", f"{pointer}/{position}")
    if not event_types:
        raise invalid("webhook_endpoint.event_types", "Choose one event at least.", pointer)
    return sorted(set(event_types))


def rotated(endpoint: Endpoint, sealed_secret: str, grace: timedelta, now: datetime) -> Endpoint:
    """With a new secret; the one before signs beside it for `grace`. One that was older ends at once."""
    return replace(
        endpoint,
        sealed_secret=sealed_secret,
        previous_secret=endpoint.sealed_secret if grace else None,
        previous_until=now + grace if grace else None,
    )


def enabled(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, state="active", failing_since=None, disabled_at=None, disabled_reason=None)


def disabled(endpoint: Endpoint, reason: DisabledReason, now: datetime) -> Endpoint:
    if endpoint.state == "disabled":
        return endpoint
    return replace(endpoint, state="disabled", disabled_at=now, disabled_reason=reason)


def after_answer(endpoint: Endpoint, *, delivered: bool, is_gone: bool, now: datetime) -> Endpoint:
    """The endpoint after one attempt; the same object where that changes nothing of it."""
    if delivered:
        return endpoint if endpoint.failing_since is None else replace(endpoint, failing_since=None)
    failing = endpoint if endpoint.failing_since is not None else replace(endpoint, failing_since=now)
    if is_gone:
        return disabled(failing, "gone", now)
    since = failing.failing_since or now
    return disabled(failing, "failing", now) if now - since >= DISABLED_AFTER else failing
