"""What a provider's word makes of a payment: every state against every word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.money import Money
from chalicelib.payments import model
from chalicelib.payments.model import PAYMENT_LIFECYCLE, Payment
from chalicelib.payments.providers.port import CheckoutOutcome, CheckoutState, ProviderRefused

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
PAYMENT = Payment(
    payment_id="pay_1",
    state="pending",
    provider="stripe",
    purpose="topup",
    purpose_id="top_1",
    payer_id="drv_1",
    amount=Money(2000, "EUR"),
    description="Wallet top-up",
    success_url="https://app.example/ok",
    cancel_url="https://app.example/no",
    created_at=NOW,
    checkout_expires_at=NOW + timedelta(hours=1),
    changed_at=NOW,
    provider_ref="page_1",
)
OPEN = CheckoutOutcome(provider_ref="page_1", payment_id="pay_1", state=CheckoutState.OPEN, may_still_be_paid=True)
PAID = replace(OPEN, state=CheckoutState.PAID, may_still_be_paid=False, captured=Money(2000, "EUR"), method="card")
DECLINED_ONCE = replace(OPEN, state=CheckoutState.FAILED, failure="card_declined")
DECLINED = replace(DECLINED_ONCE, may_still_be_paid=False)
EXPIRED = replace(OPEN, state=CheckoutState.EXPIRED, may_still_be_paid=False)

WORDS = {
    "open": OPEN,
    "paid": PAID,
    "declined once": DECLINED_ONCE,
    "declined": DECLINED,
    "expired": EXPIRED,
    "paid too little": replace(PAID, captured=Money(1999, "EUR")),
    "paid in another currency": replace(PAID, captured=Money(2000, "USD")),
    "paid, but says not how much": replace(PAID, captured=None),
    "somebody else's": replace(PAID, payment_id="pay_2"),
    "another page": replace(PAID, provider_ref="page_2"),
}
UNDECIDED = {
    "open": None,
    "paid": "succeeded",
    "declined once": None,
    "declined": "failed",
    "expired": "expired",
    "paid too little": "mismatch",
    "paid in another currency": "mismatch",
    "paid, but says not how much": "mismatch",
    "somebody else's": "mismatch",
    "another page": "mismatch",
}
LATE = {word: state for word, state in UNDECIDED.items() if state in ("succeeded", "mismatch")}
EXPECTED = {
    "created": UNDECIDED,
    "unknown": UNDECIDED,
    "pending": UNDECIDED,
    "failed": LATE,
    "expired": LATE,
    "succeeded": {},
    "mismatch": {},
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("state", sorted(PAYMENT_LIFECYCLE.states))
def test_every_state_against_every_word(state: str, word: str) -> None:
    after = model.after_outcome(replace(PAYMENT, state=state), WORDS[word], LATER)
    assert after.state == (EXPECTED[state].get(word) or state)


def test_a_word_that_changes_nothing_gives_the_same_object() -> None:
    assert model.after_outcome(PAYMENT, OPEN, LATER) is PAYMENT
    succeeded = model.after_outcome(PAYMENT, PAID, LATER)
    assert model.after_outcome(succeeded, PAID, LATER) is succeeded


def test_a_paid_payment_keeps_what_the_provider_said() -> None:
    after = model.after_outcome(replace(PAYMENT, failure="card_declined"), PAID, LATER)
    assert (after.captured, after.method, after.failure, after.changed_at) == (PAYMENT.amount, "card", None, LATER)


def test_a_declined_card_is_remembered_while_another_may_be_tried() -> None:
    after = model.after_outcome(PAYMENT, DECLINED_ONCE, LATER)
    assert (after.state, after.failure) == ("pending", "card_declined")


def test_the_page_is_found_also_when_its_answer_was_lost() -> None:
    after = model.after_outcome(replace(PAYMENT, state="created", provider_ref=None), PAID, LATER)
    assert (after.state, after.provider_ref) == ("succeeded", "page_1")


def test_asking_again_asks_for_the_same() -> None:
    asked = model.checkout_request(PAYMENT)
    again = model.checkout_request(replace(PAYMENT, state="unknown", changed_at=LATER))
    assert asked == again
    assert asked.idempotency_key == "pay_1"


@pytest.mark.parametrize(
    ("payment", "kind"),
    [
        (replace(PAYMENT, state="unknown", provider_ref=None), Kind.UNAVAILABLE),
        (replace(PAYMENT, state="failed", provider_ref=None), Kind.UNPROCESSABLE),
        (PAYMENT, None),
        (replace(PAYMENT, state="failed"), None),
        (replace(PAYMENT, state="succeeded"), None),
    ],
)
def test_there_is_an_error_only_where_there_is_no_page(payment: Payment, kind: Kind | None) -> None:
    error = model.opening_error(payment)
    assert (error.kind if error else None) == kind


def test_a_refusal_keeps_the_providers_reason() -> None:
    refused = model.refused(replace(PAYMENT, state="created"), ProviderRefused("amount_too_small", "Too small."), LATER)
    assert (refused.state, refused.failure, refused.failure_detail) == ("failed", "amount_too_small", "Too small.")


def test_a_payment_that_has_its_page_is_not_opened_again() -> None:
    with pytest.raises(DomainError, match="illegal_transition"):
        model.moved(PAYMENT, "opened", LATER)
