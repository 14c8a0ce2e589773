"""Removes items whose time to live has passed, as DynamoDB's own background process does.

Until then reads still return them. Each removal leaves a stream record by `dynamodb.amazonaws.com`.
"""

from __future__ import annotations

from datetime import datetime

from infra.local.dynamodb.database import Database
from infra.local.dynamodb.tables import Table
from infra.local.dynamodb.ttl import MAX_AGE_S
from infra.local.dynamodb.writes import replace

_AT_ONCE = 100


def expire(database: Database, now: datetime) -> int:
    """Removes what expired before `now`, in transactions of 100; how many items that was."""
    return sum(
        _expire_table(database, table, int(now.timestamp()))
        for table in list(database.tables.values())
        if table.ttl_attribute is not None
    )


def _expire_table(database: Database, table: Table, now_s: int) -> int:
    removed = 0
    while True:
        with database.storage.write() as storage:
            keys = storage.due(table.expiry_id, now_s - MAX_AGE_S, now_s, _AT_ONCE)
            for key in keys:
                row = storage.get(table.items_id, key)
                if row is not None:
                    replace(database, table, key, row, None, 0, by_service=True)
        removed += len(keys)
        if keys and table.stream_view is not None:
            database.announce((table,))
        if len(keys) < _AT_ONCE:
            return removed
