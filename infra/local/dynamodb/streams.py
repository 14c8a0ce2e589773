"""Streams: one record per change of an item, written in the transaction that changes it.

Consumers read after a sequence number and save how far they are under their own name; what all consumers of a
table have behind them, or is a day old, may be pruned. The newest record always stays, so that sequence
numbers never start again.
"""

from __future__ import annotations

from typing import Any

from infra.local.dynamodb.database import Database
from infra.local.dynamodb.errors import table_not_found
from infra.local.dynamodb.storage import decode, encode
from infra.local.dynamodb.tables import REGION, Table
from infra.local.dynamodb.values import Item

RETENTION_S = 24 * 3600
_TTL_IDENTITY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def append(
    database: Database,
    table: Table,
    keys: Item,
    old: bytes | None,
    new: bytes | None,
    *,
    by_service: bool,
) -> None:
    """Writes one record; the caller's transaction is open. `old`, `new` are the item's JSON."""
    view = table.stream_view
    keeps_old = view in {"OLD_IMAGE", "NEW_AND_OLD_IMAGES"}
    keeps_new = view in {"NEW_IMAGE", "NEW_AND_OLD_IMAGES"}
    # An empty blob says "there was one" where the view does not keep the image.
    database.storage.execute(
        "INSERT INTO records(t, at, by_service, keys, old, new) VALUES (?, ?, ?, ?, ?, ?)",
        (
            table.id,
            int(database.now().timestamp()),
            by_service,
            encode(keys),
            old if keeps_old or old is None else b"",
            new if keeps_new or new is None else b"",
        ),
    )


def read(database: Database, table_name: str, after_sequence: int, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` records after that sequence number, in order, as Lambda receives them."""
    table = _named(database, table_name)
    with database.storage.lock:
        rows = database.storage.execute(
            "SELECT seq, at, by_service, keys, old, new FROM records WHERE seq>? AND t=? ORDER BY seq LIMIT ?",
            (after_sequence, table.id, limit),
        ).fetchall()
    return [_record(table, *row) for row in rows]


def _record(
    table: Table, sequence: int, at: int, by_service: int, keys: bytes, old: bytes | None, new: bytes | None
) -> dict[str, Any]:
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": at,
        "Keys": decode(keys),
        "SequenceNumber": f"{sequence:021d}",
        "SizeBytes": len(keys) + len(old or b"") + len(new or b""),
        "StreamViewType": table.stream_view or "KEYS_ONLY",
    }
    if new:
        change["NewImage"] = decode(new)
    if old:
        change["OldImage"] = decode(old)
    record: dict[str, Any] = {
        "eventID": f"{table.id:08x}{sequence:024x}",
        "eventName": "REMOVE" if new is None else "INSERT" if old is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": table.stream_arn,
    }
    if by_service:
        record["userIdentity"] = _TTL_IDENTITY
    return record


def cursor(database: Database, consumer: str, table_name: str) -> int:
    """The last sequence number this consumer saved, 0 at first."""
    table = _named(database, table_name)
    with database.storage.lock:
        found = database.storage.execute(
            "SELECT seq FROM cursors WHERE consumer=? AND t=?", (consumer, table.id)
        ).fetchone()
    return 0 if found is None else int(found[0])


def save_cursor(database: Database, consumer: str, table_name: str, sequence: int) -> None:
    """Remembers durably that the consumer is done up to `sequence`; it never goes back."""
    table = _named(database, table_name)
    with database.storage.write() as storage:
        storage.execute(
            "INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT(consumer, t) DO UPDATE SET seq=MAX(seq, excluded.seq)",
            (consumer, table.id, sequence),
        )


def prune(database: Database) -> int:
    """Deletes what every consumer has behind it and what is over a day old; how many records that was."""
    oldest = int(database.now().timestamp()) - RETENTION_S
    with database.storage.write() as storage:
        deleted = storage.execute(
            "DELETE FROM records WHERE seq<(SELECT MAX(seq) FROM records) AND (at<? OR "
            "seq<=(SELECT MIN(cursors.seq) FROM cursors WHERE cursors.t=records.t))",
            (oldest,),
        )
        return deleted.rowcount


def _named(database: Database, table_name: str) -> Table:
    if table_name not in database.tables:
        database.load_tables()
    if table_name not in database.tables:
        raise table_not_found(table_name)
    return database.tables[table_name]
