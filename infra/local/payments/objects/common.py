"""What all objects have in common: how they are shown, told of, and when time changes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from infra.local.payments.parameters import StripeError

StripeObject = dict[str, Any]
NewId = Callable[[str], str]
"""A new id with that prefix."""


def public(subject: Mapping[str, Any]) -> StripeObject:
    """The object as the API shows it."""
    return {name: value for name, value in subject.items() if not name.startswith("_")}


def due_at(subject: Mapping[str, Any]) -> int | None:
    """When time alone will change the object: a page or an authorisation runs out, a bank is done."""
    moment: int | None = None
    match subject["object"], subject.get("status"):
        case "checkout.session", "open":
            moment = subject["expires_at"]
        case "payment_intent", "requires_capture":
            moment = subject["_capture_before"]
        case "refund", "pending":
            moment = subject["_settles_at"]
        case "payout", "pending":
            moment = subject["arrival_date"]
    return moment


def event(event_id: str, kind: str, subject: StripeObject, api_version: str, now_s: int) -> StripeObject:
    """A notification with a snapshot of its subject; one about a connected account names the account."""
    told: StripeObject = {
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
    account = subject["id"] if subject["object"] == "account" else subject.get("_account")
    return told | ({"account": account} if account else {})


def balance_line(
    new_id: NewId,
    source: StripeObject,
    now_s: int,
    *,
    amount: int,
    kind: str,
    category: str | None = None,
    fee: int = 0,
    account: str | None = None,
) -> StripeObject:
    """A balance transaction: `amount` is signed, + came to the account (None: the platform's own)."""
    currency = source["currency"]
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now_s,
        "created": now_s,
        "currency": currency,
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{"amount": fee, "currency": currency, "type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": category or kind,
        "source": source["id"],
        "status": "available",
        "type": kind,
        "_account": account,
    }


def unexpected_state(intent: StripeObject, verb: str, wanted: str) -> StripeError:
    return StripeError(
        f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}. Only a PaymentIntent "
        f"with one of the following statuses may be {verb}: {wanted}.",
        code="payment_intent_unexpected_state",
        began=True,
    )
