"""What an amount that is usual somewhere is about elsewhere: defaults and bounds for every currency. Pure.

Thirty euro are nothing to write home about; thirty forint buy nothing. A table of orders of magnitude, not of rates of
exchange: nobody pays by it, and who finds a default wrong sets another. Only here are currencies compared.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Final

from chalicelib.kernel.money import Money

_CODES: Final = {
    "0.3": "BHD KWD OMR",
    "4": "AED BRL BYN GEL ILS LYD MYR PEN PGK PLN QAR RON SAR TND",
    "10": "BOB BWP CNY DKK GHS GTQ HKD MAD MOP NOK SBD SCR SEK TJS TTD",
    "20": "CZK ERN HNL LSL MDL MXN NAD SLE STN SZL TMT TWD UAH ZAR ZMW ZWG",
    "50": "AFN CUP DOP EGP MKD MRU MUR MVR MZN NIO PHP SRD THB TRY UYU",
    "100": "ALL BDT BTN CVE DJF DZD ETB GMD HTG INR KES KGS NPR RSD RUB VES VUV XPF",
    "150": "ISK JMD JPY LRD",
    "350": "AMD CRC GYD HUF KMF KPW KZT LKR PKR SDG SOS SSP XAF XOF YER",
    "1000": "AOA ARS CLP IQD KRW MWK NGN RWF",
    "2000": "BIF CDF COP KHR MGA MMK MNT TZS UGX",
    "10000": "GNF IDR PYG SYP UZS",
    "20000": "LAK VND",
    "100000": "IRR LBP",
}
_FACTORS: Final = {code: Decimal(factor) for factor, codes in _CODES.items() for code in codes.split()}
"""How many units are about one euro, or dollar; 1 where a currency is not named."""


def about(units: int, currency: str) -> Money:
    """A round figure, about as much as `units` (above zero) of a currency like the euro are: `about(30, "HUF")` is
    10 000.00 forint, `about(30, "JPY")` 4 000 yen. One digit and zeros, rounded down."""
    amount = units * _FACTORS.get(currency, Decimal(1))
    if currency not in _FACTORS:
        return Money.from_decimal(amount, currency)
    return Money.from_decimal(amount.quantize(Decimal(1).scaleb(amount.adjusted()), ROUND_DOWN), currency)
