"""Which currencies the fake can be paid in, how Stripe counts them, and the amounts it takes.

Pure. Written from docs.stripe.com/currencies, on purpose not shared with the adapter: each is to catch the other's
mistakes. Codes are in lower case, amounts in Stripe's units.
"""

from __future__ import annotations

from infra.local.payments.parameters import StripeError

_CODES = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp "
    "cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr "
    "isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn "
    "myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle "
    "sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw"
)
_ZERO_DECIMAL_CODES = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"

CURRENCIES = frozenset(_CODES.split())
ZERO_DECIMALS = frozenset(_ZERO_DECIMAL_CODES.split())
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_HUNDREDS = frozenset({"isk", "ugx"})  # counted in hundredths, paid whole

MAX_AMOUNT = 99_999_999
MIN_AMOUNTS = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip


def format_amount(amount: int, currency: str) -> str:
    """For people: `12.34 EUR`, `500 JPY`."""
    digits = 0 if currency in ZERO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    whole, fraction = divmod(amount, 10**digits)
    return f"{whole}.{fraction:0{digits}d} {currency.upper()}" if digits else f"{whole} {currency.upper()}"


def check_amount(amount: int, currency: str) -> None:
    """StripeError for a payment that is too small, too large or finer than the currency's coins."""
    minimum = MIN_AMOUNTS.get(currency, 1)
    if amount < minimum:
        raise StripeError(
            f"The Checkout Session's total amount due must add up to at least {format_amount(minimum, currency)}",
            code="amount_too_small",
        )
    if amount > MAX_AMOUNT:
        raise StripeError(
            f"The Checkout Session's total amount due must be no more than {format_amount(MAX_AMOUNT, currency)}",
            code="amount_too_large",
        )
    check_coins(amount, currency)


def check_coins(amount: int, currency: str) -> None:
    """StripeError for an amount that is finer than the currency's coins."""
    if (currency in WHOLE_HUNDREDS and amount % 100) or (currency in THREE_DECIMALS and amount % 10):
        raise StripeError(
            f"Invalid amount: {amount} is a fraction that {currency} cannot be paid in.",
            code="invalid_charge_amount_no_decimal_compatible",
        )
