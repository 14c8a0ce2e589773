"""Stripe's amounts and ours: ISO 4217 minor units on our side, Stripe's table of exceptions on theirs.

Pure. Source: docs.stripe.com/currencies#special-cases.
"""

from __future__ import annotations

from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import ProviderRefused

# How many of Stripe's units one ISO 4217 minor unit is, where that is not 1: currencies without minor units that
# Stripe still counts in hundredths.
_UNITS_PER_MINOR = {"ISK": 100, "UGX": 100}
# How many ISO minor units are one of Stripe's: Stripe counts the ariary whole.
_MINOR_PER_UNIT = {"MGA": 100}
# Three-decimal currencies: the last digit has to be 0.
_TENS_ONLY = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def to_stripe_units(money: Money) -> int:
    """Our minor units in Stripe's. ProviderRefused for what Stripe cannot express."""
    per_unit = _MINOR_PER_UNIT.get(money.currency, 1)
    if money.amount % per_unit or (money.currency in _TENS_ONLY and money.amount % 10):
        raise ProviderRefused("amount_not_representable", f"{money} has more decimals than Stripe takes.")
    return money.amount // per_unit * _UNITS_PER_MINOR.get(money.currency, 1)


def most_expressible(money: Money) -> Money:
    """The most of an amount, not below zero, that Stripe can take or give back."""
    step = _MINOR_PER_UNIT.get(money.currency, 10 if money.currency in _TENS_ONLY else 1)
    return Money(money.amount // step * step, money.currency)


def positive_units(money: Money) -> int:
    """`to_stripe_units` of an amount that is asked for: zero has other meanings at Stripe."""
    if money.amount <= 0:
        raise ProviderRefused("amount_not_positive", f"{money} cannot be asked for.")
    return to_stripe_units(money)


def from_stripe_units(units: int, currency: str) -> Money:
    """Stripe's units (currency in lower case) in ours.

    Payments are always whole, a fee in króna may be a fraction: it counts as one more, costs are not understated.
    """
    code = currency.upper()
    return Money(-(-units * _MINOR_PER_UNIT.get(code, 1) // _UNITS_PER_MINOR.get(code, 1)), code)
