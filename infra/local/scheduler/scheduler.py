"""Runs the app's scheduled Lambdas when they fall due on the platform's clock, in the order of their times.

The jobs are read from Chalice's own metadata (what `@app.schedule` and a Blueprint's `schedule` registered), so
there is no second list to forget. For the local platform only; one caller steps the time, others may read.
Invariants: a run is recorded after it ended (a crash inside runs it again, as EventBridge's at-least-once does);
a job that was missed while the process was down runs once, not once per missed occurrence; a failing job is
recorded and logged and never stops the others.
"""

from __future__ import annotations

import heapq
import logging
import sqlite3
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chalice import Chalice
from chalice.app import ScheduledEventConfig, ScheduleExpression

from chalicelib.kernel.clock import from_rfc3339, to_rfc3339
from infra.local.scheduler.expressions import Schedule, parse_schedule

log = logging.getLogger(__name__)

ACCOUNT_ID = "000000000000"
REGION = "eu-local-1"
MAX_RUNS_PER_CALL = 1_000
MAX_ERROR_CHARS = 2_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    name TEXT PRIMARY KEY,
    expression TEXT NOT NULL,
    next_run_at TEXT,
    last_run_at TEXT,
    last_result TEXT,
    last_error TEXT
) WITHOUT ROWID
"""

ScheduledEvent = Mapping[str, object]


class UnknownJob(LookupError):
    """No scheduled job has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """A scheduled job and how its last run went. `last_result` is "succeeded", "failed" or None (never ran)."""

    name: str
    expression: str
    next_run_at: datetime | None
    last_run_at: datetime | None
    last_result: str | None
    last_error: str | None


