"""From an event to a receiver: a consumer plans deliveries; the stream of the table has new ones sent at once, by a
function of their own, so that a slow receiver holds up nobody's events; a schedule tries again what is due.

Deliveries come at least once and in any order. The request to a receiver stands between two commits.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, Final

from chalice import Blueprint, Rate

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.identity.service.rights import is_working
from chalicelib.kernel import task
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.http import Request
from chalicelib.kernel.log import logger
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.webhooks import model, service
from chalicelib.webhooks.events import EVENTS, PublicEvent
from chalicelib.webhooks.model import Answer, Delivery
from chalicelib.webhooks.sending import Sender, sender
from chalicelib.webhooks.service import Outgoing
from chalicelib.webhooks.store import DELIVERIES, DELIVERY_ROWS

jobs = Blueprint(__name__)

AT_ONCE: Final = 16
"""Requests beside each other."""
MOST_FAILURES: Final = 3
"""In one run: an endpoint that failed so often waits, so that others get their turn."""
MOST_PER_RUN: Final = 2_000
RUN_BUDGET_S: Final = 60.0
"""A run that begins no more of them after this: the next one goes on."""


def on_event(ctx: Context, event: Event) -> None:
    """Plans the deliveries of an event. Costs no read while nobody wants events of its type."""
    public = EVENTS[event.type]
    wanting = service.who_wants(ctx, public.type)
    if not wanting:
        return
    for organization_id in dict.fromkeys((*public.owners(ctx, event), PLATFORM_ID)):
        if organization_id in wanting:
            _plan(ctx, event, public, organization_id)


def _plan(ctx: Context, event: Event, public: PublicEvent, organization_id: str) -> None:
    organization = identity.find_organization(ctx, organization_id)
    if organization is None or not is_working(ctx, organization):
        return
    actor = Actor(
        "api_key",
        login_id="webhooks",
        organization_id=organization_id,
        organization_kind=organization.kind,
        permissions=frozenset({public.permission}),
    )
    subject = public.subject(event)
    req = Request(ctx=ctx, uow=UnitOfWork(ctx), actor=actor, request_id=event.event_id)
    try:
        data = public.show(req, subject)
    except DomainError as error:
        if error.kind in (Kind.NOT_FOUND, Kind.FORBIDDEN):
            return  # not theirs to see
        raise
    body = model.message_body(public.type, event.occurred_at, data)
    decide_and_commit(
        ctx,
        lambda uow: service.plan_deliveries(
            uow,
            organization_id,
            public.type,
            event_id=event.event_id,
            subject=subject,
            occurred_at=event.occurred_at,
            body=body,
        ),
    )


@jobs.lambda_function(name="webhook_send")
@task.entry
def webhook_send(ctx: Context, event: dict[str, Any]) -> dict[str, int]:
    """Sends deliveries that were just written (a batch of stream records). Those to an endpoint that fails wait for the
    schedule, as does whatever goes wrong here."""
    records = (record["dynamodb"]["NewImage"] for record in event["Records"] if record["eventName"] == "INSERT")
    new = [DELIVERY_ROWS.from_item(image) for image in records if image["pk"]["S"].startswith(DELIVERIES)]
    return _send(ctx, new, spares_failing=True)


@jobs.schedule(Rate(1, unit=Rate.MINUTES), name="retry-webhooks")
@task.entry
def retry_webhooks(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Sends what is due: further attempts, what people asked for again, and what was begun and never ended."""
    return _send(ctx, islice(service.due_deliveries(ctx), MOST_PER_RUN), spares_failing=False)


def _send(ctx: Context, deliveries: Iterable[Delivery], *, spares_failing: bool) -> dict[str, int]:
    counts: Counter[str] = Counter(delivered=0, failed=0)
    failures: Counter[str] = Counter()
    started, waiting = time.perf_counter(), iter(deliveries)
    while time.perf_counter() - started < RUN_BUDGET_S and (batch := list(islice(waiting, AT_ONCE))):
        begun = []
        for delivery in batch:
            if failures[delivery.endpoint_id] >= MOST_FAILURES:
                _put_off(ctx, delivery)
            elif (outgoing := _begin(ctx, delivery, spares_failing=spares_failing)) is not None:
                begun.append(outgoing)
        for outgoing, is_accepted in _exchange(ctx, begun):
            counts["delivered" if is_accepted else "failed"] += 1
            failures[outgoing.delivery.endpoint_id] += not is_accepted
    return dict(counts)


def _begin(ctx: Context, delivery: Delivery, *, spares_failing: bool) -> Outgoing | None:
    uow = UnitOfWork(ctx)
    try:
        outgoing = service.begin_attempt(uow, delivery, spares_failing=spares_failing)
        uow.commit()
    except StaleRead:
        return None  # somebody else sends it
    except Exception:
        # Such as a secret that cannot be opened. The others of its organisation, and of all others, go on.
        logger.exception("webhook not begun", extra={"delivery_id": delivery.delivery_id})
        _put_off(ctx, delivery)
        return None
    return outgoing


def _exchange(ctx: Context, begun: Sequence[Outgoing]) -> Iterable[tuple[Outgoing, bool]]:
    """The requests beside each other, then what they came to, one commit each."""
    if not begun:
        return
    post = partial(_post, sender(ctx))
    with ThreadPoolExecutor(max_workers=len(begun), thread_name_prefix="webhook") as threads:
        answers = list(threads.map(post, begun))
    for outgoing, answer in zip(begun, answers, strict=True):
        try:
            decide_and_commit(ctx, partial(service.finish_attempt, outgoing=outgoing, answer=answer))
        except DomainError:
            # Its lease ends, and it is sent again; the others of the batch have their answers too.
            logger.exception("webhook answer not kept", extra={"delivery_id": outgoing.delivery.delivery_id})
        yield outgoing, answer.is_accepted


def _post(how: Sender, outgoing: Outgoing) -> Answer:
    """One that fails in a way that nobody thought of must not take the answers of the others with it."""
    try:
        return how.post(outgoing.message)
    except Exception:
        logger.exception("webhook not sent", extra={"delivery_id": outgoing.delivery.delivery_id})
        return Answer(None, 0, error="internal")


def _put_off(ctx: Context, delivery: Delivery) -> None:
    uow = UnitOfWork(ctx)
    service.put_off_delivery(uow, delivery)
    try:
        uow.commit()
    except StaleRead:
        return  # somebody else has it
