"""The rules of wallets, without a store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.wallets import model
from chalicelib.wallets.model import MAX_TOPUP, TOPUP_LIFECYCLE, Settlement


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


@pytest.mark.parametrize(
    ("held", "cost", "available", "expected"),
    [
        (500, 7, 0, (7, 493, 0)),
        (500, 500, 0, (500, 0, 0)),
        (500, 0, 0, (0, 500, 0)),
        (500, 700, 0, (500, 0, 200)),
        (500, 700, 150, (650, 0, 50)),
        (500, 700, 1000, (700, 0, 0)),
    ],
)
def test_cost_against_hold(held: int, cost: int, available: int, expected: tuple[int, int, int]) -> None:
    assert model.settle(eur(held), eur(cost), eur(available)) == Settlement(*(eur(amount) for amount in expected))


amounts = st.integers(0, 10**9)


@given(held=amounts, cost=amounts, available=amounts)
def test_nothing_is_lost_and_nothing_is_drawn_that_is_not_there(held: int, cost: int, available: int) -> None:
    result = model.settle(eur(held), eur(cost), eur(available))
    assert result.captured + result.uncollected == eur(cost)
    assert result.captured <= eur(held + available)
    assert result.refunded == eur(max(0, held - result.captured.amount))
    assert result.uncollected.amount == 0 or result.captured == eur(held + available)


@pytest.mark.parametrize("amount", [eur(0), eur(-1), eur(MAX_TOPUP + 1), Money(5, "euro"), Money(5, "eur")])
def test_amounts_beyond_reason_are_refused(amount: Money) -> None:
    with pytest.raises(DomainError):
        model.check_amount(amount)


def test_amounts_up_to_the_limit_are_taken() -> None:
    assert model.check_amount(eur(1)) == eur(1)
    assert model.check_amount(eur(MAX_TOPUP)) == eur(MAX_TOPUP)


@pytest.mark.parametrize(("currency", "least"), [("EUR", 50), ("JPY", 50), ("KWD", 500)])
def test_what_no_provider_takes_is_refused_before_one_is_asked(currency: str, least: int) -> None:
    assert model.check_topup_amount(Money(least, currency)) == Money(least, currency)
    with pytest.raises(DomainError, match=f"of {Money(least, currency)} or more") as refused:
        model.check_topup_amount(Money(least - 1, currency), "/package_id")
    assert (refused.value.code, refused.value.fields[0].pointer) == ("wallet.amount_invalid", "/package_id")


def test_the_topups_table() -> None:
    next_states = {
        (state, event): TOPUP_LIFECYCLE.next(state, event) if TOPUP_LIFECYCLE.allows(state, event) else None
        for state in sorted(TOPUP_LIFECYCLE.states)
        for event in sorted(TOPUP_LIFECYCLE.events)
    }
    assert next_states == {
        ("credited", "failed"): None,
        ("credited", "paid"): None,
        ("failed", "failed"): "failed",
        ("failed", "paid"): "credited",
        ("pending", "failed"): "failed",
        ("pending", "paid"): "credited",
    }
