"""Scheduled Lambdas on the platform's own clock: what EventBridge rules do on AWS.

`Scheduler` is what the local platform uses; `parse_schedule` turns a `rate(...)` or `cron(...)` text into
something that knows its next occurrence. Nothing here ships in a Lambda.
"""

from infra.local.scheduler.expressions import CronSchedule, RateSchedule, Schedule, parse_schedule
from infra.local.scheduler.scheduler import JobStatus, Scheduler, UnknownJob

__all__ = [
    "CronSchedule",
    "JobStatus",
    "RateSchedule",
    "Schedule",
    "Scheduler",
    "UnknownJob",
    "parse_schedule",
]
