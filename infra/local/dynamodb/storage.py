"""The SQLite file: rows of items, index entries, stream records, cursors, request tokens and table definitions.

Used by the engine's own modules only. One connection and one lock: a thread sees and leaves whole transactions.
Every write is one `BEGIN IMMEDIATE .. COMMIT`, so several processes may share the file without losing updates.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from infra.local.dynamodb.tables import Key
from infra.local.dynamodb.values import Item, reply_item

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode

_BUSY_TIMEOUT_S = 10.0
_CACHE_KIB = 65_536
_CHECKPOINT_PAGES = 4_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS definitions(id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS items(
    t INTEGER, h, r, size INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(t, h, r)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries(
    x INTEGER, h, r, item_h, item_r, PRIMARY KEY(x, h, r, item_h, item_r)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records(
    seq INTEGER PRIMARY KEY, t INTEGER NOT NULL, at INTEGER NOT NULL, by_service INTEGER NOT NULL,
    keys BLOB NOT NULL, old BLOB, new BLOB);
CREATE TABLE IF NOT EXISTS cursors(
    consumer TEXT, t INTEGER, seq INTEGER NOT NULL, PRIMARY KEY(consumer, t)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS request_tokens(
    generation INTEGER, token TEXT, digest BLOB NOT NULL, at REAL NOT NULL,
    PRIMARY KEY(generation, token)) WITHOUT ROWID;
"""


class Row:
    """A stored item: its JSON text and size in bytes; decoded on first use, and then never changed."""

    __slots__ = ("_item", "body", "size")

    def __init__(self, size: int, body: bytes) -> None:
        self.size = size
        self.body = body
        self._item: Item | None = None

    @property
    def item(self) -> Item:
        if self._item is None:
            self._item = decode(self.body)
        return self._item

    def reply(self) -> Item:
        """The item for the caller, binary as bytes. The row is not to be used afterwards."""
        return reply_item(self.item) if may_hold_binary(self.body) else self.item


def may_hold_binary(body: bytes) -> bool:
    """Cheap and never wrong when it says no: inside a JSON text these quotes would be escaped."""
    return b'{"B":' in body or b'{"BS":' in body


class Storage:
    """`path` is a file or ":memory:". `synchronous` FULL survives a power cut, NORMAL the death of the process.

    `exclusive` keeps other processes out of the file, which makes a commit cheaper.
    """

    def __init__(self, path: str | Path, synchronous: str = "NORMAL", *, exclusive: bool = False) -> None:
        if synchronous not in {"NORMAL", "FULL"}:
            raise ValueError(f"synchronous is NORMAL or FULL, not {synchronous!r}")
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(
            str(path),
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        self.execute = self._connection.execute
        if exclusive:  # before WAL, which then keeps its index in our memory instead of a shared file
            self.execute("PRAGMA locking_mode=EXCLUSIVE")
        self.execute("PRAGMA journal_mode=WAL")
        self.execute(f"PRAGMA synchronous={synchronous}")
        self.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        self.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self.lock:
            self._connection.close()

    def write(self) -> WriteTransaction:
        return WriteTransaction(self)

    def snapshot(self) -> ReadTransaction:
        """Several reads of one moment, whatever other processes write."""
        return ReadTransaction(self)

    # --- items -------------------------------------------------------------------------------------------

    def get(self, items_id: int, key: Key) -> Row | None:
        with self.lock:
            found = self.execute(
                "SELECT size, body FROM items WHERE t=? AND h=? AND r=?", (items_id, key.hash, key.range)
            ).fetchone()
        return None if found is None else Row(*found)

    def put(self, items_id: int, key: Key, size: int, body: bytes) -> None:
        self.execute(
            "INSERT OR REPLACE INTO items(t, h, r, size, body) VALUES (?, ?, ?, ?, ?)",
            (items_id, key.hash, key.range, size, body),
        )

    def delete(self, items_id: int, key: Key) -> None:
        self.execute("DELETE FROM items WHERE t=? AND h=? AND r=?", (items_id, key.hash, key.range))

    def count(self, items_id: int) -> tuple[int, int]:
        """Number of items and their bytes."""
        with self.lock:
            count, size = self.execute(
                "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM items WHERE t=?", (items_id,)
            ).fetchone()
        return count, size

    def all_items(self, items_id: int) -> Iterator[tuple[Key, Row]]:
        for partition, sort, size, body in self.execute("SELECT h, r, size, body FROM items WHERE t=?", (items_id,)):
            yield Key(partition, sort), Row(size, body)

    # --- index entries -----------------------------------------------------------------------------------

    def put_entry(self, index_id: int, entry: Key | tuple[int, str], key: Key) -> None:
        self.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", (index_id, *entry, *key))

    def delete_entry(self, index_id: int, entry: Key | tuple[int, str], key: Key) -> None:
        self.execute(
            "DELETE FROM entries WHERE x=? AND h=? AND r=? AND item_h=? AND item_r=?",
            (index_id, *entry, *key),
        )

    def delete_entries(self, index_id: int) -> None:
        self.execute("DELETE FROM entries WHERE x=?", (index_id,))

    def due(self, expiry_id: int, after_s: int, until_s: int, limit: int) -> list[Key]:
        """Keys of the items whose time to live lies in (after_s, until_s], the oldest first."""
        rows = self.execute(
            "SELECT item_h, item_r FROM entries WHERE x=? AND h>? AND h<=? ORDER BY h LIMIT ?",
            (expiry_id, after_s, until_s, limit),
        )
        return [Key(*row) for row in rows]

    # --- definitions -------------------------------------------------------------------------------------

    def definitions(self) -> list[tuple[int, dict[str, Any]]]:
        with self.lock:
            rows = self.execute("SELECT id, body FROM definitions").fetchall()
        return [(identifier, decode(body)) for identifier, body in rows]

    def put_definition(self, table_id: int, definition: dict[str, Any]) -> None:
        self.execute("INSERT OR REPLACE INTO definitions VALUES (?, ?)", (table_id, encode(definition)))

    def next_table_id(self) -> int:
        (highest,) = self.execute("SELECT COALESCE(MAX(id), 0) FROM definitions").fetchone()
        return int(highest) + 1

    def drop(self, table_id: int, first_id: int, last_id: int) -> None:
        """Removes a table's definition, items, entries, stream and cursors; ids are those of its indexes."""
        self.execute("DELETE FROM items WHERE t=?", (first_id,))
        self.execute("DELETE FROM entries WHERE x BETWEEN ? AND ?", (first_id, last_id))
        self.execute("DELETE FROM records WHERE t=? AND seq<(SELECT MAX(seq) FROM records)", (table_id,))
        self.execute("DELETE FROM cursors WHERE t=?", (table_id,))
        self.execute("DELETE FROM definitions WHERE id=?", (table_id,))


class _Transaction:
    """Holds the storage's lock from BEGIN to COMMIT, or to ROLLBACK when the block raises."""

    __slots__ = ("_storage",)
    begin = "BEGIN"

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def __enter__(self) -> Storage:
        self._storage.lock.acquire()
        try:
            self._storage.execute(self.begin)
        except BaseException:
            self._storage.lock.release()
            raise
        return self._storage

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._storage.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            self._storage.lock.release()


class ReadTransaction(_Transaction):
    __slots__ = ()


class WriteTransaction(_Transaction):
    __slots__ = ()
    begin = "BEGIN IMMEDIATE"
