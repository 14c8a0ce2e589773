"""The scheduler on a virtual clock: order, missed runs, failures, restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chalice import Blueprint, Chalice, Cron, Rate
from chalice.app import CloudWatchEvent

from chalicelib.kernel.clock import VirtualClock
from infra.local.scheduler import Scheduler, UnknownJob
from infra.local.scheduler.scheduler import ScheduledEvent, read_schedules

START = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


def make_app(*, offline: str | Rate = "rate(10 minutes)", extra: bool = True) -> Chalice:
    """Schedules on the app, on a blueprint, with a prefix, as objects and as texts."""
    app = Chalice(app_name="wattfare")
    jobs = Blueprint("chalicelib.settlement.jobs")

    @app.schedule(offline, name="offline_alerts")
    def offline_alerts(event: CloudWatchEvent) -> None:
        pass

    @jobs.schedule(Cron(0, 1, "*", "*", "?", "*"))
    def settle(event: CloudWatchEvent) -> None:
        pass

    if extra:

        @app.schedule("cron(0 * * * ? *)", name="hourly")
        def hourly(event: CloudWatchEvent) -> None:
            pass

    @app.on_s3_event("bucket")
    def not_a_schedule(event: object) -> None:
        pass

    app.register_blueprint(jobs, name_prefix="settlement_")
    return app


class Stand:
    """A scheduler that notes its runs; `failing` names jobs that raise."""

    def __init__(self, path: Path | str = ":memory:", app: Chalice | None = None) -> None:
        self.path = path
        self.clock = VirtualClock(START)
        self.runs: list[tuple[datetime, str]] = []
        self.events: list[ScheduledEvent] = []
        self.failing: set[str] = set()
        self.reopen(app)

    def reopen(self, app: Chalice | None = None) -> None:
        self.scheduler = Scheduler(app or make_app(), self.clock.now, self._run, self.path)

    def _run(self, name: str, event: ScheduledEvent) -> None:
        self.runs.append((self.clock.now(), name))
        self.events.append(event)
        if name in self.failing:
            raise RuntimeError("the bank is closed")

    def step_to(self, end: datetime) -> None:
        """As the platform does: from one due moment to the next."""
        while (due := self.scheduler.next_due()) is not None and due <= end:
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
            self.scheduler.run_due()
        self.clock.advance((end - self.clock.now()).total_seconds())


def test_reads_what_chalice_knows() -> None:
    assert read_schedules(make_app(offline=Rate(1, Rate.HOURS))) == {
        "offline_alerts": "rate(1 hour)",
        "hourly": "cron(0 * * * ? *)",
        "settlement_settle": "cron(0 1 * * ? *)",
    }


def test_a_schedule_that_eventbridge_would_refuse_stops_the_start() -> None:
    with pytest.raises(ValueError, match=r"rate\(1 hours\)"):
        Scheduler(make_app(offline="rate(1 hours)"), VirtualClock(START).now, lambda name, event: None)


def test_a_fresh_start() -> None:
    stand = Stand()
    assert [(job.name, job.next_run_at, job.last_run_at, job.last_result) for job in stand.scheduler.jobs()] == [
        ("hourly", minutes(60), None, None),
        ("offline_alerts", minutes(10), None, None),
        ("settlement_settle", minutes(60), None, None),
    ]
    assert stand.scheduler.next_due() == minutes(10)
    assert stand.scheduler.run_due() == 0


def test_runs_in_the_order_of_time() -> None:
    stand = Stand()
    stand.step_to(minutes(65))
    assert stand.runs == [
        *[(minutes(10 * count), "offline_alerts") for count in range(1, 6)],
        (minutes(60), "hourly"),
        (minutes(60), "offline_alerts"),
        (minutes(60), "settlement_settle"),
    ]
    assert stand.scheduler.next_due() == minutes(70)


def test_a_leap_runs_each_occurrence_in_order_up_to_the_limit() -> None:
    stand = Stand()
    stand.clock.advance(3600)
    assert stand.scheduler.run_due(limit=5) == 5
    assert {name for _, name in stand.runs} == {"offline_alerts"}
    assert stand.scheduler.run_due() == 3
    assert [event["time"] for event in stand.events[:2]] == ["2026-01-01T00:10:00Z", "2026-01-01T00:20:00Z"]
    assert stand.scheduler.run_due() == 0


def test_due_between_tells_what_would_run() -> None:
    stand = Stand()
    due = stand.scheduler.due_between(minutes(30), minutes(60))
    assert due == [
        (minutes(40), "offline_alerts"),
        (minutes(50), "offline_alerts"),
        (minutes(60), "hourly"),
        (minutes(60), "offline_alerts"),
        (minutes(60), "settlement_settle"),
    ]
    assert stand.scheduler.due_between(minutes(30), minutes(60), limit=2) == due[:2]
    assert stand.scheduler.due_between(minutes(0), minutes(9)) == []
    assert stand.runs == []


def test_the_event_is_eventbridges() -> None:
    stand = Stand()
    stand.step_to(minutes(10))
    event = CloudWatchEvent(dict(stand.events[0]), None)
    assert event.detail_type == "Scheduled Event"
    assert event.source == "aws.events"
    assert event.time == "2026-01-01T00:10:00Z"
    assert event.detail == {}
    assert event.resources[0].endswith(":rule/offline_alerts")
    assert event.version == "0"
    stand.step_to(minutes(20))
    assert stand.events[1]["id"] != stand.events[0]["id"]


def test_a_failure_is_recorded_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    stand = Stand()
    stand.failing = {"hourly"}
    stand.step_to(minutes(60))
    assert [name for at, name in stand.runs if at == minutes(60)] == ["hourly", "offline_alerts", "settlement_settle"]
    failed = next(job for job in stand.scheduler.jobs() if job.name == "hourly")
    assert failed.last_result == "failed"
    assert failed.last_error == "RuntimeError: the bank is closed"
    assert failed.last_run_at == minutes(60)
    assert failed.next_run_at == minutes(120)
    assert "scheduled job hourly failed" in caplog.text
    stand.failing = set()
    stand.step_to(minutes(120))
    recovered = next(job for job in stand.scheduler.jobs() if job.name == "hourly")
    assert (recovered.last_result, recovered.last_error) == ("succeeded", None)


def test_run_now_leaves_the_schedule_alone() -> None:
    stand = Stand()
    stand.clock.advance(42)
    status = stand.scheduler.run_now("hourly")
    assert (status.last_result, status.last_run_at, status.next_run_at) == (
        "succeeded",
        START + timedelta(seconds=42),
        minutes(60),
    )
    assert stand.events[0]["time"] == "2026-01-01T00:00:42Z"
    with pytest.raises(UnknownJob):
        stand.scheduler.run_now("weekly")


class TestRestart:
    def test_what_was_missed_runs_once_as_the_latest(self, tmp_path: Path) -> None:
        stand = Stand(tmp_path / "jobs.sqlite")
        stand.step_to(minutes(15))
        stand.runs.clear()
        stand.events.clear()
        stand.clock.advance(25 * 3600)  # down meanwhile
        stand.reopen()
        stand.scheduler.run_due()
        assert sorted((name, event["time"]) for (_, name), event in zip(stand.runs, stand.events, strict=True)) == [
            ("hourly", "2026-01-02T01:00:00Z"),
            ("offline_alerts", "2026-01-02T01:10:00Z"),
            ("settlement_settle", "2026-01-02T01:00:00Z"),
        ]
        assert stand.scheduler.next_due() == minutes(25 * 60 + 20)

    def test_nothing_missed_nothing_run(self, tmp_path: Path) -> None:
        stand = Stand(tmp_path / "jobs.sqlite")
        stand.step_to(minutes(15))
        stand.reopen()
        assert stand.scheduler.run_due() == 0
        assert stand.scheduler.next_due() == minutes(20)
        assert next(job for job in stand.scheduler.jobs() if job.name == "offline_alerts").last_run_at == minutes(10)

    def test_a_crash_inside_a_job_runs_it_again_with_the_same_event(self, tmp_path: Path) -> None:
        stand = Stand(tmp_path / "jobs.sqlite")

        class Killed(BaseException):
            pass

        def die(name: str, event: ScheduledEvent) -> None:
            stand.events.append(event)
            raise Killed

        dying = Scheduler(make_app(), stand.clock.now, die, stand.path)
        stand.clock.advance(600)
        with pytest.raises(Killed):
            dying.run_due()
        stand.reopen()
        assert stand.scheduler.run_due() == 1
        assert stand.events[0] == stand.events[1]

    def test_a_changed_schedule_counts_anew_and_a_removed_job_goes(self, tmp_path: Path) -> None:
        stand = Stand(tmp_path / "jobs.sqlite")
        stand.step_to(minutes(15))
        stand.reopen(make_app(offline="rate(1 minute)", extra=False))
        assert [(job.name, job.next_run_at) for job in stand.scheduler.jobs()] == [
            ("offline_alerts", minutes(16)),
            ("settlement_settle", minutes(60)),
        ]

    def test_a_job_that_became_slower_waits_for_its_new_time(self, tmp_path: Path) -> None:
        stand = Stand(tmp_path / "jobs.sqlite")
        stand.step_to(minutes(15))
        stand.reopen(make_app(offline="rate(1 hour)"))
        assert next(job for job in stand.scheduler.jobs() if job.name == "offline_alerts").next_run_at == minutes(75)

    def test_a_clock_that_was_ahead_does_not_silence_the_jobs(self, tmp_path: Path) -> None:
        stand = Stand(tmp_path / "jobs.sqlite")
        stand.step_to(minutes(3 * 24 * 60))
        stand.clock = VirtualClock(minutes(5))
        stand.reopen()
        assert [job.next_run_at for job in stand.scheduler.jobs()] == [minutes(60), minutes(15), minutes(60)]
