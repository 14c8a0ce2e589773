"""The local DynamoDB: `Engine.execute` answers one operation of DynamoDB's JSON protocol.

For the local stack and tests; clients reach it through `hook.install`. On a file, an answered write survives
`kill -9` (`synchronous="FULL"`: a power cut). Usable from several threads; each call is one transaction.

    engine = Engine(":memory:", clock.now)
    engine.create_tables_from_template(template)
    restore = hook.install(engine)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.local.aws_hooks import AwsError
from infra.local.dynamodb import batches, catalogue, items, reads, streams, sweep, transactions
from infra.local.dynamodb.database import Database, StreamListener

Operation = Callable[[Database, dict[str, Any]], dict[str, Any]]

OPERATIONS: dict[str, Operation] = {
    "BatchGetItem": batches.batch_get_item,
    "BatchWriteItem": batches.batch_write_item,
    "CreateTable": catalogue.create_table,
    "DeleteItem": items.delete_item,
    "DeleteTable": catalogue.delete_table,
    "DescribeTable": catalogue.describe_table,
    "DescribeTimeToLive": catalogue.describe_time_to_live,
    "GetItem": items.get_item,
    "ListTables": catalogue.list_tables,
    "PutItem": items.put_item,
    "Query": reads.query,
    "Scan": reads.scan,
    "TransactGetItems": transactions.transact_get_items,
    "TransactWriteItems": transactions.transact_write_items,
    "UpdateItem": items.update_item,
    "UpdateTable": catalogue.update_table,
    "UpdateTimeToLive": catalogue.update_time_to_live,
}


class Engine:
    """One open database. `path`: a file, or ":memory:" for a database that dies with the engine.

    `exclusive` keeps other processes out of the file (sqlite3.OperationalError for the second), and saves a
    seventh of a write.
    """

    def __init__(
        self,
        path: str | Path,
        now: Callable[[], datetime],
        synchronous: str = "NORMAL",
        *,
        exclusive: bool = False,
    ) -> None:
        self._database = Database(path, now, synchronous, exclusive=exclusive)

    @property
    def consumed(self) -> defaultdict[tuple[str, str], float]:
        """Capacity units since the last `clear()`, by (table name, "write" or "read")."""
        return self._database.consumed

    def execute(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answers an operation. `request` is the decoded JSON body (binary in base64); the answer is what
        botocore gives its caller (binary as bytes, times as datetime). `AwsError` as DynamoDB refuses."""
        function = OPERATIONS.get(operation)
        if function is None:
            raise AwsError("UnknownOperationException", f"{operation} is not an operation of the local DynamoDB")
        return function(self._database, request)

    def create_tables_from_template(self, template: dict[str, Any]) -> list[str]:
        """Creates a CloudFormation template's tables that are missing, intrinsics already resolved; returns
        the names it created."""
        return catalogue.create_from_template(self._database, template)

    def read_stream(self, table: str, after_sequence: int, limit: int) -> list[dict[str, Any]]:
        """Stream records after a sequence number, as Lambda receives them (binary in base64).

        The next `after_sequence` is `int(records[-1]["dynamodb"]["SequenceNumber"])`.
        """
        return streams.read(self._database, table, after_sequence, limit)

    def stream_cursor(self, consumer: str, table: str) -> int:
        """How far this consumer has got: the sequence number it last saved, 0 at first."""
        return streams.cursor(self._database, consumer, table)

    def save_stream_cursor(self, consumer: str, table: str, sequence: int) -> None:
        streams.save_cursor(self._database, consumer, table, sequence)

    def prune_streams(self) -> int:
        """Deletes stream records that all consumers have behind them, or that are over a day old."""
        return streams.prune(self._database)

    def on_stream_write(self, listener: StreamListener) -> Callable[[], None]:
        """Calls `listener(table name)` after each commit that wrote stream records, in the committing thread:
        it must be quick and must not write. Returns what ends it."""
        self._database.stream_listeners.append(listener)
        return lambda: self._database.stream_listeners.remove(listener)

    def expire(self, now: datetime) -> int:
        """Removes items whose time to live has passed; how many."""
        return sweep.expire(self._database, now)

    def close(self) -> None:
        self._database.storage.close()
