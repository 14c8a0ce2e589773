"""The fake's memory: objects, webhook events and idempotency keys in one SQLite file.

Used by `fake.py` alone. Invariant: what one request or one click changes (objects and the events that tell of
them) lands in one `transaction`, so that after a kill nobody has paid without an event on its way.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.local.payments.objects.common import StripeObject, due_at

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    account TEXT,
    our_id TEXT,
    due_at INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, account, sequence);
CREATE INDEX IF NOT EXISTS objects_by_our_id ON objects (our_id) WHERE our_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_due ON objects (due_at) WHERE due_at IS NOT NULL;
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
    status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
"""

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
VERSION = 2
# What an earlier version left behind is told in this one's terms.
MIGRATION = """
ALTER TABLE objects ADD COLUMN account TEXT;
ALTER TABLE objects RENAME COLUMN payment_id TO our_id;
ALTER TABLE objects RENAME COLUMN open_until TO due_at;
DROP INDEX IF EXISTS objects_by_payment;
DROP INDEX IF EXISTS objects_open;
ALTER TABLE idempotency_keys ADD COLUMN status INTEGER NOT NULL DEFAULT 200;
"""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the first request with an idempotency key was told."""

    fingerprint: str
    status: int
    answer: StripeObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A page of one kind's objects, newest first. `members`: equal values; `created`: gt, gte, lt, lte in seconds."""

    kind: str
    account: str | None
    limit: int
    members: Mapping[str, str]
    created: Mapping[str, int]
    starting_after: str | None = None
    ending_before: str | None = None


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
        self._migrate()
        self._db.executescript(SCHEMA)
        self._db.execute(f"PRAGMA user_version = {VERSION}")

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
        """Adds or replaces an object. It is found by our id of what it stands for, and when time changes it."""
        account = subject.get("_account")
        self._execute(
            "INSERT INTO objects (id, kind, account, our_id, due_at, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) "
            "DO UPDATE SET due_at = excluded.due_at, body = excluded.body",
            (subject["id"], subject["object"], account, _our_id(subject), due_at(subject), json.dumps(subject)),
        )

    def find(self, kind: str, object_id: str) -> StripeObject | None:
        row = self._execute("SELECT body FROM objects WHERE id = ? AND kind = ?", (object_id, kind)).fetchone()
        return json.loads(row[0]) if row else None

    def find_any(self, object_id: str) -> StripeObject | None:
        """Of whatever kind."""
        row = self._execute("SELECT body FROM objects WHERE id = ?", (object_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def find_by_our_id(self, kind: str, our_id: str) -> list[StripeObject]:
        """Newest first: Checkout Sessions by client_reference_id, refunds and payouts by our id in their metadata,
        disputes by their charge."""
        return self._read_objects("WHERE our_id = ? AND kind = ? ORDER BY sequence DESC", (our_id, kind))

    def list_page(self, query: ListQuery) -> tuple[list[StripeObject], bool]:
        """The page, and whether there is more in its direction. LookupError for a cursor that is nothing."""
        conditions = ["kind = ?", "account IS ?"]
        values: list[object] = [query.kind, query.account]
        for name, text in query.members.items():
            conditions.append("json_extract(body, ?) = ?")
            values += [f"$.{name}", text]
        for name, moment in query.created.items():
            conditions.append(f"json_extract(body, '$.created') {COMPARISONS[name]} ?")
            values.append(moment)
        order = "DESC"
        for cursor, sign in ((query.starting_after, "<"), (query.ending_before, ">")):
            if cursor is not None:
                conditions.append(f"sequence {sign} ?")
                values.append(self._sequence_of(cursor))
                order = "DESC" if sign == "<" else "ASC"
        found = self._read_objects(
            f"WHERE {' AND '.join(conditions)} ORDER BY sequence {order} LIMIT {query.limit + 1}", tuple(values)
        )
        page = found[: query.limit]
        return (page if order == "DESC" else page[::-1]), len(found) > query.limit

    def balance(self, account: str | None, currency: str) -> int:
        """The sum of an account's lines."""
        total: int = self._execute(
            "SELECT COALESCE(SUM(json_extract(body, '$.net')), 0) FROM objects WHERE kind = 'balance_transaction' "
            "AND account IS ? AND json_extract(body, '$.currency') = ?",
            (account, currency),
        ).fetchone()[0]
        return total

    def first_due(self) -> int | None:
        return self._scalar("SELECT MIN(due_at) FROM objects WHERE due_at IS NOT NULL")

    def due_objects(self, now_s: int, limit: int) -> list[StripeObject]:
        """What time has changed by now, the longest due first."""
        return self._read_objects(f"WHERE due_at <= ? ORDER BY due_at, sequence LIMIT {limit}", (now_s,))

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

    def find_answer(self, key: str, since_s: int) -> StoredAnswer | None:
        """What the request that used this key was told, if it is not too old."""
        row = self._execute(
            "SELECT fingerprint, status, answer FROM idempotency_keys WHERE key = ? AND created_at > ?", (key, since_s)
        ).fetchone()
        return StoredAnswer(row[0], row[1], json.loads(row[2])) if row else None

    def save_answer(self, key: str, told: StoredAnswer, now_s: int) -> None:
        self._execute(
            "INSERT OR REPLACE INTO idempotency_keys (key, fingerprint, status, answer, created_at) "
            "VALUES (?, ?, ?, ?, ?)",
            (key, told.fingerprint, told.status, json.dumps(told.answer), now_s),
        )

    def _migrate(self) -> None:
        version = self._scalar("PRAGMA user_version") or 0
        known = self._scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = 'objects'")
        if known and version < VERSION:
            self._db.executescript(f"BEGIN IMMEDIATE; {MIGRATION} PRAGMA user_version = {VERSION}; COMMIT;")

    def _sequence_of(self, object_id: str) -> int:
        row = self._execute("SELECT sequence FROM objects WHERE id = ?", (object_id,)).fetchone()
        if row is None:
            raise LookupError(object_id)
        sequence: int = row[0]
        return sequence

    def _read_objects(self, condition: str, values: tuple[object, ...]) -> list[StripeObject]:
        rows = self._execute(f"SELECT body FROM objects {condition}", values).fetchall()
        return [json.loads(body) for (body,) in rows]

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


def _our_id(subject: StripeObject) -> str | None:
    our_id: str | None = None
    match subject["object"]:
        case "checkout.session":
            our_id = subject["client_reference_id"]
        case "refund":
            our_id = subject["metadata"].get("refund_id")
        case "dispute":
            our_id = subject["charge"]  # a bank has none of our ids: by what it disputes
        case "payout":
            our_id = subject["metadata"].get("payout_id")
    return our_id
