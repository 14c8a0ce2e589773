"""One attempt of a delivery: begun and ended in commits of their own; the request stands between them.

Whoever begins names the revision that was read, so of two one sends; should it die, the lease ends and the delivery is
due again. The same message may arrive twice: its id tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.identity import service as identity
from chalicelib.kernel.clock import to_epoch_ms
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.notifications import service as notifications
from chalicelib.webhooks import model
from chalicelib.webhooks.model import Answer, Delivery, Endpoint
from chalicelib.webhooks.sending import Message
from chalicelib.webhooks.service.endpoints import find_endpoint, open_secrets, save_endpoint
from chalicelib.webhooks.service.planning import save_delivery
from chalicelib.webhooks.store import DELIVERY_ROWS, DUE, DeliveryRow, DueDeliveries

USER_AGENT = "Wattfare-Webhooks/1.0"


@dataclass(frozen=True)
class Outgoing:
    """An attempt that has begun: the delivery as it was written then, and what is sent."""

    delivery: Delivery
    message: Message


def due_deliveries(ctx: Context) -> Iterator[Delivery]:
    """What is due, oldest first, whole and as it stands: an index lags behind, and somebody may have it by now."""
    due = DueDeliveries.due_at <= ctx.now()
    for delivery, _ in DELIVERY_ROWS.walk(ctx, DUE, due, index=DeliveryRow.due_deliveries):
        if delivery.is_due(ctx.now()):
            yield delivery


def begin_attempt(uow: UnitOfWork, delivery: Delivery, *, spares_failing: bool = False) -> Outgoing | None:
    """Marks a pending delivery as being sent. None where nothing is to be sent: it is over, its endpoint is gone or
    disabled (then it is cancelled), or fails while `spares_failing` (then it stays for its time).

    Raises StaleRead on commit when somebody else has it.
    """
    ctx = uow.ctx
    if delivery.state != "pending":
        return None
    endpoint = find_endpoint(ctx, delivery.organization_id, delivery.endpoint_id)
    if endpoint is None or (endpoint.state == "disabled" and not delivery.is_test):
        save_delivery(uow, delivery, model.cancelled(delivery, "endpoint_gone" if endpoint is None else "disabled"))
        return None
    if spares_failing and endpoint.failing_since is not None and not delivery.is_test:
        return None
    begun = save_delivery(uow, delivery, model.attempted(delivery, ctx.now()))
    return Outgoing(begun, _signed(ctx, endpoint, begun))


def finish_attempt(uow: UnitOfWork, outgoing: Outgoing, answer: Answer) -> Delivery | None:
    """Keeps what the receiver answered, and what that means for its endpoint. None where somebody else has the delivery
    by now: this attempt took longer than its lease."""
    ctx, sent = uow.ctx, outgoing.delivery
    current = DELIVERY_ROWS.get(ctx, *DELIVERY_ROWS.key_of(sent))
    if current is None or current.revision != sent.revision:
        return None
    finished = save_delivery(uow, current, model.after_attempt(current, answer, ctx.now()))
    endpoint = None if sent.is_test else find_endpoint(ctx, sent.organization_id, sent.endpoint_id)
    if endpoint is not None:
        _judge(uow, endpoint, answer)
    return finished


def put_off_delivery(uow: UnitOfWork, delivery: Delivery) -> None:
    """Its endpoint did not answer others just now."""
    save_delivery(uow, delivery, model.put_off(delivery, uow.ctx.now()))


def _judge(uow: UnitOfWork, endpoint: Endpoint, answer: Answer) -> None:
    after = model.after_answer(endpoint, delivered=answer.is_accepted, is_gone=answer.is_gone, now=uow.ctx.now())
    if after is endpoint:
        return
    saved = save_endpoint(uow, endpoint, after)
    if (endpoint.state, saved.state) == ("active", "disabled"):
        _tell_disabled(uow, saved)


def _tell_disabled(uow: UnitOfWork, endpoint: Endpoint) -> None:
    organization = identity.find_organization(uow.ctx, endpoint.organization_id)
    if organization is None or not organization.email:
        return
    notifications.queue_mail(
        uow,
        dedupe_key=f"webhook_disabled:{endpoint.endpoint_id}:{endpoint.revision}",
        to=organization.email,
        template="webhook_gone" if endpoint.disabled_reason == "gone" else "webhook_disabled",
        language=organization.language,
        data={"url": endpoint.url, "link": uow.ctx.settings.public_url},
    )


def _signed(ctx: Context, endpoint: Endpoint, delivery: Delivery) -> Message:
    body, timestamp_s = delivery.body.encode(), to_epoch_ms(ctx.now()) // 1000
    secrets = open_secrets(ctx, endpoint)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": model.signature_header(secrets, delivery.delivery_id, timestamp_s, body),
    }
    return Message(endpoint.url, headers, body)
