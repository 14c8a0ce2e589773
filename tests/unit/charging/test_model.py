"""The lifecycle table and the pure decisions of charging."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model import (
    DELIVERING_STATES,
    HISTORY_LENGTH,
    MAX_ENERGY_WH,
    OPEN_STATES,
    SESSION_LIFECYCLE,
    MeterSample,
    Occupancy,
    delivered_energy_wh,
    derive_transaction_id,
    latest_sample,
    meter_fault,
    most_energy_wh,
    start_key,
)
from chalicelib.kernel.errors import DomainError

EXPECTED = {
    "requested": {
        "accepted_by_charger": "awaiting_plug",
        "refused_by_charger": "refused",
        "start_timed_out": "expired",
        "cancelled": "expired",
        "started": "charging",
    },
    "awaiting_plug": {"start_timed_out": "expired", "cancelled": "expired", "started": "charging"},
    "charging": {"stop_requested": "stopping", "end_told": "stopping", "stopped": "settled", "lost": "abnormal"},
    "stopping": {
        "stop_requested": "stopping",
        "stop_refused": "charging",
        "end_told": "stopping",
        "stopped": "settled",
        "lost": "abnormal",
    },
    "refused": {},
    "expired": {},
    "settled": {},
    "abnormal": {},
}


@pytest.mark.parametrize("state", sorted(EXPECTED))
@pytest.mark.parametrize("event", sorted(SESSION_LIFECYCLE.events))
def test_every_state_and_event(state: str, event: str) -> None:
    following = EXPECTED[state].get(event)
    if following is not None:
        assert SESSION_LIFECYCLE.next(state, event) == following
        return
    with pytest.raises(DomainError) as refused:
        SESSION_LIFECYCLE.next(state, event)
    assert refused.value.code == "charging_session.illegal_transition"


def test_open_and_final_states_share_nothing() -> None:
    assert SESSION_LIFECYCLE.states == OPEN_STATES | SESSION_LIFECYCLE.final_states
    assert not OPEN_STATES & SESSION_LIFECYCLE.final_states
    assert DELIVERING_STATES <= OPEN_STATES


@given(st.text(min_size=1, max_size=48), st.integers(1, 32), st.text(max_size=40))
def test_a_transaction_id_is_a_positive_int32_and_repeatable(key: str, evse_no: int, start: str) -> None:
    derived = derive_transaction_id(key, evse_no, start)
    assert 1 <= derived <= 2**31 - 1
    assert derived == derive_transaction_id(key, evse_no, start)


def test_connectors_and_starts_do_not_share_a_transaction_id() -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    keys = {
        derive_transaction_id("cp", evse_no, start_key(card, moment + timedelta(seconds=s), meter))
        for evse_no in (1, 2)
        for card in ("A", "B")
        for s in range(20)
        for meter in (0, 1)
    }
    assert len(keys) == 160


def test_a_meter_may_stand_still_or_run_forward_within_reason() -> None:
    assert meter_fault(1000, 1000) is None
    assert meter_fault(1000, 1000 + MAX_ENERGY_WH) is None
    assert meter_fault(1000, 1001 + MAX_ENERGY_WH) == "meter_implausible"
    assert meter_fault(1000, 999) == "meter_backwards"
    assert meter_fault(None, 5) is None
    assert delivered_energy_wh(1000, 1001 + MAX_ENERGY_WH) == 0
    # No socket gives more than 400 kW; the first hour counts whole, whatever the clock of a charger says.
    assert meter_fault(0, 400_000, timedelta(minutes=10)) is None
    assert meter_fault(0, 400_001, timedelta(minutes=10)) == "meter_implausible"
    assert meter_fault(0, 400_000, timedelta(hours=-5)) is None
    assert meter_fault(0, 800_001, timedelta(hours=2)) == "meter_implausible"


def test_no_more_is_delivered_than_the_charger_gives() -> None:
    assert most_energy_wh(timedelta(hours=2)) == 800_000
    assert most_energy_wh(timedelta(hours=2), 22_000) == 44_000
    assert most_energy_wh(timedelta(minutes=1), 22_000) == 22_000, "the first hour counts whole"
    assert most_energy_wh(timedelta(hours=2), 10**6) == 800_000, "no socket gives more"
    assert delivered_energy_wh(0, 400_001, timedelta(minutes=10)) == 0


@pytest.mark.parametrize(
    ("start", "now", "expected"), [(1000, 1200, 200), (1000, 1000, 0), (1000, 900, 0), (None, 5, 0), (5, None, 0)]
)
def test_energy_is_never_negative(start: int | None, now: int | None, expected: int) -> None:
    assert delivered_energy_wh(start, now) == expected


def test_an_occupancy_remembers_the_transactions_before_it() -> None:
    occupancy = Occupancy("cp", 1, "ses_0", "A", transaction_id=100)
    for number in range(1, 12):
        occupancy = Occupancy(
            "cp", 1, f"ses_{number}", "A", transaction_id=100 + number, history=occupancy.history_for_successor()
        )
    assert occupancy.session_of(111) == "ses_11"
    assert occupancy.session_of(110) == "ses_10"
    assert occupancy.session_of(111 - HISTORY_LENGTH) == "ses_3"
    assert occupancy.session_of(110 - HISTORY_LENGTH) is None


def test_the_latest_of_a_frame_has_each_quantity_of_its_own_newest_sample() -> None:
    """Firmware that gives every measurand an element of its own."""
    at = datetime(2026, 3, 2, 8, tzinfo=UTC)
    samples = [
        MeterSample(at, power_w=7000),
        MeterSample(at, energy_wh=1000),
        MeterSample(at + timedelta(seconds=1), energy_wh=1100),
        MeterSample(at + timedelta(seconds=2), soc_percent=50),
    ]
    assert latest_sample(samples) == MeterSample(at + timedelta(seconds=2), 1100, 7000, 50)
    assert latest_sample([]) is None
