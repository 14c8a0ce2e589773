"""The open database: storage, the catalogue of tables, the clock and the counters that all operations share.

Operations receive it as their first argument. Callbacks run after commit, in the thread that committed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.local.dynamodb.definitions import from_stored
from infra.local.dynamodb.errors import table_not_found
from infra.local.dynamodb.storage import Storage
from infra.local.dynamodb.tables import Table

StreamListener = Callable[[str], None]


class Database:
    def __init__(self, path: str | Path, now: Callable[[], datetime], synchronous: str, *, exclusive: bool) -> None:
        self.storage = Storage(path, synchronous, exclusive=exclusive)
        self.now = now
        # Units by (table name, "write" or "read"); a bench resets it with `clear()`.
        self.consumed: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.tables: dict[str, Table] = {}
        self.stream_listeners: list[StreamListener] = []
        self.load_tables()

    def load_tables(self) -> None:
        tables = (from_stored(identifier, body) for identifier, body in self.storage.definitions())
        self.tables = {table.name: table for table in tables}

    def table(self, request: dict[str, Any]) -> Table:
        """The request's table, by name or ARN. ResourceNotFoundException without one."""
        name = request.get("TableName") or ""
        found = self.tables.get(name) or self.tables.get(name.rpartition("table/")[2])
        if found is None:
            self.load_tables()  # another process may have made it
            found = self.tables.get(name.rpartition("table/")[2])
        if found is None:
            raise table_not_found()
        return found

    def count_units(self, table: Table, kind: str, units: float) -> None:
        # Unlocked: a bench's counter may lose a unit to a race, an operation may not pay for a lock.
        self.consumed[(table.name, kind)] += units

    def announce(self, tables: Iterable[Table]) -> None:
        """Tells listeners, after commit, that these tables' streams have grown."""
        for table in tables:
            for listener in self.stream_listeners:
                listener(table.name)
