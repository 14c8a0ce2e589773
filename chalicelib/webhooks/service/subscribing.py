"""Who wants to hear of what: one row per organisation, all of them remembered for half a minute by a warm process.

So an event that nobody wants costs no read, and all events together one query per half minute and process. The
invariant: a row holds what the organisation's active endpoints want, since it is written with each change of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from chalicelib.kernel.cache import Cache
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.webhooks.model import Endpoint, Subscription
from chalicelib.webhooks.store import SUBSCRIPTION_ROWS, SUBSCRIPTIONS_PK, SubscriptionRow

AGE_S: Final = 30.0
_ALL: Final = "all"

Wishes = Mapping[str, frozenset[str]]
"""Organisations by the type of event."""


def who_wants(ctx: Context, event_type: str) -> frozenset[str]:
    """The organisations with an active endpoint that wants events of this type; up to AGE_S old."""
    wishes = _cache(ctx).get_or_load(_ALL, lambda: _load(ctx)) or {}
    return wishes.get(event_type, frozenset())


def note_wishes(uow: UnitOfWork, organization_id: str, endpoints: list[Endpoint]) -> None:
    """Writes what the organisation wants, now that these are its endpoints. Of two who do one decides again."""
    wanted = sorted({name for endpoint in endpoints if endpoint.state == "active" for name in endpoint.event_types})
    known = SUBSCRIPTION_ROWS.get(uow.ctx, SUBSCRIPTIONS_PK, organization_id)
    stale = StaleRead("The webhook endpoints")
    if known is None:
        uow.create(SUBSCRIPTION_ROWS, Subscription(organization_id, wanted), on_conflict=stale)
    else:
        changed = replace(known, event_types=wanted, revision=known.revision + 1)
        unchanged = SubscriptionRow.revision == known.revision
        uow.put(SUBSCRIPTION_ROWS, changed, condition=unchanged, on_conflict=stale)
    uow.then(lambda: _cache(uow.ctx).forget(_ALL))


def _load(ctx: Context) -> Wishes:
    wishes: dict[str, set[str]] = {}
    for subscription in SUBSCRIPTION_ROWS.query_all(ctx, SUBSCRIPTIONS_PK):
        for name in subscription.event_types:
            wishes.setdefault(name, set()).add(subscription.organization_id)
    return {name: frozenset(organizations) for name, organizations in wishes.items()}


def _cache(ctx: Context) -> Cache[Wishes]:
    return ctx.cache("webhooks.wishes", size=1, ttl_s=AGE_S)
