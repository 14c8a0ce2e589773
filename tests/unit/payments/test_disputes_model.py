"""A dispute's states, and what a provider's word makes of them: every state with every word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.payments.model import (
    DISPUTE_LIFECYCLE,
    Dispute,
    DisputeStateName,
    after_dispute,
    forgiven,
    loss_entry,
    new_dispute,
    settled,
    with_line,
)
from chalicelib.payments.providers.port import DisputeLine, DisputeOutcome, DisputeState
from tests.unit.payments.test_model import NOW, PAYMENT
from tests.unit.payments.till import euro

SUCCEEDED = replace(PAYMENT, state="succeeded", captured=euro(2000))
TOLD = DisputeOutcome(
    dispute_ref="dp_1",
    payment_ref="pi_1",
    state=DisputeState.OPEN,
    amount=euro(2000),
    opened_at=NOW,
    reason="fraudulent",
)
STATES: tuple[DisputeStateName, ...] = ("inquiry", "open", "won", "lost")
AFTER: dict[tuple[DisputeStateName, DisputeState], DisputeStateName] = {
    ("inquiry", DisputeState.OPEN): "open",
    ("inquiry", DisputeState.WON): "won",
    ("inquiry", DisputeState.LOST): "lost",
    ("open", DisputeState.WON): "won",
    ("open", DisputeState.LOST): "lost",
    ("won", DisputeState.OPEN): "open",
    ("won", DisputeState.LOST): "lost",
}


def dispute(state: DisputeStateName = "inquiry", **changes: Any) -> Dispute:
    return replace(new_dispute(SUCCEEDED, TOLD, NOW), state=state, **changes)


@pytest.mark.parametrize("told", DisputeState)
@pytest.mark.parametrize("state", STATES)
def test_every_state_with_every_word(state: DisputeStateName, told: DisputeState) -> None:
    after = after_dispute(dispute(state), replace(TOLD, state=told), NOW + timedelta(hours=1))
    assert after.state == AFTER.get((state, told), state)
    assert (after.closed_at is not None) == (after.state in ("won", "lost") and after.state != state)
    assert after.asked_at > NOW


def test_lost_is_for_good() -> None:
    assert not [event for state, event in DISPUTE_LIFECYCLE.transitions if state == "lost"]


@pytest.mark.parametrize(("told", "disputed"), [(euro(2001), 2000), (euro(700), 700), (Money(9, "USD"), 2000)], ids=str)
def test_no_more_is_disputed_than_was_paid(told: Money, disputed: int) -> None:
    assert new_dispute(SUCCEEDED, replace(TOLD, amount=told), NOW).amount == euro(disputed)


def test_lines_add_up_by_currency() -> None:
    after = dispute("open")
    for number, (amount, fee) in enumerate([(-2000, euro(20)), (800, None), (1200, euro(-5))]):
        line = DisputeLine(movement_ref=f"txn_{number}", amount=euro(amount), fee=fee, created_at=NOW)
        after = with_line(after, line, NOW)
    assert (after.taken, after.fees, after.booked) == ({"EUR": 0}, {"EUR": 15}, ["txn_0", "txn_1", "txn_2"])


def test_what_was_taken_in_another_currency_is_all_of_it() -> None:
    assert (dispute("lost").taken_amount, dispute("lost", taken={"USD": 2200}).taken_amount) == (0, 2000)


@pytest.mark.parametrize("early", [dispute("open", taken={"EUR": 2000}), dispute("lost")], ids=["open", "not taken"])
def test_a_loss_is_not_booked_before_it_is_there(early: Dispute) -> None:
    with pytest.raises(DomainError, match="not_open"):
        settled(early, loser_id="org_1", borne=0, now=NOW)


def test_a_loss_is_booked_once_and_none_that_was_made_good() -> None:
    done = settled(dispute("lost", taken={"EUR": 2000}, withheld=2000), loser_id="org_1", borne=0, now=NOW)
    assert (done.is_unfinished, done.uncovered) == (False, euro(0))
    assert loss_entry(done, 0, [], None, NOW) is None
    with pytest.raises(DomainError, match="not_open"):
        settled(done, loser_id="org_1", borne=0, now=NOW)


def test_only_what_is_missing_is_forgiven() -> None:
    done = forgiven(dispute("open", withheld=500, is_blocking=True), NOW)
    assert (done.uncovered, done.is_blocking) == (euro(0), False)
    for covered, code in ((done, "covered"), (dispute("won"), "not_open")):
        with pytest.raises(DomainError, match=code):
            forgiven(covered, NOW)
