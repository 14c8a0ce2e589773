"""The meter of a simulated charger, and what it says of its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.simulators.evse import CAR_TAKES_WH, Delivery, Evse, IdToken, Reservation

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@given(steps_ms=st.lists(st.integers(1, 90_000), max_size=60), power_w=st.integers(1, 350_000))
def test_the_meter_loses_no_energy_between_readings(steps_ms: list[int], power_w: int) -> None:
    evse = Evse(1, register_wh=1000, power_w=power_w)
    now = NOON
    evse.measure(now)
    for step_ms in steps_ms:
        now += timedelta(milliseconds=step_ms)
        evse.measure(now)
    exact_wh = power_w * sum(steps_ms) / 3_600_000
    # A reading is cut to whole Wh, and each may be a millisecond early.
    late_wh = 1 + power_w * len(steps_ms) / 3_600_000
    assert exact_wh - late_wh <= evse.register_wh - 1000 <= exact_wh


@pytest.mark.parametrize("power_w", [0, 11_000])
def test_a_clock_that_went_back_takes_nothing_from_the_meter(power_w: int) -> None:
    evse = Evse(1, register_wh=1000, power_w=power_w, measured_at=NOON)
    evse.measure(NOON - timedelta(hours=1))
    assert (evse.register_wh, evse.measured_at) == (1000, NOON)


def test_time_without_power_is_not_counted_afterwards() -> None:
    evse = Evse(1, measured_at=NOON)
    evse.measure(NOON + timedelta(hours=1))
    evse.power_w = 10_000
    evse.measure(NOON + timedelta(hours=2))
    assert evse.register_wh == 10_000


def test_its_status_follows_what_happens_there() -> None:
    evse = Evse(1)
    seen = [evse.status]
    evse.reservation = Reservation(1, "A", NOON)
    seen.append(evse.status)
    evse.delivery = delivery = Delivery(IdToken("A"), NOON, 0, is_plugged=True)
    seen.append(evse.status)
    delivery.is_running, evse.power_w = True, 11_000
    seen.append(evse.status)
    evse.power_w = 0
    seen.append(evse.status)
    evse.register_wh = CAR_TAKES_WH
    assert evse.is_full
    evse.leave()
    evse.is_operative = False
    seen.append(evse.status)
    assert seen == ["available", "reserved", "preparing", "charging", "suspended", "unavailable"]
