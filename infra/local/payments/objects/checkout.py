"""Checkout Sessions: opened by the product, paid or left by a payer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infra.local.payments.currencies import CURRENCIES, check_amount
from infra.local.payments.objects.common import NewId, StripeObject
from infra.local.payments.objects.intents import attempt, captured_line, new_intent
from infra.local.payments.objects.methods import BANK_DEBIT, DEBIT_REFUSED, METHODS, REFUSALS, PayerOutcome, methods_for
from infra.local.payments.parameters import FREE, INTEGER, TEXT, Shape, StripeError, require

SESSION_SHAPE: Mapping[str, Shape] = {
    "mode": TEXT,
    "client_reference_id": TEXT,
    "metadata": FREE,
    "payment_intent_data": {"description": TEXT, "metadata": FREE, "capture_method": TEXT},
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
}

MAX_LINE_ITEMS = 100
MIN_LIFE_S, MAX_LIFE_S = 30 * 60, 24 * 60 * 60
AUTHORIZATION_LIFE_S = 7 * 24 * 60 * 60


def new_session(params: Mapping[str, Any], session_id: str, page_url: str, now_s: int) -> StripeObject:
    """A Checkout Session in mode payment, open. StripeError where Stripe refuses the parameters."""
    if require(params, "mode") != "payment":
        raise StripeError("Invalid mode: must be payment", param="mode")
    currency, total = _total(require(params, "line_items"))
    about = params.get("payment_intent_data", {})
    if about.get("capture_method", "automatic") not in ("automatic", "automatic_async", "manual"):
        raise StripeError("Invalid capture_method", param="payment_intent_data[capture_method]")
    success_url = check_url(require(params, "success_url"), "success_url")
    cancel_url = check_url(params["cancel_url"], "cancel_url") if "cancel_url" in params else None
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
        "payment_method_types": methods_for(currency, manual=about.get("capture_method") == "manual"),
        "payment_status": "unpaid",
        "status": "open",
        "success_url": success_url,
        "ui_mode": "hosted",
        "url": page_url,
        # Not shown by the API: for the payment intent, whether a bank debit is under way, for the page.
        "_payment_intent_data": about,
        "_pending": False,
        "_lines": [item["price_data"]["product_data"]["name"] for item in params["line_items"]],
    }


def pay(
    session: StripeObject, outcome: PayerOutcome, email: str | None, new_id: NewId, now_s: int
) -> list[StripeObject]:
    """The payer's bank agrees (or executes the debit): session, intent, charge and, with the money, its line of the
    balance. With manual capture the money is only reserved."""
    intent = new_intent(session, new_id, now_s)
    manual = intent["capture_method"] == "manual"
    method = BANK_DEBIT if is_pending(session) else METHODS[outcome]
    charge = attempt(intent, new_id, method, now_s) | {"paid": True, "status": "succeeded"}
    intent |= {"last_payment_error": None, "latest_charge": charge["id"]}
    completed = session | {
        "customer_details": _customer_details(session, email),
        "payment_intent": intent["id"],
        "status": "complete",
        "url": None,
        "_pending": False,
    }
    if manual:
        capture_before = now_s + AUTHORIZATION_LIFE_S
        if method["type"] == "card":
            charge["payment_method_details"] = {
                "type": "card",
                "card": {**method["card"], "capture_before": capture_before},
            }
        intent |= {
            "amount_capturable": intent["amount"],
            "status": "requires_capture",
            "_capture_before": capture_before,
        }
        return [completed, intent, charge]
    line = captured_line(charge, new_id, now_s)
    charge |= {"amount_captured": intent["amount"], "balance_transaction": line["id"], "captured": True}
    intent |= {"amount_received": intent["amount"], "status": "succeeded"}
    return [completed | {"payment_status": "paid"}, intent, charge, line]


def decline(session: StripeObject, outcome: PayerOutcome, new_id: NewId, now_s: int) -> list[StripeObject]:
    """The card is refused, and the session stays open for another try; or the bank refuses the debit, finally.

    Who leaves the bank's 3-D Secure page makes no attempt: there is no charge."""
    intent = new_intent(session, new_id, now_s)
    method, reason = (BANK_DEBIT, DEBIT_REFUSED) if is_pending(session) else (METHODS[outcome], REFUSALS[outcome])
    after = session | {"payment_intent": intent["id"], "_pending": False}
    if outcome == "authentication_abandoned":
        return [after, intent | {"last_payment_error": dict(reason)}]
    charge = attempt(intent, new_id, method, now_s) | {
        "failure_code": reason["code"],
        "failure_message": reason["message"],
        "status": "failed",
    }
    intent |= {
        "last_payment_error": {**reason, "charge": charge["id"]},
        "latest_charge": charge["id"],
    }
    return [after, intent, charge]


def submit_debit(session: StripeObject, email: str | None, new_id: NewId, now_s: int) -> list[StripeObject]:
    """The payer authorises a bank debit: the page is done with, the money is decided upon days later."""
    intent = new_intent(session, new_id, now_s) | {"status": "processing"}
    charge = attempt(intent, new_id, BANK_DEBIT, now_s)
    intent["latest_charge"] = charge["id"]
    submitted = session | {
        "customer_details": _customer_details(session, email),
        "payment_intent": intent["id"],
        "status": "complete",
        "url": None,
        "_pending": True,
    }
    return [submitted, intent, charge]


def is_pending(session: StripeObject) -> bool:
    """A bank debit is under way."""
    pending: bool = session["_pending"]
    return pending


def is_manual(session: StripeObject) -> bool:
    """The money is only reserved."""
    return session["_payment_intent_data"].get("capture_method") == "manual"


def expire(session: StripeObject) -> StripeObject:
    return session | {"status": "expired", "url": None}


def check_url(url: str, param: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+[^\s]*", url):
        raise StripeError("Not a valid URL", code="url_invalid", param=param)
    return url


def _customer_details(session: StripeObject, email: str | None) -> StripeObject:
    return {
        "address": {"country": "DE"},
        "email": session["customer_email"] or email or "payer@example.com",
        "name": "Test Payer",
    }


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


def _expiry(expires_at: int | None, now_s: int) -> int:
    if expires_at is None:
        return now_s + MAX_LIFE_S
    if not MIN_LIFE_S <= expires_at - now_s <= MAX_LIFE_S:
        raise StripeError(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return expires_at
