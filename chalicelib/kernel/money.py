"""Money: integer minor units and an ISO 4217 currency. No float ever touches it.

Only amounts of one currency add up; anything else is an error, not a conversion. Fractions appear only while
rating, as `Decimal` major units, and come back through `from_decimal` with a rounding that has a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Literal

import msgspec

from chalicelib.kernel.errors import invalid

Rounding = Literal["half_up", "up", "down"]

_ROUNDINGS = {"half_up": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}

# The currencies of ISO 4217 that people pay in (no funds codes, no metals, no codes for tests), by exponent.
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS
KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENTS = {code: exponent for exponent, codes in ((0, _ZERO), (2, _TWO), (3, _THREE)) for code in codes.split()}


def currency_exponent(currency: str) -> int:
    """Digits after the decimal point of the currency's minor unit (ISO 4217): EUR 2, JPY 0, KWD 3."""
    return _EXPONENTS.get(currency, 2)


def check_currency(currency: str, pointer: str = "/currency") -> str:
    """Returns the code if it is one of ISO 4217, else raises currency.invalid (422): a currency stays for good."""
    if currency not in _EXPONENTS:
        raise invalid("currency.invalid", f"{currency!r} is not an ISO 4217 currency code.", pointer)
    return currency


@dataclass(frozen=True)
class CostRounding:
    """How a cost is rounded: to a whole multiple of `step` minor units (5 where there are no coins of 1 and 2)."""

    mode: Rounding = "half_up"
    step: int = 1


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`Money(1234, "EUR")` is 12.34 euro. A struct, so that a request body with other fields in it is refused."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError("money is counted in integer minor units")

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(0, currency)

    @classmethod
    def from_decimal(cls, value: Decimal, currency: str, rounding: Rounding = "half_up") -> Money:
        """Major units to minor units: `from_decimal(Decimal("4.925"), "EUR")` is 4.93 (half up)."""
        minor = value.scaleb(currency_exponent(currency))
        return cls(int(minor.to_integral_value(rounding=_ROUNDINGS[rounding])), currency)

    def to_decimal(self) -> Decimal:
        return Decimal(self.amount).scaleb(-currency_exponent(self.currency))

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other).amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other).amount

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other).amount

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other).amount

    def __str__(self) -> str:
        exponent = currency_exponent(self.currency)
        return f"{self.to_decimal():.{exponent}f} {self.currency}"

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other
