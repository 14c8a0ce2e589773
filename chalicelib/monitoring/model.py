"""Offline alerts: the operator's rule, outages, and the pure comparison between what is and what was told.

A charger is offline when nothing was heard of it for longer than the operator's minutes, whatever its socket says:
a half-open socket looks connected, and the gateway cuts a healthy one every two hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.chargers.model import LIFE_SIGN_INTERVAL, Link, charger_key
from chalicelib.kernel.errors import invalid

LEAST_TIMEOUT_MIN = 11
"""The timeout must be more than 10 minutes: the idle limit of the gateway, and the heartbeat just below it."""
MOST_TIMEOUT_MIN = 7 * 24 * 60
DEFAULT_TIMEOUT_MIN = 15
LIFE_SIGN_SLACK = LIFE_SIGN_INTERVAL - timedelta(minutes=1)
"""The stored life sign lags behind: with this, even the shortest timeout means more than ten minutes of silence."""
HISTORY_RETENTION = timedelta(days=400)


@dataclass(frozen=True)
class OfflineNotification:
    """An operator's rule. `charger_ids` None means all chargers; `email` None the operator's own address."""

    operator_id: str
    enabled: bool = True
    timeout_min: int = DEFAULT_TIMEOUT_MIN
    email: str | None = None
    charger_ids: list[str] | None = None

    def covers(self, charger_id: str) -> bool:
        chosen = None if self.charger_ids is None else {charger_key(known) for known in self.charger_ids}
        return self.enabled and (chosen is None or charger_key(charger_id) in chosen)

    @property
    def timeout(self) -> timedelta:
        return timedelta(minutes=self.timeout_min)


@dataclass(frozen=True)
class Outage:
    """One silence that was told to the operator; open while `recovered_at` is None."""

    operator_id: str
    charger_id: str
    since: datetime
    alerted_at: datetime
    recovered_at: datetime | None = None


@dataclass(frozen=True)
class Changes:
    """What the operator has not been told yet."""

    begun: list[Outage] = field(default_factory=list)
    ended: list[Outage] = field(default_factory=list)


def check_timeout(timeout_min: int) -> int:
    """Raises offline_notification.timeout (422) unless the minutes are more than 10."""
    if not LEAST_TIMEOUT_MIN <= timeout_min <= MOST_TIMEOUT_MIN:
        raise invalid(
            "offline_notification.timeout",
            f"The timeout must be more than 10 minutes and at most {MOST_TIMEOUT_MIN}.",
            "/timeout_min",
        )
    return timeout_min


def compare(
    rule: OfflineNotification, links: Iterable[Link], open_outages: Mapping[str, Outage], now: datetime
) -> Changes:
    """`open_outages` by charger key. A silence that was told is not told again until the charger was heard."""
    changes = Changes()
    for link in links:
        if link.last_seen_at is None:
            continue
        told = open_outages.get(charger_key(link.charger_id))
        silent = now - link.last_seen_at > rule.timeout + LIFE_SIGN_SLACK
        if told is not None and link.last_seen_at > told.since:
            changes.ended.append(
                Outage(told.operator_id, told.charger_id, told.since, told.alerted_at, link.last_seen_at)
            )
        elif told is None and silent and rule.covers(link.charger_id):
            changes.begun.append(Outage(rule.operator_id, link.charger_id, link.last_seen_at, now))
    return changes
