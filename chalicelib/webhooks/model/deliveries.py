"""One message to one endpoint, from the event to its receiver's yes. Pure.

pending → delivered, or after the last of MAX_ATTEMPTS failed; a test is tried once. The body is the same at each
attempt, as is the message's id, by which receivers recognise repeats; the timestamp and the signature are of the
attempt. People may send what is over once more. `revision` counts writes: of two who would send at once one does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.ids import number_of
from chalicelib.kernel.lifecycle import Lifecycle

TEST_TYPE: Final = "webhook.test"
RETENTION: Final = timedelta(days=30)
LEASE: Final = timedelta(minutes=2)
"""So long nobody else tries what somebody has begun to send: more than any attempt lasts."""
PAUSES: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=20, minutes=24),
)
"""After each attempt that failed; three days in all, so that the last one disables an endpoint that never answered."""
MAX_ATTEMPTS: Final = len(PAUSES) + 1
_JITTER: Final = 0.1
"""A pause is longer by up to this part of it: a receiver that is back is not met by all at once."""

DeliveryState = Literal["pending", "delivered", "failed", "cancelled"]
DELIVERY_LIFECYCLE: Final = Lifecycle[DeliveryState](
    noun="webhook_delivery",
    initial="pending",
    transitions={
        ("pending", "accepted"): "delivered",
        ("pending", "refused"): "pending",
        ("pending", "given_up"): "failed",
        ("pending", "endpoint_gone"): "cancelled",
        ("pending", "retry"): "pending",
        ("delivered", "retry"): "pending",
        ("failed", "retry"): "pending",
        ("cancelled", "retry"): "pending",
    },
)


@dataclass(frozen=True)
class Answer:
    """What became of one attempt. Without a `status_code` nobody answered, and `error` says why. `text` is how the
    answer begins."""

    status_code: int | None
    duration_ms: int
    text: str = ""
    error: str | None = None

    @property
    def is_accepted(self) -> bool:
        return self.error is None and self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        """410: the receiver wants nothing any more."""
        return self.status_code == 410


@dataclass(frozen=True)
class Delivery:
    """`attempts` counts all of them, `round_attempts` those since people asked for it again. `due_at`: when it is tried
    next, while it is pending. The answer is the latest one's."""

    delivery_id: str
    organization_id: str
    endpoint_id: str
    type: str
    subject: str
    body: str
    state: DeliveryState
    created_at: datetime
    due_at: datetime | None = None
    attempts: int = 0
    round_attempts: int = 0
    attempted_at: datetime | None = None
    delivered_at: datetime | None = None
    status_code: int | None = None
    duration_ms: int | None = None
    error: str | None = None
    response_text: str | None = None
    revision: int = 1

    def is_due(self, now: datetime) -> bool:
        return self.due_at is not None and self.due_at <= now

    @property
    def is_test(self) -> bool:
        return self.type == TEST_TYPE


def message_body(event_type: str, occurred_at: datetime, data: Any) -> str:
    """The text that is signed and sent."""
    message = {"type": event_type, "timestamp": to_rfc3339(occurred_at), "data": data}
    return msgspec.json.encode(message).decode()


def attempted(delivery: Delivery, now: datetime) -> Delivery:
    """Somebody is about to send it: should that be the last that is heard, it is due again when the lease ends."""
    return replace(
        delivery,
        attempts=delivery.attempts + 1,
        round_attempts=delivery.round_attempts + 1,
        attempted_at=now,
        due_at=now + LEASE,
    )


def after_attempt(delivery: Delivery, answer: Answer, now: datetime) -> Delivery:
    """The delivery after the receiver answered, or did not."""
    event = _event(delivery, answer)
    return replace(
        delivery,
        state=DELIVERY_LIFECYCLE.next(delivery.state, event),
        due_at=now + pause_after(delivery) if event == "refused" else None,
        delivered_at=now if event == "accepted" else delivery.delivered_at,
        status_code=answer.status_code,
        duration_ms=answer.duration_ms,
        error=answer.error,
        response_text=answer.text or None,
    )


def cancelled(delivery: Delivery, why: str) -> Delivery:
    """There is nobody to send it to any more."""
    state = DELIVERY_LIFECYCLE.next(delivery.state, "endpoint_gone")
    return replace(delivery, state=state, due_at=None, error=why)


def put_off(delivery: Delivery, now: datetime) -> Delivery:
    """Its endpoint keeps failing: others come first. No attempt is counted."""
    return replace(delivery, due_at=now + PAUSES[1])


def retried(delivery: Delivery, now: datetime) -> Delivery:
    """People ask for it once more: due at once, with all attempts before it."""
    return replace(
        delivery, state=DELIVERY_LIFECYCLE.next(delivery.state, "retry"), due_at=now, round_attempts=0, error=None
    )


def pause_after(delivery: Delivery) -> timedelta:
    """Until the next attempt, after `round_attempts`; the same for the same delivery and attempt."""
    pause = PAUSES[min(delivery.round_attempts, len(PAUSES)) - 1]
    part = number_of(f"{delivery.delivery_id}.{delivery.attempts}") % 1000 / 1000
    return pause * (1 + _JITTER * part)


def _event(delivery: Delivery, answer: Answer) -> str:
    if answer.is_accepted:
        return "accepted"
    is_last = delivery.is_test or answer.is_gone or delivery.round_attempts >= MAX_ATTEMPTS
    return "given_up" if is_last else "refused"
