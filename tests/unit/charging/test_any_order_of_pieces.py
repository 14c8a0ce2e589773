"""Two 2.x transactions on one EVSE, their pieces in any order, some of them twice: never a session too many, nobody
pays twice, nothing stays open, and no cent is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.charging import lookup
from chalicelib.charging.model import MeterSample, TransactionEvent, missing_seq_nos
from chalicelib.charging.model.transactions import MAX_MISSING
from tests import world as worlds
from tests.site import CARD, Site, build_site
from tests.unit.charging.teller import Teller

FIRST = [("TX-1", kind) for kind in ("started", "updated", "later", "ended")]
SECOND = [("TX-2", kind) for kind in ("started", "updated", "later", "ended")]


def piece(teller: Teller, transaction_id: str, what: str) -> TransactionEvent:
    """200 Wh in half an hour; the second transaction is an hour behind the first, from where the meter stood."""
    number = int(transaction_id[-1]) - 1
    minutes, seq_no, energy_wh = {"started": (0, 0, 0), "updated": (10, 1, 80), "later": (20, 2, 160)}.get(
        what, (30, 3, 200)
    )
    at = teller.began + timedelta(minutes=60 * number + minutes)
    register_wh = 1000 + 500 * number + energy_wh
    more: dict[str, Any] = {}
    if what == "started":
        more = {"id_token": CARD, "id_token_kind": "ISO14443", "begin_wh": register_wh}
    elif what == "ended":
        more = {"end_wh": register_wh, "stop_reason": "Local"}
    else:
        more = {"charging_state": "Charging"}
    return TransactionEvent(
        kind="updated" if what == "later" else what,  # type: ignore[arg-type]
        transaction_id=transaction_id,
        seq_no=seq_no,
        at=at,
        message_id=f"{transaction_id}-{seq_no}",
        evse_no=1,
        samples=[MeterSample(at, energy_wh=register_wh)],
        **more,
    )


@settings(max_examples=25, deadline=None)
@given(st.permutations(FIRST + SECOND), st.lists(st.sampled_from(FIRST + SECOND), max_size=6))
def test_any_order(order: list[tuple[str, str]], again: list[tuple[str, str]]) -> None:
    world = worlds.build()
    try:
        teller = Teller(build_site(world))
        teller.tell(*(piece(teller, *which) for which in order + again))
        told_right(teller.site, order)
    finally:
        world.close()


def told_right(site: Site, order: list[tuple[str, str]]) -> None:
    sessions = site.sessions()
    assert sorted(str(session.transaction_id) for session in sessions) == ["TX-1", "TX-2"]
    for session in sessions:
        assert session.state in ("settled", "abnormal")
        assert session.energy_wh is not None
        assert 0 <= session.energy_wh <= 200
        if session.energy_wh < 200 or session.driver_id is None:
            assert session.abnormal_cause is not None or session.state == "abnormal"
        cdr = lookup.find_cdr(site.world.ctx, session.session_id)
        assert cdr is not None
        assert (cdr.energy_wh, cdr.captured.amount) == (session.energy_wh, session.captured)
    assert site.available() + site.income() == 2000
    if order == FIRST + SECOND:
        assert [session.energy_wh for session in sessions] == [200, 200]


def test_in_order_for_comparison() -> None:
    """The plain case, so that the walk above is not right by being empty."""
    world = worlds.build()
    try:
        teller = Teller(build_site(world))
        teller.tell(*(piece(teller, *which) for which in FIRST + SECOND))
        assert [(s.state, s.energy_wh, s.captured) for s in teller.site.sessions()] == [("settled", 200, 7)] * 2
    finally:
        world.close()


@given(st.lists(st.integers(0, 2**31), max_size=30), st.none() | st.integers(0, 50), st.none() | st.integers(0, 2**31))
def test_missing_numbers_are_inside_unseen_and_bounded(seen: list[int], start: int | None, end: int | None) -> None:
    missing = missing_seq_nos(seen, start, end)
    assert len(missing) <= MAX_MISSING
    assert missing == sorted(set(missing))
    assert not set(missing) & ({*seen, start, end})
    low, high = (min(seen, default=0) if start is None else start), (max(seen, default=0) if end is None else end)
    assert all(min(low, high) <= number <= max(low, high) for number in missing)
