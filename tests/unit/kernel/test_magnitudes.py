"""Round figures for every currency: orders of magnitude, of which nobody is surprised."""

from __future__ import annotations

import pytest

from chalicelib.kernel.magnitudes import _CODES, _FACTORS, about
from chalicelib.kernel.money import check_currency


@pytest.mark.parametrize(
    ("units", "currency", "expected"),
    [
        (30, "EUR", "30.00 EUR"),
        (30, "USD", "30.00 USD"),
        (30, "HUF", "10000.00 HUF"),
        (30, "JPY", "4000 JPY"),
        (30, "KWD", "9.000 KWD"),
        (1, "KWD", "0.300 KWD"),
        (30, "KRW", "30000 KRW"),
        (200, "VND", "4000000 VND"),
        (12, "EUR", "12.00 EUR"),
    ],
)
def test_what_is_usual_in_euro_is_a_round_figure_elsewhere(units: int, currency: str, expected: str) -> None:
    assert str(about(units, currency)) == expected


@pytest.mark.parametrize("currency", sorted(_FACTORS))
def test_no_bound_is_nothing_and_none_passes_another(currency: str) -> None:
    check_currency(currency)
    amounts = [about(units, currency).amount for units in (1, 5, 30, 100, 200, 10_000)]
    assert amounts[0] > 0
    assert amounts == sorted(set(amounts))


def test_no_currency_is_named_twice() -> None:
    named = [code for codes in _CODES.values() for code in codes.split()]
    assert len(named) == len(set(named))
