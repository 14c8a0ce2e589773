"""Why a card was refused, as its holder is told it."""

from __future__ import annotations

import pytest
import stripe

from chalicelib.payments.providers.stripe.checkout import failure_reason


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ({"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
        ({"type": "card_error", "code": "card_declined", "decline_code": "stolen_card"}, "generic_decline"),
        ({"type": "card_error", "code": "expired_card"}, "expired_card"),
        ({"type": "api_error"}, "api_error"),
    ],
)
def test_a_thief_is_not_told_that_the_card_is_known_as_stolen(refusal: dict[str, str], told: str) -> None:
    error = stripe.PaymentIntent.LastPaymentError.construct_from(refusal, None)
    assert failure_reason(error) == told
