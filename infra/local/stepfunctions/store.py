"""The runner's memory: one SQLite file (WAL, synchronous=NORMAL), one connection, one lock.

Private to `runner` and `advance`. All reading and writing happens inside `unit()`, which commits as a whole or
not at all; a process killed at any instant leaves the last committed unit (a machine that loses power may lose
the last few: it is a developer's machine). Closed executions are forgotten after 90 days, as on the service.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.local.stepfunctions.records import Answer, Branch, Event, Execution, Phase, Status, TaskToken
from infra.local.stepfunctions.values import Json, JsonObject, from_text, to_text

_SCHEMA = """
CREATE TABLE IF NOT EXISTS definitions (digest TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS machines (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL, created_us INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS executions (
    id INTEGER PRIMARY KEY, machine TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL,
    status TEXT NOT NULL, input TEXT NOT NULL, started_us INTEGER NOT NULL, deadline_us INTEGER,
    output TEXT, error TEXT, cause TEXT, stopped_us INTEGER,
    transitions INTEGER NOT NULL, events INTEGER NOT NULL, UNIQUE (machine, name));
CREATE INDEX IF NOT EXISTS execution_deadlines ON executions (deadline_us)
    WHERE status = 'RUNNING' AND deadline_us IS NOT NULL;
CREATE INDEX IF NOT EXISTS execution_ends ON executions (stopped_us) WHERE stopped_us IS NOT NULL;
CREATE TABLE IF NOT EXISTS branches (
    id INTEGER PRIMARY KEY, execution INTEGER NOT NULL, parent INTEGER, slot INTEGER NOT NULL,
    phase TEXT NOT NULL, due_us INTEGER, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS branches_due ON branches (due_us, id) WHERE due_us IS NOT NULL;
CREATE INDEX IF NOT EXISTS branches_of ON branches (execution);
CREATE INDEX IF NOT EXISTS branches_below ON branches (parent, slot) WHERE parent IS NOT NULL;
CREATE TABLE IF NOT EXISTS task_tokens (
    task_token TEXT PRIMARY KEY, execution INTEGER NOT NULL, branch INTEGER NOT NULL, answer TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS task_tokens_of ON task_tokens (execution);
CREATE TABLE IF NOT EXISTS events (
    execution INTEGER NOT NULL, id INTEGER NOT NULL, previous INTEGER NOT NULL, at_us INTEGER NOT NULL,
    type TEXT NOT NULL, details TEXT NOT NULL, PRIMARY KEY (execution, id)) WITHOUT ROWID;
"""
_EXECUTION_COLUMNS = (
    "id, machine, name, definition, status, input, started_us, deadline_us,"
    " output, error, cause, stopped_us, transitions, events"
)
_COLUMNS_OF_BRANCH = ("id", "execution", "parent", "slot", "phase", "due_us")


class Store:
    """See the module. Every method but `unit` and `close` must be called inside a `unit()`."""

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    @contextmanager
    def unit(self) -> Iterator[None]:
        """One atomic piece of work, alone in the store."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:  # the work failed, or its commit did
                    self._db.execute("ROLLBACK")

    @contextmanager
    def undoable(self) -> Iterator[None]:
        """A part of a unit that is undone by itself when it raises."""
        self._db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO part")
            raise
        finally:
            self._db.execute("RELEASE part")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # -- machines

    def put_machine(self, name: str, body: str, now_us: int) -> None:
        """Makes `body` the machine's definition for executions yet to start."""
        digest = hashlib.sha256(body.encode()).hexdigest()
        self._db.execute("INSERT OR IGNORE INTO definitions VALUES (?, ?)", (digest, body))
        self._db.execute(
            "INSERT INTO machines VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET digest = excluded.digest",
            (name, digest, now_us),
        )

    def machines(self) -> list[tuple[str, str, int]]:
        """(name, digest, created_us) of every machine, by name."""
        return self._db.execute("SELECT name, digest, created_us FROM machines ORDER BY name").fetchall()

    def machine(self, name: str) -> tuple[str, int] | None:
        """(digest, created_us) of a machine."""
        row: tuple[str, int] | None = self._db.execute(
            "SELECT digest, created_us FROM machines WHERE name = ?", (name,)
        ).fetchone()
        return row

    def definition(self, digest: str) -> str:
        (body,) = self._db.execute("SELECT body FROM definitions WHERE digest = ?", (digest,)).fetchone()
        return str(body)

    # -- executions

    def add_execution(
        self, machine: str, name: str, definition: str, input_text: str, now_us: int, deadline_us: int | None
    ) -> Execution:
        cursor = self._db.execute(
            "INSERT INTO executions (machine, name, definition, status, input, started_us, deadline_us,"
            " transitions, events) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
            (machine, name, definition, Status.RUNNING, input_text, now_us, deadline_us),
        )
        identity = cursor.lastrowid or 0
        return Execution(identity, machine, name, definition, Status.RUNNING, input_text, now_us, deadline_us)

    def execution(self, identity: int) -> Execution:
        return self._executions("WHERE id = ?", (identity,))[0]

    def find_execution(self, machine: str, name: str) -> Execution | None:
        found = self._executions("WHERE machine = ? AND name = ?", (machine, name))
        return found[0] if found else None

    def overdue_execution(self, now_us: int) -> Execution | None:
        """The running execution whose own TimeoutSeconds ran out first."""
        found = self._executions(
            "WHERE status = 'RUNNING' AND deadline_us <= ? ORDER BY deadline_us LIMIT 1", (now_us,)
        )
        return found[0] if found else None

    def list_executions(
        self, machine: str | None, status: str | None, below: int | None, limit: int
    ) -> list[Execution]:
        """Newest first, of one machine or all, in one status or any, with ids under `below`."""
        return self._executions(
            "WHERE (?1 IS NULL OR machine = ?1) AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR id < ?3)"
            " ORDER BY id DESC LIMIT ?4",
            (machine, status, below, limit),
        )

    def _executions(self, where: str, values: tuple[object, ...]) -> list[Execution]:
        rows = self._db.execute(f"SELECT {_EXECUTION_COLUMNS} FROM executions {where}", values)
        found = []
        for row in rows:
            fields: dict[str, Any] = dict(zip(_EXECUTION_COLUMNS.split(", "), row, strict=True))
            fields["status"] = Status(fields["status"])
            found.append(Execution(**fields))
        return found

    def save_counters(self, execution: Execution) -> None:
        self._db.execute(
            "UPDATE executions SET transitions = ?, events = ? WHERE id = ?",
            (execution.transitions, execution.events, execution.id),
        )

    def close_execution(self, execution: Execution) -> None:
        """Writes how it ended; its branches are gone, its task tokens are nobody's any more."""
        self._db.execute(
            "UPDATE executions SET status = ?, output = ?, error = ?, cause = ?, stopped_us = ?,"
            " transitions = ?, events = ? WHERE id = ?",
            (
                execution.status,
                execution.output,
                execution.error,
                execution.cause,
                execution.stopped_us,
                execution.transitions,
                execution.events,
                execution.id,
            ),
        )
        self._db.execute("DELETE FROM branches WHERE execution = ?", (execution.id,))

    def forget(self, before_us: int) -> None:
        """Deletes what ended before a moment, and definitions nobody uses."""
        ended = "(SELECT id FROM executions WHERE stopped_us < ?)"
        self._db.execute(f"DELETE FROM events WHERE execution IN {ended}", (before_us,))
        self._db.execute(f"DELETE FROM task_tokens WHERE execution IN {ended}", (before_us,))
        self._db.execute("DELETE FROM executions WHERE stopped_us < ?", (before_us,))
        self._db.execute(
            "DELETE FROM definitions WHERE digest NOT IN (SELECT digest FROM machines)"
            " AND digest NOT IN (SELECT definition FROM executions)"
        )

    # -- branches

    def add_branch(self, execution: int, parent: Branch | None, slot: int, state: str, data: Json) -> Branch:
        cursor = self._db.execute(
            "INSERT INTO branches (execution, parent, slot, phase, body) VALUES (?, ?, ?, ?, '')",
            (execution, parent.id if parent else None, slot, Phase.ENTER),
        )
        return Branch(
            cursor.lastrowid or 0,
            execution,
            parent.id if parent else None,
            slot,
            state,
            data,
            last_event=parent.last_event if parent else 0,
        )

    def save_branch(self, branch: Branch) -> None:
        body = {key: value for key, value in vars(branch).items() if key not in _COLUMNS_OF_BRANCH}
        self._db.execute(
            "UPDATE branches SET phase = ?, due_us = ?, body = ? WHERE id = ?",
            (branch.phase, branch.due_us, to_text(body), branch.id),
        )

    def branch(self, identity: int) -> Branch | None:
        found = self._branches("WHERE id = ?", (identity,))
        return found[0] if found else None

    def due_branch(self, now_us: int) -> tuple[int, int] | None:
        """(id, due_us) of the branch that has been due longest."""
        row: tuple[int, int] | None = self._db.execute(
            "SELECT id, due_us FROM branches WHERE due_us <= ? ORDER BY due_us, id LIMIT 1", (now_us,)
        ).fetchone()
        return row

    def children(self, parent: int) -> list[Branch]:
        return self._branches("WHERE parent = ? ORDER BY slot", (parent,))

    def root_branch(self, execution: int) -> Branch:
        return self._branches("WHERE execution = ? AND parent IS NULL", (execution,))[0]

    def tally(self, parent: int) -> Counter[Phase]:
        """How many branches below a branch stand in each phase."""
        rows = self._db.execute("SELECT phase, COUNT(*) FROM branches WHERE parent = ? GROUP BY phase", (parent,))
        return Counter({Phase(phase): count for phase, count in rows})

    def wake(self, identity: int, due_us: int) -> None:
        self._db.execute("UPDATE branches SET due_us = ? WHERE id = ?", (due_us, identity))

    def delete_children(self, parent: int) -> None:
        """Removes everything below a branch, whatever it was doing."""
        self._db.execute(
            "WITH RECURSIVE below(id) AS (SELECT id FROM branches WHERE parent = ?"
            " UNION ALL SELECT branches.id FROM branches JOIN below ON branches.parent = below.id)"
            " DELETE FROM branches WHERE id IN below",
            (parent,),
        )

    def _branches(self, where: str, values: tuple[object, ...]) -> list[Branch]:
        rows = self._db.execute(f"SELECT {', '.join(_COLUMNS_OF_BRANCH)}, body FROM branches {where}", values)
        found = []
        for identity, execution, parent, slot, phase, due_us, body in rows:
            fields: dict[str, Any] = json.loads(body)
            fields["failure"] = tuple(fields["failure"])
            found.append(Branch(identity, execution, parent, slot, phase=Phase(phase), due_us=due_us, **fields))
        return found

    def next_due_us(self) -> int | None:
        """The earliest moment at which anything has to happen."""
        (branch_us,) = self._db.execute("SELECT MIN(due_us) FROM branches WHERE due_us IS NOT NULL").fetchone()
        (deadline_us,) = self._db.execute(
            "SELECT MIN(deadline_us) FROM executions WHERE status = 'RUNNING' AND deadline_us IS NOT NULL"
        ).fetchone()
        return min((moment for moment in (branch_us, deadline_us) if moment is not None), default=None)

    # -- task tokens

    def add_task_token(self, text: str, branch: Branch) -> None:
        self._db.execute("INSERT INTO task_tokens VALUES (?, ?, ?, NULL)", (text, branch.execution, branch.id))

    def task_token(self, text: str) -> TaskToken | None:
        row = self._db.execute("SELECT branch, answer FROM task_tokens WHERE task_token = ?", (text,)).fetchone()
        if row is None:
            return None
        return TaskToken(text, row[0], None if row[1] is None else Answer(**json.loads(row[1])))

    def put_answer(self, text: str, answer: Answer) -> None:
        self._db.execute("UPDATE task_tokens SET answer = ? WHERE task_token = ?", (to_text(asdict(answer)), text))

    # -- history

    def add_event(self, execution: int, event: Event) -> None:
        self._db.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
            (execution, event.id, event.previous, event.at_us, event.type, to_text(event.details)),
        )

    def events(self, execution: int, after: int, limit: int, newest_first: bool) -> list[Event]:
        """Up to `limit` events beyond the id `after`, in the direction asked for (0 starts at its end)."""
        condition, order = ("AND (?2 = 0 OR id < ?2)", "DESC") if newest_first else ("AND id > ?2", "ASC")
        rows = self._db.execute(
            "SELECT id, previous, at_us, type, details FROM events"
            f" WHERE execution = ?1 {condition} ORDER BY id {order} LIMIT ?3",
            (execution, after, limit),
        )
        return [
            Event(identity, previous, at_us, kind, _object(details))
            for identity, previous, at_us, kind, details in rows
        ]


def _object(text: str) -> JsonObject:
    value = from_text(text)
    return value if isinstance(value, dict) else {}
