"""Stripe's objects as far as we use them, and what a payer does to them: pure functions over dicts.

The dicts are what the API answers, so they carry Stripe's own names (a "session" is a Checkout page, a "charge" one
attempt). Amounts are Stripe's units. Used by the fake alone; the moment and the ids come from its caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infra.local.payments.currencies import CURRENCIES, check_amount
from infra.local.payments.parameters import FREE, INTEGER, TEXT, Shape, StripeError, require

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
MIN_LIFE_S, MAX_LIFE_S = 30 * 60, 24 * 60 * 60

# Made up, in the order of a European card price: 1.5 % and 25 units.
FEE_PER_MILLE = 15
FEE_FIXED = 25

_CARD = {"brand": "visa", "country": "DE", "exp_month": 12, "exp_year": 2040, "funding": "credit"}
CARD = {"type": "card", "card": {**_CARD, "last4": "4242"}}
REFUSED_CARD = {"type": "card", "card": {**_CARD, "last4": "0002"}}
BANK_DEBIT = {"type": "sepa_debit", "sepa_debit": {"bank_code": "37040044", "country": "DE", "last4": "3000"}}

CARD_REFUSED = {
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
    "type": "card_error",
}
DEBIT_REFUSED = {
    "code": "debit_not_authorized",
    "message": "The bank refused the debit.",
    "type": "invalid_request_error",
}


def new_session(params: Mapping[str, Any], session_id: str, page_url: str, now_s: int) -> StripeObject:
    """A Checkout Session in mode payment, open. StripeError where Stripe refuses the parameters."""
    if require(params, "mode") != "payment":
        raise StripeError("Invalid mode: must be payment", param="mode")
    currency, total = _total(require(params, "line_items"))
    success_url = _check_url(require(params, "success_url"), "success_url")
    cancel_url = _check_url(params["cancel_url"], "cancel_url") if "cancel_url" in params else None
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
        "payment_method_types": ["card", "sepa_debit"],
        "payment_status": "unpaid",
        "status": "open",
        "success_url": success_url,
        "ui_mode": "hosted",
        "url": page_url,
        # Not shown by the API: for the payment intent, whether a bank debit is under way, for the page.
        "_payment_intent_data": params.get("payment_intent_data", {}),
        "_pending": False,
        "_lines": [item["price_data"]["product_data"]["name"] for item in params["line_items"]],
    }


def pay(session: StripeObject, ids: Mapping[str, str], now_s: int) -> list[StripeObject]:
    """The money is there (card accepted, or bank debit executed): session, intent, charge, balance transaction.

    `ids`: one for each of "payment_intent", "charge", "balance_transaction".
    """
    intent = _intent(session, ids["payment_intent"], now_s)
    fee = (intent["amount"] * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED
    settled = {
        "id": ids["balance_transaction"],
        "object": "balance_transaction",
        "amount": intent["amount"],
        "available_on": now_s,
        "created": now_s,
        "currency": intent["currency"],
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{"amount": fee, "currency": intent["currency"], "type": "stripe_fee"}],
        "net": intent["amount"] - fee,
        "source": ids["charge"],
        "status": "available",
        "type": "charge",
    }
    attempt = _attempt(intent, ids["charge"], BANK_DEBIT if is_pending(session) else CARD, now_s) | {
        "amount_captured": intent["amount"],
        "balance_transaction": settled["id"],
        "captured": True,
        "paid": True,
        "status": "succeeded",
    }
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": attempt["id"],
        "status": "succeeded",
    }
    completed = session | {
        "payment_intent": intent["id"],
        "payment_status": "paid",
        "status": "complete",
        "url": None,
        "_pending": False,
    }
    return [completed, intent, attempt, settled]


def decline(session: StripeObject, ids: Mapping[str, str], now_s: int) -> list[StripeObject]:
    """The card is refused, and the session stays open for another try; or the bank refuses the debit, finally."""
    intent = _intent(session, ids["payment_intent"], now_s)
    method, reason = (BANK_DEBIT, DEBIT_REFUSED) if is_pending(session) else (REFUSED_CARD, CARD_REFUSED)
    attempt = _attempt(intent, ids["charge"], method, now_s) | {
        "failure_code": reason["code"],
        "failure_message": reason["message"],
        "status": "failed",
    }
    intent |= {
        "last_payment_error": {**reason, "charge": attempt["id"]},
        "latest_charge": attempt["id"],
    }
    return [session | {"payment_intent": intent["id"], "_pending": False}, intent, attempt]


def submit_debit(session: StripeObject, ids: Mapping[str, str], now_s: int) -> list[StripeObject]:
    """The payer authorises a bank debit: the page is done with, the money is decided upon days later."""
    intent = _intent(session, ids["payment_intent"], now_s) | {"status": "processing"}
    attempt = _attempt(intent, ids["charge"], BANK_DEBIT, now_s)
    intent["latest_charge"] = attempt["id"]
    submitted = session | {"payment_intent": intent["id"], "status": "complete", "url": None, "_pending": True}
    return [submitted, intent, attempt]


def is_pending(session: StripeObject) -> bool:
    """A bank debit is under way."""
    pending: bool = session["_pending"]
    return pending


def expire(session: StripeObject) -> StripeObject:
    return session | {"status": "expired", "url": None}


def event(event_id: str, kind: str, subject: StripeObject, api_version: str, now_s: int) -> StripeObject:
    """A notification with a snapshot of its subject."""
    return {
        "id": event_id,
        "object": "event",
        "api_version": api_version,
        "created": now_s,
        "data": {"object": public(subject)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def public(subject: StripeObject) -> StripeObject:
    """The object as the API shows it."""
    return {name: value for name, value in subject.items() if not name.startswith("_")}


def _total(line_items: list[Mapping[str, Any]]) -> tuple[str, int]:
    if not 1 <= len(line_items) <= MAX_LINE_ITEMS:
        raise StripeError("line_items must have 1 to 100 items.", param="line_items")
    currencies, total = set(), 0
    for position, item in enumerate(line_items):
        path = f"line_items[{position}]"
        quantity = item.get("quantity", 1)
        price = require(item, "price_data", path)
        currency = require(price, "currency", f"{path}[price_data]").lower()
        require(require(price, "product_data", f"{path}[price_data]"), "name", f"{path}[price_data][product_data]")
        amount = require(price, "unit_amount", f"{path}[price_data]")
        if currency not in CURRENCIES:
            raise StripeError(f"Invalid currency: {currency}.", param=f"{path}[price_data][currency]")
        if amount < 0 or quantity < 1:
            raise StripeError("Invalid non-negative integer", code="parameter_invalid_integer", param=path)
        currencies.add(currency)
        total += amount * quantity
    if len(currencies) != 1:
        raise StripeError("All line items must have one currency.", param="line_items")
    check_amount(total, currency)
    return currency, total


def _check_url(url: str, param: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+[^\s]*", url):
        raise StripeError("Not a valid URL", code="url_invalid", param=param)
    return url


def _expiry(expires_at: int | None, now_s: int) -> int:
    if expires_at is None:
        return now_s + MAX_LIFE_S
    if not MIN_LIFE_S <= expires_at - now_s <= MAX_LIFE_S:
        raise StripeError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return expires_at


def _intent(session: StripeObject, intent_id: str, now_s: int) -> StripeObject:
    about = session["_payment_intent_data"]
    return {
        "id": session["payment_intent"] or intent_id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "capture_method": "automatic",
        "created": now_s,
        "currency": session["currency"],
        "description": about.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": about.get("metadata", {}),
        "payment_method_types": ["card", "sepa_debit"],
        "receipt_email": None,
        "status": "requires_payment_method",
    }


def _attempt(intent: StripeObject, charge_id: str, method: Mapping[str, object], now_s: int) -> StripeObject:
    return {
        "id": charge_id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "captured": False,
        "created": now_s,
        "currency": intent["currency"],
        "description": intent["description"],
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method_details": dict(method),
        "refunded": False,
        "status": "pending",
    }
