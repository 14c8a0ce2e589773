"""When is a charger offline, and what has not been told yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.chargers.model import LIFE_SIGN_INTERVAL, Link
from chalicelib.kernel.errors import DomainError
from chalicelib.monitoring.model import OfflineNotification, Outage, check_timeout, compare

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RULE = OfflineNotification("org_1", timeout_min=15)


def link(minutes_ago: float | None, charger_id: str = "CP1", connection_id: str | None = None) -> Link:
    seen = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    return Link(charger_id, "org_1", connection_id=connection_id, last_seen_at=seen)


def outage(minutes_ago: float, charger_id: str = "CP1") -> Outage:
    return Outage("org_1", charger_id, NOW - timedelta(minutes=minutes_ago), NOW)


@pytest.mark.parametrize(("minutes", "begun"), [(14.9, 0), (15, 0), (15.5, 0), (15.6, 1), (10_000, 1)])
def test_silence_longer_than_the_operators_minutes_is_an_outage(minutes: float, begun: int) -> None:
    assert len(compare(RULE, [link(minutes)], {}, NOW).begun) == begun


def test_the_shortest_timeout_is_more_than_ten_minutes_of_true_silence() -> None:
    shortest = OfflineNotification("org_1", timeout_min=11)
    stored = (600 + LIFE_SIGN_INTERVAL.total_seconds()) / 60
    assert compare(shortest, [link(stored)], {}, NOW).begun == []
    assert len(compare(shortest, [link(700 / 60)], {}, NOW).begun) == 1


def test_a_half_open_socket_is_silent_all_the_same() -> None:
    assert len(compare(RULE, [link(20, connection_id="half-open")], {}, NOW).begun) == 1


def test_a_charger_that_was_never_heard_is_not_offline() -> None:
    assert compare(RULE, [link(None)], {}, NOW).begun == []


def test_an_outage_that_was_told_is_not_told_again() -> None:
    assert compare(RULE, [link(40)], {"cp1": outage(40)}, NOW).begun == []


def test_a_charger_that_is_heard_again_ends_its_outage() -> None:
    [ended] = compare(RULE, [link(1)], {"cp1": outage(40)}, NOW).ended
    assert ended.recovered_at == NOW - timedelta(minutes=1)


def test_an_outage_ends_although_the_rule_was_switched_off() -> None:
    off = OfflineNotification("org_1", enabled=False)
    assert len(compare(off, [link(1)], {"cp1": outage(40)}, NOW).ended) == 1
    assert compare(off, [link(100)], {}, NOW).begun == []


def test_only_the_chosen_chargers_are_watched() -> None:
    rule = OfflineNotification("org_1", charger_ids=["cp2"])
    [begun] = compare(rule, [link(60, "CP1"), link(60, "CP2")], {}, NOW).begun
    assert begun.charger_id == "CP2"


@pytest.mark.parametrize("minutes", [-1, 0, 10, 10_081])
def test_ten_minutes_are_not_enough(minutes: int) -> None:
    with pytest.raises(DomainError) as refused:
        check_timeout(minutes)
    assert refused.value.code == "offline_notification.timeout"


@pytest.mark.parametrize("minutes", [11, 10_080])
def test_eleven_minutes_are(minutes: int) -> None:
    assert check_timeout(minutes) == minutes
