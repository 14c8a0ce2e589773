"""How much an operator may owe: what is owed to it is good for it as long as it stays, and promises take none of it."""

from __future__ import annotations

import pytest

from chalicelib.identity.model.settings import Credit, credit_of
from chalicelib.kernel.money import Money
from chalicelib.wallets.model.credit import credit_exhausted, kept_back, room_for_promises, room_of


def euro(amount: int) -> Money:
    return Money(amount, "EUR")


@pytest.mark.parametrize(
    ("payable", "room", "for_promises"),
    [(0, 100, 100), (-30, 70, 70), (-130, -30, -30), (50, 150, 100)],
)
def test_room_is_the_limit_and_what_is_owed(payable: int, room: int, for_promises: int) -> None:
    assert room_of(euro(100), euro(payable)) == euro(room)
    assert room_for_promises(euro(100), euro(payable)) == euro(for_promises)


@pytest.mark.parametrize(("unsettled", "kept"), [(0, 0), (70, 70), (-70, 0)])
def test_what_is_unsettled_is_kept_of_what_is_owed(unsettled: int, kept: int) -> None:
    assert kept_back(euro(unsettled)) == euro(kept)


@pytest.mark.parametrize(("unsettled", "left"), [(40, "0.60 EUR"), (100, "0.00 EUR"), (140, "0.00 EUR")])
def test_who_is_refused_reads_what_is_left(unsettled: int, left: str) -> None:
    error = credit_exhausted(euro(100), euro(unsettled))
    assert (error.code, left in error.detail) == ("operator.credit_exhausted", True)


def test_a_limit_is_of_one_currency() -> None:
    assert credit_of(Credit(400), "EUR", "EUR") == euro(400)
    assert credit_of(Credit(), "EUR", "EUR") == euro(1_000_000)
    for currency in ("USD", "KWD", "JPY"):
        for credit in (Credit(), Credit(400)):
            assert credit_of(credit, "EUR", currency) == Money(0, currency)
