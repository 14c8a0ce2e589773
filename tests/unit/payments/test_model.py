"""What a provider's word makes of a payment: every state against every word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.money import Money
from chalicelib.payments import model
from chalicelib.payments.model import PAYMENT_LIFECYCLE, CaptureOrder, Payment, PaymentState
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
RESERVED = replace(PAYMENT, state="authorized", capture="manual", authorized=Money(2000, "EUR"), payment_ref="pi_1")
ORDER = CaptureOrder(Money(1234, "EUR"), "income:org_1:EUR", "2026-03-02", "ses_1", Money(197, "EUR"))

OPEN = CheckoutOutcome(provider_ref="page_1", payment_id="pay_1", state=CheckoutState.OPEN, may_still_be_paid=True)
PAID = replace(OPEN, state=CheckoutState.PAID, may_still_be_paid=False, captured=Money(2000, "EUR"), method="card")
DECLINED_ONCE = replace(OPEN, state=CheckoutState.FAILED, failure="card_declined")
DECLINED = replace(DECLINED_ONCE, may_still_be_paid=False)
EXPIRED = replace(OPEN, state=CheckoutState.EXPIRED, may_still_be_paid=False)
AUTHORIZED = replace(OPEN, state=CheckoutState.AUTHORIZED, may_still_be_paid=False, authorized=Money(2000, "EUR"))
RELEASED = replace(OPEN, state=CheckoutState.RELEASED, may_still_be_paid=False)

WORDS = {
    "open": OPEN,
    "paid": PAID,
    "declined once": DECLINED_ONCE,
    "declined": DECLINED,
    "expired": EXPIRED,
    "authorized": AUTHORIZED,
    "another amount authorized": replace(AUTHORIZED, authorized=Money(1999, "EUR")),
    "released": RELEASED,
    "paid too little": replace(PAID, captured=Money(1999, "EUR")),
    "paid in another currency": replace(PAID, captured=Money(2000, "USD")),
    "paid, but says not how much": replace(PAID, captured=None),
    "somebody else's": replace(PAID, payment_id="pay_2"),
    "another page": replace(PAID, provider_ref="page_2"),
}
UNDECIDED = {
    "paid": "succeeded",
    "declined": "failed",
    "expired": "expired",
    "authorized": "mismatch",
    "another amount authorized": "mismatch",
    "paid too little": "mismatch",
    "paid in another currency": "mismatch",
    "paid, but says not how much": "mismatch",
    "somebody else's": "mismatch",
    "another page": "mismatch",
}
LATE = {word: state for word, state in UNDECIDED.items() if state in ("succeeded", "mismatch")}
AUTOMATIC = {
    "created": UNDECIDED,
    "unknown": UNDECIDED,
    "pending": UNDECIDED,
    "failed": LATE,
    "expired": LATE,
}
# Of what is authorised any part may be captured.
TAKEN = {"paid": "captured", "paid too little": "captured"}
UNDECIDED_MANUAL = UNDECIDED | TAKEN | {"authorized": "authorized", "released": "expired"}
LATE_MANUAL = LATE | TAKEN | {"authorized": "release_due"}
MANUAL = {
    "created": UNDECIDED_MANUAL,
    "unknown": UNDECIDED_MANUAL,
    "pending": UNDECIDED_MANUAL,
    "failed": LATE_MANUAL,
    "expired": LATE_MANUAL,
    "authorized": TAKEN | {"released": "released"},
    "capture_due": TAKEN | {"released": "capture_failed"},
    "capture_failed": TAKEN,
    "release_due": TAKEN | {"released": "released"},
    "released": TAKEN,
}

every_state = pytest.mark.parametrize("state", sorted(PAYMENT_LIFECYCLE.states))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("state", [*AUTOMATIC, "succeeded", "mismatch"])
def test_every_state_of_an_automatic_payment_against_every_word(state: PaymentState, word: str) -> None:
    after = model.after_outcome(replace(PAYMENT, state=state), WORDS[word], LATER)
    assert after.state == AUTOMATIC.get(state, {}).get(word, state)


@pytest.mark.parametrize("word", WORDS)
@every_state
def test_every_state_of_a_manual_payment_against_every_word(state: PaymentState, word: str) -> None:
    after = model.after_outcome(replace(RESERVED, state=state), WORDS[word], LATER)
    assert after.state == MANUAL.get(state, {}).get(word, state)


ASKED = {
    ("authorized", "capture_asked"): "capture_due",
    ("released", "capture_asked"): "capture_failed",
    ("authorized", "release_asked"): "release_due",
    ("capture_due", "capture_refused"): "capture_failed",
    ("created", "opened"): "pending",
    ("unknown", "opened"): "pending",
    ("created", "unanswered"): "unknown",
    ("unknown", "unanswered"): "unknown",
    ("created", "refused"): "failed",
    ("unknown", "refused"): "failed",
}


@pytest.mark.parametrize("event", sorted({event for _, event in ASKED}))
@every_state
def test_every_state_against_everything_that_we_do(state: PaymentState, event: str) -> None:
    expected = ASKED.get((state, event))
    if expected is None:
        with pytest.raises(DomainError, match=r"payment\.illegal_transition"):
            model.moved(replace(RESERVED, state=state), event, LATER)
    else:
        assert model.moved(replace(RESERVED, state=state), event, LATER).state == expected


def test_an_authorisation_tells_how_long_it_lasts_and_whose_it_is() -> None:
    word = replace(
        AUTHORIZED,
        authorization_expires_at=LATER + timedelta(days=6),
        payment_ref="pi_1",
        payer_email="guest@example.com",
        country="NL",
        method="card",
    )
    after = model.after_outcome(replace(PAYMENT, capture="manual"), word, LATER)
    assert (after.authorized, after.payment_ref, after.payer_email) == (PAYMENT.amount, "pi_1", "guest@example.com")
    assert (after.country, after.authorization_ends_at()) == ("NL", LATER + timedelta(days=6))
    silent = replace(after, authorization_expires_at=None)
    assert silent.authorization_ends_at() == LATER + model.AUTHORIZATION_LIFETIME


def test_a_fee_that_comes_later_is_taken_once() -> None:
    paid = model.after_outcome(PAYMENT, PAID, LATER)
    assert paid.work == "fee"
    told = model.after_outcome(paid, replace(PAID, fee=Money(50, "EUR")), LATER)
    assert (told.fee, told.work) == (Money(50, "EUR"), None)
    assert model.after_outcome(told, replace(PAID, fee=Money(60, "EUR")), LATER) is told
    assert model.after_outcome(paid, replace(PAID, provider_ref="page_2", fee=Money(50, "EUR")), LATER) is paid


def test_a_capture_is_asked_for_once() -> None:
    asked = model.capture_asked(RESERVED, ORDER, LATER)
    assert (asked.state, asked.order, asked.tax) == ("capture_due", ORDER, Money(197, "EUR"))
    assert model.capture_asked(asked, ORDER, LATER) is asked
    with pytest.raises(DomainError, match=r"payment\.capture_conflict"):
        model.capture_asked(asked, replace(ORDER, amount=Money(1233, "EUR")), LATER)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(2001, "EUR"), "payment.exceeds_authorized"),
        (Money(-1, "EUR"), "payment.capture_invalid"),
        (Money(0, "EUR"), "payment.capture_invalid"),
        (Money(1, "USD"), "payment.capture_invalid"),
    ],
)
def test_what_cannot_be_captured(amount: Money, code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        model.capture_asked(RESERVED, replace(ORDER, amount=amount), LATER)
    assert refusal.value.code == code


def test_what_was_captured_by_hand_is_only_said_what_it_was_for() -> None:
    by_hand = model.after_outcome(RESERVED, PAID, LATER)
    asked = model.capture_asked(by_hand, ORDER, LATER)
    assert (asked.state, asked.captured, asked.order) == ("captured", Money(2000, "EUR"), ORDER)


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
