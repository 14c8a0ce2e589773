"""A table's stream as an event source: hands new records to a Lambda (the outbox's to the relay), as AWS would.

At least once and in order; a failed record (partial batch response) is delivered again, a bounded number of times,
then it is logged and left behind (on AWS: the on-failure destination). The cursor is durable.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from infra.local.dynamodb.engine import Engine

BATCH_SIZE = 100
MAX_DELIVERIES = 5
MAX_BATCHES = 1_000

log = logging.getLogger(__name__)

RelayFunction = Callable[[dict[str, Any]], dict[str, Any]]


class StreamPump:
    """`relay` is the Lambda behind the stream of `table`, `reader` its name; one caller at a time."""

    def __init__(self, engine: Engine, table: str, relay: RelayFunction, reader: str = "relay") -> None:
        self._engine = engine
        self._table = table
        self._relay = relay
        self._reader = reader
        self._cursor = engine.stream_cursor(reader, table)

    def drain(self) -> int:
        """Delivers all that is there, also what the consumers add; returns how many records were delivered."""
        delivered = 0
        for _ in range(MAX_BATCHES):
            records = self._engine.read_stream(self._table, self._cursor, BATCH_SIZE)
            if not records:
                return delivered
            self._deliver(records)
            self._cursor = int(records[-1]["dynamodb"]["SequenceNumber"])
            self._engine.save_stream_cursor(self._reader, self._table, self._cursor)
            delivered += len(records)
        return delivered

    def _deliver(self, records: list[dict[str, Any]]) -> None:
        waiting = records
        for _ in range(MAX_DELIVERIES):
            answer = self._relay({"Records": waiting})
            failed = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures", ())}
            waiting = [record for record in waiting if record["dynamodb"]["SequenceNumber"] in failed]
            if not waiting:
                return
        for record in waiting:
            log.error("an outbox record was given up after %d deliveries: %s", MAX_DELIVERIES, record["eventID"])
