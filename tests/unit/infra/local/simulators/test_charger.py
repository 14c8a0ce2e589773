"""The simulated charger's meter and memory. How it talks to the platform is told in tests/e2e/test_demo.py."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.simulators.charger import Evse, SimulatedCharger

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@given(steps_ms=st.lists(st.integers(1, 90_000), max_size=60), power_w=st.integers(1, 350_000))
def test_the_meter_loses_no_energy_between_readings(steps_ms: list[int], power_w: int) -> None:
    evse = Evse(1, register_wh=1000)
    now = NOON
    evse.measure(now, power_w)
    for step_ms in steps_ms:
        now += timedelta(milliseconds=step_ms)
        evse.measure(now, power_w)
    exact_wh = power_w * sum(steps_ms) / 3_600_000
    # A reading is cut to whole Wh, and each may be a millisecond early.
    late_wh = 1 + power_w * len(steps_ms) / 3_600_000
    assert exact_wh - late_wh <= evse.register_wh - 1000 <= exact_wh


def test_a_clock_that_went_back_takes_nothing_from_the_meter() -> None:
    evse = Evse(1, register_wh=1000, measured_at=NOON)
    evse.measure(NOON - timedelta(hours=1), 11_000)
    assert (evse.register_wh, evse.measured_at) == (1000, NOON)


@pytest.mark.parametrize("transaction_id", [None, 4711])
def test_what_was_kept_is_remembered(tmp_path: Path, transaction_id: int | None) -> None:
    memory = tmp_path / "charger.json"
    memory.write_text(json.dumps({"1": {"register_wh": 5000, "transaction_id": transaction_id}}))
    charger = SimulatedCharger("ws://127.0.0.1:1/ocpp/X", "X", "secret", lambda: NOON, memory)
    assert charger.next_due() == NOON
    interrupted = [(evse.register_wh, known) for evse, known in charger._interrupted]
    assert interrupted == ([] if transaction_id is None else [(5000, transaction_id)])
    assert [evse.register_wh for evse in charger._evses.values()] == [5000, 0]


async def test_a_platform_that_is_not_there_is_tried_again_ever_later() -> None:
    charger = SimulatedCharger("ws://127.0.0.1:1/ocpp/X", "X", "secret", lambda: NOON, None)
    waits = []
    for _ in range(9):
        await charger.act()
        waits.append((charger.next_due() - NOON).total_seconds())
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
