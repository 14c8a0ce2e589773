"""The outbox: facts for others, written in the same transaction as what they tell about.

`emit` adds an event row to the caller's unit of work; the table's stream hands it to the relay, which calls the
consumers. Delivery is at least once and unordered between subjects: consumers are idempotent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.kernel import log
from chalicelib.kernel.attributes import MomentAttribute, ValueAttribute
from chalicelib.kernel.context import Context, table_name
from chalicelib.kernel.table import Row, Table
from chalicelib.kernel.unit_of_work import UnitOfWork

RETENTION = timedelta(days=7)


@dataclass(frozen=True)
class Event:
    """`type` is `<noun>.<past_verb>`, `subject` the id of what it happened to."""

    event_id: str
    type: str
    subject: str
    payload: dict[str, Any]
    occurred_at: datetime


class EventRow(Row):
    class Meta:
        table_name = table_name("outbox")

    event_id = UnicodeAttribute()
    type = UnicodeAttribute()
    subject = UnicodeAttribute()
    payload = ValueAttribute(dict[str, Any])
    occurred_at = MomentAttribute()
    expires_at = NumberAttribute()


EVENTS: Table[Event] = Table(
    EventRow,
    Event,
    key=lambda event: (event.event_id, "event"),
    extra=lambda event: {"expires_at": int((event.occurred_at + RETENTION).timestamp())},
)

Consumer = Callable[[Context, Event], None]


def emit(uow: UnitOfWork, event_type: str, subject: str, payload: dict[str, Any] | None = None) -> None:
    """Adds an event to the unit of work; it exists if and only if the unit of work commits."""
    now = uow.ctx.now()
    uow.put(EVENTS, Event(uow.ctx.new_id("evt"), event_type, subject, payload or {}, now))


def is_emitted(uow: UnitOfWork, event_type: str, subject: str) -> bool:
    """Does the unit of work tell this of the subject already?"""
    items = (write.request.get("Item", {}) for write in uow.writes)
    return any(item.get("type") == {"S": event_type} and item.get("subject") == {"S": subject} for item in items)


def events_of(stream_records: Sequence[Mapping[str, Any]]) -> list[tuple[str, Event]]:
    """`(sequence number, event)` of each newly written event row in a batch of stream records."""
    return [
        (record["dynamodb"]["SequenceNumber"], EVENTS.from_item(record["dynamodb"]["NewImage"]))
        for record in stream_records
        if record["eventName"] == "INSERT"
    ]


def relay(ctx: Context, stream_event: Mapping[str, Any], consumers: Mapping[str, Sequence[Consumer]]) -> dict[str, Any]:
    """Hands each event to its consumers; answers with the records to be delivered again (partial batch response)."""
    failed = []
    for sequence_number, event in events_of(stream_event["Records"]):
        try:
            for consume in consumers.get(event.type, ()):
                consume(ctx, event)
        except Exception:
            log.logger.exception("event consumer failed", extra={"event_type": event.type, "subject": event.subject})
            failed.append({"itemIdentifier": sequence_number})
    return {"batchItemFailures": failed}