class Scheduler:
    """`run(name, event)` invokes the Lambda behind a job; what it raises is the job's failure."""

    def __init__(
        self,
        app: Chalice,
        now: Callable[[], datetime],
        run: Callable[[str, ScheduledEvent], object],
        path: str | Path = ":memory:",
    ) -> None:
        self._now = now
        self._run = run
        expressions = read_schedules(app)
        self._schedules = {name: parse_schedule(text) for name, text in expressions.items()}
        self._lock = threading.Lock()  # the database
        self._running = threading.Lock()  # one job at a time
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(SCHEMA)
        self._open_jobs(expressions)

    def close(self) -> None:
        with self._running, self._lock:
            self._db.close()

    def jobs(self) -> list[JobStatus]:
        """All jobs by name."""
        with self._lock:
            rows = self._db.execute(
                "SELECT name, expression, next_run_at, last_run_at, last_result, last_error FROM jobs ORDER BY name"
            ).fetchall()
        return [
            JobStatus(
                name=name,
                expression=expression,
                next_run_at=from_rfc3339(next_run_at) if next_run_at else None,
                last_run_at=from_rfc3339(last_run_at) if last_run_at else None,
                last_result=last_result,
                last_error=last_error,
            )
            for name, expression, next_run_at, last_run_at, last_result, last_error in rows
        ]

    def next_due(self) -> datetime | None:
        """When the next job falls due (it may be in the past); None without jobs."""
        return min((job.next_run_at for job in self.jobs() if job.next_run_at), default=None)

    def due_between(self, start: datetime, end: datetime, limit: int = MAX_RUNS_PER_CALL) -> list[tuple[datetime, str]]:
        """The runs (time, job) with start < time <= end, in order, at most `limit`: for who steps the clock."""
        upcoming = [(job.next_run_at, job.name) for job in self.jobs() if job.next_run_at]
        heapq.heapify(upcoming)
        due: list[tuple[datetime, str]] = []
        while upcoming and upcoming[0][0] <= end and len(due) < limit:
            moment, name = heapq.heappop(upcoming)
            if moment > start:
                due.append((moment, name))
                following = self._schedules[name].next_after(moment)
            else:
                following = self._schedules[name].next_after(self._schedules[name].latest_between(moment, start))
            if following is not None:
                heapq.heappush(upcoming, (following, name))
        return due

    def run_due(self, limit: int = MAX_RUNS_PER_CALL) -> int:
        """Runs what is due now, earliest first, each occurrence once; the number of runs, at most `limit`."""
        for count in range(limit):
            with self._running:
                due = self._earliest_due()
                if due is None:
                    return count
                scheduled_at, name = due
                self._run_and_record(name, scheduled_at, self._schedules[name].next_after(scheduled_at))
        return limit

    def run_now(self, name: str) -> JobStatus:
        """Runs a job out of turn; its schedule stays as it is. UnknownJob when there is none of this name."""
        if name not in self._schedules:
            raise UnknownJob(name)
        with self._running:
            job = next(job for job in self.jobs() if job.name == name)
            self._run_and_record(name, self._now(), job.next_run_at)
        return next(job for job in self.jobs() if job.name == name)

    def _open_jobs(self, expressions: Mapping[str, str]) -> None:
        """Brings the table in line with the app: new jobs, changed expressions, jobs that are gone, missed runs."""
        now = self._now()
        known = {job.name: job for job in self.jobs()}
        with self._lock:
            for name in known.keys() - expressions.keys():
                self._db.execute("DELETE FROM jobs WHERE name = ?", (name,))
            for name, expression in expressions.items():
                before = known.get(name)
                stored = before.next_run_at if before and before.expression == expression else None
                next_run_at = _reopen(self._schedules[name], stored, now)
                self._db.execute(
                    "INSERT INTO jobs (name, expression, next_run_at) VALUES (?, ?, ?) ON CONFLICT (name) "
                    "DO UPDATE SET expression = excluded.expression, next_run_at = excluded.next_run_at",
                    (name, expression, to_rfc3339(next_run_at) if next_run_at else None),
                )

    def _earliest_due(self) -> tuple[datetime, str] | None:
        due = [(job.next_run_at, job.name) for job in self.jobs() if job.next_run_at]
        earliest = min(due, default=None)
        return earliest if earliest is not None and earliest[0] <= self._now() else None

    def _run_and_record(self, name: str, scheduled_at: datetime, next_run_at: datetime | None) -> None:
        started_at = self._now()
        error_text = None
        try:
            self._run(name, scheduled_event(name, scheduled_at))
        except Exception as error:
            log.exception("scheduled job %s failed", name)
            error_text = f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARS]
        with self._lock:
            self._db.execute(
                "UPDATE jobs SET last_run_at = ?, last_result = ?, last_error = ?, next_run_at = ? WHERE name = ?",
                (
                    to_rfc3339(started_at),
                    "failed" if error_text else "succeeded",
                    error_text,
                    to_rfc3339(next_run_at) if next_run_at else None,
                    name,
                ),
            )


def read_schedules(app: Chalice) -> dict[str, str]:
    """Name -> expression of every scheduled function that was registered on the app or its blueprints."""
    return {
        source.name: _expression_text(source.schedule_expression)
        for source in app.event_sources
        if isinstance(source, ScheduledEventConfig)
    }


def scheduled_event(name: str, scheduled_at: datetime) -> ScheduledEvent:
    """EventBridge's "Scheduled Event". The id follows from job and time: a repeated delivery keeps it."""
    time_text = scheduled_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}@{to_rfc3339(scheduled_at)}")),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": time_text,
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/{name}"],
        "detail": {},
    }


def _expression_text(expression: str | ScheduleExpression) -> str:
    return expression if isinstance(expression, str) else expression.to_string()


def _reopen(schedule: Schedule, stored: datetime | None, now: datetime) -> datetime | None:
    """The next run of a job when the process starts at `now` and `stored` was noted before (None: a new job).

    Missed runs become one, the latest. A stored time that is further away than one whole period (the clock was
    ahead in the previous life) is brought back.
    """
    first = schedule.next_after(now)
    if stored is None:
        return first
    if stored <= now:
        return schedule.latest_between(stored, now)
    return min(stored, first) if first is not None else stored
