"""The review of an abnormal order: every state with every event."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from chalicelib.charging.model.orders import ORDER_LIFECYCLE, ReviewState, most_to_deduct
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money

TABLE: Mapping[ReviewState, Mapping[str, ReviewState]] = {
    "open": {"stated": "stated", "resolved": "resolved", "resolved_unasked": "closed"},
    "stated": {"resolved": "closed"},
    "resolved": {"stated": "closed", "statement_overdue": "closed"},
    "closed": {},
}
EVENTS = ("stated", "resolved", "resolved_unasked", "statement_overdue")


def test_the_table_is_whole() -> None:
    assert ORDER_LIFECYCLE.states == TABLE.keys()
    assert ORDER_LIFECYCLE.events == set(EVENTS)
    assert ORDER_LIFECYCLE.final_states == {"closed"}


@pytest.mark.parametrize(("state", "event"), list(product(TABLE, EVENTS)))
def test_every_state_with_every_event(state: ReviewState, event: str) -> None:
    expected = TABLE[state].get(event)
    if expected is not None:
        assert ORDER_LIFECYCLE.next(state, event) == expected
        return
    with pytest.raises(DomainError, match="illegal_transition"):
        ORDER_LIFECYCLE.next(state, event)


@pytest.mark.parametrize(("metered", "most"), [(0, 10_000), (3000, 10_000), (4000, 12_000)])
def test_a_deduction_is_bounded_by_what_was_metered(metered: int, most: int) -> None:
    assert most_to_deduct(Money(metered, "EUR")) == Money(most, "EUR")


@pytest.mark.parametrize(("currency", "most"), [("HUF", 3_000_000), ("JPY", 10_000), ("KWD", 30_000)])
def test_the_bound_of_what_was_not_metered_means_something_in_every_currency(currency: str, most: int) -> None:
    assert most_to_deduct(Money(0, currency)) == Money(most, currency)
