"""Charging profiles as a simulated charger obeys them: golden cases of OCPP 1.6 3.13 and 2.0.1 K01."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.simulators.device_model import MAX_PROFILES
from infra.local.simulators.face import moment
from infra.local.simulators.power_limits import Profile, ProfileBook, read_profile

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def told(profile_id: int = 1, **changes: Any) -> dict[str, Any]:
    """A profile in the words of 2.x: 5 kW for an hour, then 7 kW."""
    periods = [{"startPeriod": 0, "limit": 5000}, {"startPeriod": 3600, "limit": 7000}]
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": periods} | changes.pop("schedule", {})
    return {
        "id": profile_id,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    } | changes


def profile(evse_no: int = 0, profile_id: int = 1, **changes: Any) -> Profile:
    read = read_profile(evse_no, told(profile_id, **changes), moment)
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("changes", "after_s", "limit_w"),
    [
        ({}, 0, 5000),
        ({}, 3599, 5000),
        ({}, 3600, 7000),
        ({"schedule": {"duration": 3000}}, 3000, None),
        ({"validFrom": "2026-03-02T12:10:00Z"}, 599, None),
        ({"validTo": "2026-03-02T12:10:00Z"}, 600, None),
        ({"chargingProfileKind": "Absolute", "schedule": {"startSchedule": "2026-03-02T11:30:00Z"}}, 1800, 7000),
        ({"chargingProfileKind": "Absolute", "schedule": {"startSchedule": "2026-03-02T12:30:00Z"}}, 0, None),
        (
            {
                "chargingProfileKind": "Recurring",
                "recurrencyKind": "Daily",
                "schedule": {"startSchedule": "2026-02-01T11:59:00Z"},
            },
            0,
            5000,
        ),
        (
            {"schedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}},
            0,
            6900,
        ),
    ],
)
def test_what_a_profile_allows(changes: dict[str, Any], after_s: int, limit_w: int | None) -> None:
    assert profile(**changes).limit_w(NOON + timedelta(seconds=after_s), NOON) == limit_w


def test_a_profile_of_1_6_says_the_same() -> None:
    of_16 = told() | {"chargingProfileId": 1, "chargingSchedule": told()["chargingSchedule"][0]}
    del of_16["id"]
    assert read_profile(0, of_16, moment) == profile()


@pytest.mark.parametrize(
    ("evse_no", "changes"),
    [
        (0, {"chargingProfilePurpose": "TxProfile"}),
        (1, {"chargingProfilePurpose": "ChargingStationMaxProfile"}),
        (0, {"chargingProfilePurpose": "ChargingStationExternalConstraints"}),
        (0, {"stackLevel": 9}),
        (0, {"schedule": {"chargingSchedulePeriod": []}}),
    ],
)
def test_what_is_not_taken(evse_no: int, changes: dict[str, Any]) -> None:
    assert read_profile(evse_no, told(**changes), moment) is None


def flat(limit_w: int) -> dict[str, Any]:
    return {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_w}]}


def test_the_highest_level_of_a_purpose_and_the_lowest_of_the_purposes_hold() -> None:
    book = ProfileBook()
    limits = []
    for each in (
        profile(0, 1, schedule=flat(3000)),
        profile(0, 2, stackLevel=1, schedule=flat(6000)),
        profile(1, 3, chargingProfilePurpose="TxProfile", schedule=flat(9000)),
        profile(0, 4, chargingProfilePurpose="ChargingStationMaxProfile", schedule=flat(8000)),
    ):
        assert book.install(each)
        limits.append((book.limit_w(1, NOON, NOON), book.limit_w(2, NOON, NOON)))
    assert limits == [(3000, 3000), (6000, 6000), (9000, 6000), (8000, 6000)]
    assert book.clear(lambda known: known.profile_id != 1) == 3
    assert book.limit_w(1, NOON, NOON) == 3000


def test_a_profile_replaces_its_like_and_the_book_has_an_end() -> None:
    book = ProfileBook()
    assert book.install(profile(0, 1, schedule=flat(3000)))
    assert book.install(profile(0, 2, schedule=flat(4000)))
    assert book.limit_w(1, NOON, NOON) == 4000
    for number in range(3, 2 + MAX_PROFILES):
        assert book.install(profile(number, number, chargingProfilePurpose="TxProfile"))
    assert not book.install(profile(99, 99, chargingProfilePurpose="TxProfile"))
