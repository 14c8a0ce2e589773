"""What a payer pays with on the fake's page, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from infra.local.payments.objects.common import StripeObject

PayerOutcome = Literal[
    "succeed", "paypal", "debit", "fail", "insufficient_funds", "expired_card", "authentication_abandoned", "disputed"
]

_CARD = {"brand": "visa", "country": "DE", "exp_month": 12, "exp_year": 2040, "funding": "credit"}


def _card(last4: str) -> StripeObject:
    return {"type": "card", "card": {**_CARD, "last4": last4}}


BANK_DEBIT: StripeObject = {
    "type": "sepa_debit",
    "sepa_debit": {"bank_code": "37040044", "country": "DE", "last4": "3000"},
}
METHODS: Mapping[str, StripeObject] = {
    "succeed": _card("4242"),
    "paypal": {"type": "paypal", "paypal": {"country": "DE", "payer_email": "payer@example.com"}},
    "debit": BANK_DEBIT,
    "fail": _card("0002"),
    "insufficient_funds": _card("9995"),
    "expired_card": _card("0069"),
    "authentication_abandoned": _card("3220"),
    "disputed": _card("0259"),  # good, and disputed as fraudulent at once
}
REFUSALS: Mapping[str, Mapping[str, str]] = {
    "fail": {
        "code": "card_declined",
        "decline_code": "generic_decline",
        "message": "Your card was declined.",
        "type": "card_error",
    },
    "insufficient_funds": {
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": "Your card has insufficient funds.",
        "type": "card_error",
    },
    "expired_card": {
        "code": "expired_card",
        "message": "Your card has expired.",
        "type": "card_error",
    },
    "authentication_abandoned": {
        "code": "payment_intent_authentication_failure",
        "message": "The provided PaymentMethod has failed authentication.",
        "type": "invalid_request_error",
    },
}
DEBIT_REFUSED = {
    "code": "debit_not_authorized",
    "message": "The bank refused the debit.",
    "type": "invalid_request_error",
}


def methods_for(currency: str, *, manual: bool) -> list[str]:
    """What the account has switched on and what fits: a bank debit is euro, and cannot be reserved."""
    return ["card", "paypal", *(["sepa_debit"] if currency == "eur" and not manual else [])]
