"""What sessions are picked by, and how they stand with their payer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model import (
    SESSION_LIFECYCLE,
    ChargingSession,
    PaymentStatus,
    SessionFilter,
    SessionGroup,
    SessionState,
    is_in_group,
    payment_status,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STATES = sorted(get_args(SessionState))
SESSION = ChargingSession(
    session_id="ses_01KJQ0000000000000000ABCDE",
    state="charging",
    origin="card",
    target="full",
    operator_id="org_1",
    location_id="loc_1",
    charger_id="CP-001",
    evse_no=1,
    id_token="04A2B3",
    authorization="accepted",
    currency="EUR",
    time_zone="UTC",
    business_zone="UTC",
    created_at=NOW,
    driver_id="drv_1",
    agency_id="org_2",
)


def test_the_states_that_may_be_asked_for_are_those_of_the_lifecycle() -> None:
    assert set(get_args(SessionState)) == SESSION_LIFECYCLE.states


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"state": "requested", "held": 500}, "held"),
        ({"state": "charging", "held": 0}, "not_held"),
        ({"state": "expired", "held": 500}, "released"),
        ({"state": "refused", "held": 500}, "released"),
        ({"state": "settled", "held": 500, "cost": 300, "captured": 300}, "paid"),
        ({"state": "abnormal", "held": 500, "cost": 700, "captured": 500}, "partly_paid"),
        ({"state": "settled", "held": 0, "cost": 300, "captured": 0}, "uncollected"),
        ({"state": "settled", "held": 0, "cost": 300}, "uncollected"),
        ({"state": "settled", "held": 500, "cost": 0, "captured": 0}, "free"),
        ({"state": "settled", "held": 500, "cost": 0, "captured": 0, "given_back": 300}, "refunded"),
        ({"state": "settled", "held": 500, "cost": 100, "captured": 100, "given_back": 200}, "partly_refunded"),
        ({"state": "settled", "held": 500, "cost": 100, "captured": 50, "given_back": 200}, "partly_paid"),
    ],
)
def test_how_a_session_stands(fields: dict[str, Any], status: str) -> None:
    assert payment_status(replace(SESSION, **fields)) == status


MONEY = st.none() | st.integers(0, 10**6)


@given(st.sampled_from(STATES), st.integers(0, 10**6), MONEY, MONEY)
def test_every_session_stands_somehow_and_paid_means_all_of_it(
    state: SessionState, held: int, cost: int | None, captured: int | None
) -> None:
    session = replace(SESSION, state=state, held=held, cost=cost, captured=captured)
    status = payment_status(session)
    assert status in get_args(PaymentStatus)
    assert (status in ("held", "not_held")) == session.is_open
    if status == "paid":
        assert (captured or 0) >= (cost or 0) > 0


@given(st.sampled_from(STATES), st.none() | st.just("meter_backwards"))
def test_every_session_is_on_one_tab_and_abnormal_ones_are_history(state: SessionState, cause: str | None) -> None:
    session = replace(SESSION, state=state, abnormal_cause=cause)
    tabs: list[SessionGroup] = ["waiting", "live", "history"]
    assert sum(is_in_group(session, tab) for tab in tabs) == 1
    if is_in_group(session, "abnormal"):
        assert is_in_group(session, "history")
    assert is_in_group(replace(session, state="abnormal"), "abnormal")


@pytest.mark.parametrize(
    "wanted",
    [
        {"location_id": "loc_1"},
        {"agency_id": "org_2"},
        {"charger_id": "cp-001"},
        {"evse_no": 1},
        {"state": "charging"},
        {"group": "live"},
        {"payment_status": "not_held"},
        {"driver_id": "drv_1"},
        {"id_token": " 04a2b3 "},
        {"order_no": "260302-0abcde"},
        {"order_no": " 260302-0abcde-2 "},
    ],
)
def test_each_filter_alone_lets_its_session_pass_and_no_other(wanted: dict[str, Any]) -> None:
    others = {
        "location_id": replace(SESSION, location_id=None),
        "agency_id": replace(SESSION, agency_id=None),
        "charger_id": replace(SESSION, charger_id="CP-0010"),
        "evse_no": replace(SESSION, evse_no=2),
        "state": replace(SESSION, state="stopping"),
        "group": replace(SESSION, state="settled"),
        "payment_status": replace(SESSION, held=1),
        "driver_id": replace(SESSION, driver_id=None),
        "id_token": replace(SESSION, id_token="04A2B3C4"),
        "order_no": replace(SESSION, created_at=NOW + timedelta(days=1)),
    }
    [name] = wanted
    assert SessionFilter(**wanted).matches(SESSION)
    assert not SessionFilter(**wanted).matches(others[name])


def test_an_order_number_tells_where_to_look() -> None:
    begin, end = SessionFilter(order_no="260302-0ABCDE").window()
    assert begin is not None
    assert end is not None
    assert begin < NOW < end
    assert end - begin == timedelta(days=2)
    later = NOW + timedelta(days=30)
    narrowed = SessionFilter(order_no="260302-0ABCDE", date_from=later).window()
    assert narrowed == (later, end)


@pytest.mark.parametrize("nonsense", ["", "x", "269999-A", "690101-A", "２６０３０２-A", "26\u00000302", "-" * 20])
def test_nonsense_for_an_order_number_finds_nothing(nonsense: str) -> None:
    wanted = SessionFilter(order_no=nonsense)
    assert not wanted.matches(SESSION)
    wanted.window()
