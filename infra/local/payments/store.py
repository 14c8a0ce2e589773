"""The fake's memory: objects, webhook events and idempotency keys in one SQLite file.

Used by `fake.py` alone. Invariant: what one request or one click changes (objects and the events that tell of
them) lands in one `transaction`, so that after a kill nobody has paid without an event on its way.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.payments.objects import StripeObject

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    payment_id TEXT,
    open_until INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_payment ON objects (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_open ON objects (open_until) WHERE open_until IS NOT NULL;
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    delivered_at INTEGER,
    last_error TEXT
);
CREATE INDEX IF NOT EXISTS events_pending ON events (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A notification and how its delivery stands. Times are epoch seconds; `next_attempt_at` None: done or given up."""

    id: str
    body: bytes
    attempts: int
    next_attempt_at: int | None
    delivered_at: int | None
    last_error: str | None


class Store:
    def __init__(self, path: str | Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else in between. Not to be nested."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def save(self, subject: StripeObject) -> None:
        """Adds or replaces an object. An open Checkout Session is found by its payment and its expiry."""
        is_session = subject["object"] == "checkout.session"
        open_until = subject["expires_at"] if is_session and subject["status"] == "open" else None
        payment_id = subject["client_reference_id"] if is_session else None
        self._execute(
            "INSERT INTO objects (id, kind, payment_id, open_until, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) "
            "DO UPDATE SET open_until = excluded.open_until, body = excluded.body",
            (subject["id"], subject["object"], payment_id, open_until, json.dumps(subject)),
        )

    def find(self, kind: str, object_id: str) -> StripeObject | None:
        row = self._execute("SELECT body FROM objects WHERE id = ? AND kind = ?", (object_id, kind)).fetchone()
        return json.loads(row[0]) if row else None

    def sessions_of_payment(self, payment_id: str) -> list[StripeObject]:
        """The Checkout Sessions with this client_reference_id, newest first."""
        rows = self._execute(
            "SELECT body FROM objects WHERE payment_id = ? ORDER BY sequence DESC", (payment_id,)
        ).fetchall()
        return [json.loads(body) for (body,) in rows]

    def first_expiry(self) -> int | None:
        return self._scalar("SELECT MIN(open_until) FROM objects WHERE open_until IS NOT NULL")

    def expired_sessions(self, now_s: int, limit: int) -> list[StripeObject]:
        rows = self._execute(
            "SELECT body FROM objects WHERE open_until <= ? ORDER BY open_until, sequence LIMIT ?", (now_s, limit)
        ).fetchall()
        return [json.loads(body) for (body,) in rows]

    def add_event(self, event: StripeObject, due_at: int) -> None:
        self._execute(
            "INSERT INTO events (id, body, next_attempt_at) VALUES (?, ?, ?)",
            (event["id"], json.dumps(event, indent=2), due_at),
        )

    def first_pending_at(self) -> int | None:
        return self._scalar("SELECT MIN(next_attempt_at) FROM events WHERE next_attempt_at IS NOT NULL")

    def next_event(self, now_s: int) -> StoredEvent | None:
        """The event whose delivery is due, the one that waits longest first."""
        rows = self._read_events("WHERE next_attempt_at <= ? ORDER BY next_attempt_at, sequence LIMIT 1", (now_s,))
        return rows[0] if rows else None

    def events(self, limit: int = 100) -> list[StoredEvent]:
        """Newest first."""
        return self._read_events("ORDER BY sequence DESC LIMIT ?", (limit,))

    def save_delivery(
        self,
        event_id: str,
        *,
        attempts: int,
        next_attempt_at: int | None,
        delivered_at: int | None = None,
        last_error: str | None = None,
    ) -> None:
        self._execute(
            "UPDATE events SET attempts = ?, next_attempt_at = ?, delivered_at = ?, last_error = ? WHERE id = ?",
            (attempts, next_attempt_at, delivered_at, last_error, event_id),
        )

    def reopen(self, now_s: int, keys_since_s: int) -> None:
        """After a restart: what was on its way, or waiting for a retry, goes out at once; old keys are forgotten."""
        self._execute("UPDATE events SET next_attempt_at = MIN(next_attempt_at, ?)", (now_s,))
        self._execute("DELETE FROM idempotency_keys WHERE created_at <= ?", (keys_since_s,))

    def find_answer(self, key: str, since_s: int) -> tuple[str, StripeObject] | None:
        """Fingerprint and answer of the request that used this key, if it is not too old."""
        row = self._execute(
            "SELECT fingerprint, answer FROM idempotency_keys WHERE key = ? AND created_at > ?", (key, since_s)
        ).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def save_answer(self, key: str, fingerprint: str, answer: StripeObject, now_s: int) -> None:
        self._execute(
            "INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, answer, created_at) VALUES (?, ?, ?, ?)",
            (key, fingerprint, json.dumps(answer), now_s),
        )

    def _read_events(self, condition: str, values: tuple[object, ...]) -> list[StoredEvent]:
        rows = self._execute(
            f"SELECT id, body, attempts, next_attempt_at, delivered_at, last_error FROM events {condition}", values
        ).fetchall()
        return [StoredEvent(row[0], row[1].encode(), *row[2:]) for row in rows]

    def _scalar(self, query: str) -> int | None:
        value: int | None = self._execute(query).fetchone()[0]
        return value

    def _execute(self, query: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        with self._lock:
            return self._db.execute(query, values)
