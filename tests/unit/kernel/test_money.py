"""Money: integers, one currency, named rounding."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money, Rounding, check_currency, currency_exponent


@pytest.mark.parametrize(("currency", "exponent"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("NGN", 2), ("XOF", 0)])
def test_minor_units_by_iso_4217(currency: str, exponent: int) -> None:
    assert currency_exponent(currency) == exponent


@pytest.mark.parametrize(
    ("value", "currency", "rounding", "amount"),
    [
        ("4.925", "EUR", "half_up", 493),
        ("-4.925", "EUR", "half_up", -493),
        ("4.921", "EUR", "up", 493),
        ("4.929", "EUR", "down", 492),
        ("-4.921", "EUR", "up", -492),
        ("1.5", "JPY", "half_up", 2),
        ("0.0005", "KWD", "half_up", 1),
    ],
)
def test_decimals_become_minor_units(value: str, currency: str, rounding: Rounding, amount: int) -> None:
    assert Money.from_decimal(Decimal(value), currency, rounding) == Money(amount, currency)


@given(st.integers(-(10**18), 10**18), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_to_decimal_and_back_changes_nothing(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    assert Money.from_decimal(money.to_decimal(), currency) == money


@given(st.integers(), st.integers())
def test_sums_are_exact(left: int, right: int) -> None:
    total = Money(left, "EUR") + Money(right, "EUR")
    assert total - Money(right, "EUR") == Money(left, "EUR")
    assert -total == Money.zero("EUR") - total
    assert (Money(left, "EUR") < Money(right, "EUR")) == (left < right)
    assert (Money(left, "EUR") >= Money(right, "EUR")) == (left >= right)


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_two_currencies_never_meet(operation: str) -> None:
    with pytest.raises(ValueError, match="do not add up"):
        getattr(Money(1, "EUR"), operation)(Money(1, "USD"))


@pytest.mark.parametrize("amount", [1.0, "1", Decimal(1), True, None])
def test_only_integers_count(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("money", "text"), [(Money(493, "EUR"), "4.93 EUR"), (Money(-5, "KWD"), "-0.005 KWD"), (Money(7, "JPY"), "7 JPY")]
)
def test_people_read_major_units(money: Money, text: str) -> None:
    assert str(money) == text


@pytest.mark.parametrize("code", ["eur", "EU", "EURO", "E1R", "", "ÄÖÜ", "EUO", "XXX"])
def test_what_cannot_be_a_currency(code: str) -> None:
    with pytest.raises(DomainError) as caught:
        check_currency(code)
    assert caught.value.fields[0].pointer == "/currency"
