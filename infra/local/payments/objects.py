"""Stripe's objects as far as we use them, and what a payer does to them: pure functions over dicts.

The dicts are what the API answers, so they carry Stripe's own names (a "session" is a Checkout page, a "charge" one
attempt). Amounts are Stripe's units. Used by the fake alone; the moment and the ids come from its caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.local.payments.parameters import FREE, INTEGER, TEXT, Shape, StripeError, Value, require

StripeObject = dict[str, Any]

SESSION_SHAPE: Mapping[str, Shape] = {
    "mode": TEXT,
    "client_reference_id": TEXT,
    "metadata": FREE,
    "payment_intent_data": {"description": TEXT, "metadata": FREE},
    "line_items": [
        {
            "quantity": INTEGER,
            "price_data": {
                "currency": TEXT,
                "unit_amount": INTEGER,
                "product_data": {"name": TEXT, "description": TEXT},
            },
        }
    ],
    "success_url": TEXT,
    "cancel_url": TEXT,
    "expires_at": INTEGER,
    "customer_email": TEXT,
    "locale": TEXT,
    "expand": [TEXT],
}

MAX_LINE_ITEMS = 100
MAX_AMOUNT = 99_999_999
MIN_LIFE_S, MAX_LIFE_S = 30 * 60, 24 * 60 * 60

# What Stripe can be paid in (docs.stripe.com/currencies), with the smallest payment where one is published.
CURRENCIES = frozenset(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp "
    "cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr "
    "isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn "
    "myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle "
    "sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw".split()
)
MIN_AMOUNTS = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_HUNDREDS = frozenset({"isk", "ugx"})
ZERO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())

# Made up, in the order of a European card price: 1.5 % and 25 units.
FEE_PER_MILLE = 15
FEE_FIXED = 25

CARD = {"brand": "visa", "country": "DE", "exp_month": 12, "exp_year": 2040, "funding": "credit", "last4": "4242"}
DECLINED_CARD = {**CARD, "last4": "0002"}


def new_session(params: Mapping[str, Value], session_id: str, page_url: str, now_s: int) -> StripeObject:
    """A Checkout Session in mode payment, open. StripeError where Stripe refuses the parameters."""
    if require(params, "mode") != "payment":
        raise StripeError("Invalid mode: must be payment", param="mode")
    currency, total = _total(require(params, "line_items"))
    success_url = _check_url(require(params, "success_url"), "success_url")
    cancel_url = _check_url(params["cancel_url"], "cancel_url") if "cancel_url" in params else None
    intent_data = params.get("payment_intent_data", {})
    return {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "cancel_url": cancel_url,
        "client_reference_id": params.get("client_reference_id"),
        "created": now_s,
        "currency": currency,
        "customer": None,
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "expires_at": _expiry(params.get("expires_at"), now_s),
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "status": "open",
        "success_url": success_url,
        "ui_mode": "hosted",
        "url": page_url,
        # Not shown by the API: what becomes of the payment intent, and what the page says.
        "_payment_intent_data": intent_data,
        "_lines": [item["price_data"]["product_data"]["name"] for item in params["line_items"]],  # type: ignore[union-attr,index,call-overload]
    }
