"""Money on a guest's card: reserved, taken once, let go; and what becomes of it when the provider is silent."""

from __future__ import annotations

import logging

import pytest

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.payments import service
from chalicelib.payments.providers.port import CaptureOutcome, CheckoutState, ProviderEventKind, ProviderRefused
from tests.integration.money.memory_provider import MemoryProvider
from tests.unit.payments.till import DAY, INCOME, Till, euro, page
from tests.world import World


class LockedOut(MemoryProvider):
    def capture(self, payment_ref: str, amount: Money, *, idempotency_key: str) -> CaptureOutcome:
        raise ProviderRefused("api_key_expired", "The key is no good.", Kind.INTERNAL)


class Forgetful(MemoryProvider):
    """Answers no after it has done it."""

    def capture(self, payment_ref: str, amount: Money, *, idempotency_key: str) -> CaptureOutcome:
        super().capture(payment_ref, amount, idempotency_key=idempotency_key)
        raise ProviderRefused("already_captured", "This payment was captured.")


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


def test_what_was_reserved_is_taken_and_the_rest_goes_back(till: Till) -> None:
    payment = till.authorized(3000)
    assert (payment.state, payment.authorized, payment.captured) == ("authorized", euro(3000), None)
    asked = till.ask_capture(payment, 1234, tax=euro(197))
    assert asked.state == "capture_due"
    assert till.books() == {INCOME: 1234, "captures:stripe:EUR": -1234}
    assert till.run_events() == ["payment.authorized", "payment.capture_due", "payment.captured"]
    after = till.stored(payment)
    assert (after.state, after.captured, after.tax) == ("captured", euro(1234), euro(197))
    assert till.books() == {INCOME: 1234, "clearing:stripe:EUR": -1234}


def test_the_income_is_of_the_business_day(till: Till) -> None:
    till.captured(cost=1234)
    [entry] = list(ledger.entries_of_period(till.world.ctx, INCOME, DAY))
    assert (entry.kind, entry.source_id, entry.amount_on(INCOME)) == ("capture", "ses_1", 1234)


def test_the_providers_fee_is_booked_with_the_capture_or_when_it_is_known(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1000)
    till.run_events()
    till.tell_fee(payment, euro(45))
    till.world.advance(601)
    assert till.reconcile() == {"captured": 1}
    assert till.reconcile() == {}
    assert till.books() == {INCOME: 1000, "clearing:stripe:EUR": -955, "fees:stripe:EUR": -45}


def test_a_fee_in_another_currency_is_booked_in_that(till: Till) -> None:
    payment = till.authorized()
    usd = Money(50, "USD")
    till.tell_fee(payment, usd)
    till.ask_capture(payment, 1000)
    till.run_events()
    books = till.books()
    assert (books["fees:stripe:USD"], books["clearing:stripe:USD"]) == (-50, 50)
    assert (books["clearing:stripe:EUR"], till.stored(payment).fee) == (-1000, usd)


def test_a_fee_that_is_never_told_is_given_up(till: Till) -> None:
    payment = till.captured()
    till.world.advance(3 * 24 * 3600 + 1)
    assert till.reconcile() == {"captured": 1}
    calls = till.provider.calls
    assert till.reconcile() == {}
    assert till.provider.calls == calls
    assert till.stored(payment).fee_given_up


def test_asking_twice_captures_once(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1234)
    till.ask_capture(payment, 1234)
    till.run_events()
    assert till.ask_capture(payment, 1234).state == "captured"
    assert till.run_events() == []
    assert till.books() == {INCOME: 1234, "clearing:stripe:EUR": -1234}


def test_another_amount_is_refused_once_one_was_asked_for(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1234)
    with pytest.raises(DomainError, match=r"payment\.capture_conflict"):
        till.ask_capture(payment, 1235)
    with pytest.raises(DomainError, match=r"payment\.illegal_transition"):
        till.ask_release(payment)


def test_more_than_is_reserved_cannot_be_asked_for(till: Till) -> None:
    payment = till.authorized(3000)
    with pytest.raises(DomainError, match=r"payment\.exceeds_authorized"):
        till.ask_capture(payment, 3001)
    assert till.books() == {}


def test_nothing_delivered_lets_the_card_go(till: Till) -> None:
    payment = till.authorized()
    assert till.ask_capture(payment, 0).state == "release_due"
    till.ask_release(payment)
    assert till.run_events() == ["payment.authorized", "payment.release_due", "payment.released"]
    assert till.stored(payment).state == "released"
    assert till.provider.outcomes[page(payment)].state is CheckoutState.RELEASED
    assert till.books() == {}


def test_what_is_not_decided_is_neither_taken_nor_let_go(till: Till) -> None:
    payment = till.open()
    for ask in (till.ask_release, lambda payment: till.ask_capture(payment, 1)):
        with pytest.raises(DomainError, match=r"payment\.illegal_transition"):
            ask(payment)


@pytest.mark.parametrize("trouble", ["before", "after"])
def test_a_silent_provider_is_asked_again_and_takes_once(till: Till, trouble: str) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1234)
    with till.silence(trouble):
        till.run_events()
    assert till.stored(payment).state == "capture_due"
    till.run_events()
    assert till.stored(payment).captured == euro(1234)
    assert till.books() == {INCOME: 1234, "clearing:stripe:EUR": -1234}


@pytest.mark.parametrize("trouble", ["before", "after"])
def test_what_the_relay_gave_up_the_reconciliation_finishes(till: Till, trouble: str) -> None:
    kept, gone = till.authorized(), till.authorized()
    till.ask_capture(kept, 1234)
    till.ask_release(gone)
    till.provider.breaks.append(trouble)
    till.world.advance(599)
    assert till.reconcile() == {}
    till.world.advance(2)
    assert till.reconcile() == {"unanswered": 1, "released": 1}
    assert till.reconcile() == {"captured": 1}
    assert till.books() == {INCOME: 1234, "clearing:stripe:EUR": -1234}


def test_the_notification_may_overtake_the_answer(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1234)
    with till.silence("after"):
        till.run_events()
    assert till.notify(payment) == "applied"
    assert till.stored(payment).state == "captured"
    till.run_events()
    assert till.books() == {INCOME: 1234, "clearing:stripe:EUR": -1234}
    assert till.faults == []


def test_a_capture_that_is_refused_is_told_and_the_card_is_let_go(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 20)
    till.provider.refusal = "amount_too_small"
    types = till.run_events()
    assert "payment.capture_failed" in types
    assert till.faults == ["payment_capture_failed"]
    after = till.stored(payment)
    assert (after.state, after.failure) == ("capture_failed", "amount_too_small")
    assert till.provider.outcomes[page(payment)].state is CheckoutState.RELEASED


def test_the_income_of_a_capture_that_failed_is_taken_back_once(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 20)
    till.provider.refusal = "amount_too_small"
    till.run_events()
    assert till.books() == {INCOME: 20, "captures:stripe:EUR": -20}

    def take_back() -> bool:
        back: bool = till.world.commit(
            lambda uow: service.reverse_capture(uow, payment.payment_id, business_day="2026-03-03")
        )
        return back

    assert (take_back(), take_back()) == (True, False)
    assert till.books() == {}
    [entry] = list(ledger.entries_of_period(till.world.ctx, INCOME, "2026-03-03"))
    assert entry.amount_on(INCOME) == -20


def test_a_capture_that_did_not_fail_is_not_taken_back(till: Till) -> None:
    payment = till.captured()
    with pytest.raises(DomainError, match=r"payment\.illegal_transition"):
        till.world.commit(lambda uow: service.reverse_capture(uow, payment.payment_id, business_day=DAY))


def test_a_refusal_that_is_ours_to_mend_leaves_it_due(till: Till) -> None:
    """A wrong key at the provider is no reason to give a guest the charge for nothing."""

    payment = till.authorized()
    till.ask_capture(payment, 1234)
    honest = till.provider
    till.provider = LockedOut(**vars(honest))
    with pytest.raises(ProviderRefused):
        till.run_events()
    assert till.stored(payment).state == "capture_due"
    till.provider = honest
    till.run_events()
    assert till.stored(payment).state == "captured"


def test_a_no_counts_for_less_than_what_was_done(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1234)
    till.provider = Forgetful(**vars(till.provider))
    till.run_events()
    assert (till.stored(payment).state, till.faults) == ("captured", [])
    assert till.books() == {INCOME: 1234, "clearing:stripe:EUR": -1234}


def test_an_authorisation_that_ran_out_before_the_capture_is_a_failed_one(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1234)
    till.provider.run_out(page(payment))
    till.run_events()
    assert till.stored(payment).state == "capture_failed"
    assert (till.events[-2:], till.faults) == (
        ["payment.capture_failed", "payment.fault_found"],
        ["payment_capture_failed"],
    )


def test_a_session_that_ends_after_its_authorisation_ran_out_fails_at_once(till: Till) -> None:
    """The charger's last word is taken all the same: the one who books it learns of it by the event."""
    payment = till.authorized()
    till.provider.run_out(page(payment))
    till.notify(payment, kind=ProviderEventKind.AUTHORIZATION_RELEASED)
    assert till.stored(payment).state == "released"
    assert till.ask_capture(payment, 1234).state == "capture_failed"
    assert "payment.capture_failed" in till.run_events()
    assert till.books() == {INCOME: 1234, "captures:stripe:EUR": -1234}


def test_an_authorisation_is_told_before_it_runs_out_once(till: Till) -> None:
    payment = till.authorized()
    till.world.advance(7 * 24 * 3600 - 12 * 3600 - 60)
    assert till.reconcile() == {}
    till.world.advance(61)
    till.reconcile()
    till.world.advance(601)
    assert till.reconcile() == {}
    assert till.run_events() == ["payment.authorized", "payment.authorization_ending"]
    assert till.stored(payment).state == "authorized"


def test_an_authorisation_that_ran_out_unseen_is_found(till: Till) -> None:
    payment = till.authorized()
    till.run_events()
    till.world.advance(7 * 24 * 3600 + 1)
    till.provider.run_out(page(payment))
    assert till.reconcile() == {"released": 1}
    assert till.run_events() == ["payment.released", "payment.fault_found"]
    assert till.faults == ["payment_authorization_lost"]


@pytest.mark.parametrize("end", [CheckoutState.FAILED, CheckoutState.EXPIRED])
def test_money_that_is_reserved_after_we_gave_up_is_let_go(till: Till, end: CheckoutState) -> None:
    payment = till.open()
    till.provider.close(page(payment), end)
    till.notify(payment)
    till.provider.authorize(page(payment))
    till.notify(payment)
    assert till.run_events() == ["payment.failed", "payment.release_due", "payment.released"]
    assert till.provider.outcomes[page(payment)].state is CheckoutState.RELEASED


def test_money_that_is_taken_by_hand_counts_and_wakes_somebody(till: Till, caplog: pytest.LogCaptureFixture) -> None:
    payment = till.authorized()
    till.provider.capture(f"intent_{page(payment)}", euro(3000), idempotency_key="by hand")
    with caplog.at_level(logging.ERROR, "wattfare"):
        till.notify(payment)
        till.run_events()
    assert till.faults == ["payment_captured_unasked"]
    assert "ledger fault" in caplog.text
    assert till.books() == {"captures:stripe:EUR": 3000, "clearing:stripe:EUR": -3000}
    till.ask_capture(payment, 1234)  # the session's end finds it taken
    assert till.run_events() == ["payment.captured", "payment.fault_found"]
    assert till.faults[1:] == ["payment_captured_other"]  # what is too much is somebody's to pay back
    assert till.books() == {INCOME: 1234, "captures:stripe:EUR": 1766, "clearing:stripe:EUR": -3000}


def test_money_that_was_taken_where_it_should_be_let_go_counts(till: Till) -> None:
    payment = till.authorized()
    till.provider.capture(f"intent_{page(payment)}", euro(700), idempotency_key="by hand")
    till.ask_release(payment)
    till.run_events()
    assert till.stored(payment).state == "captured"
    assert till.faults == ["payment_captured_unasked"]


def test_another_amount_than_was_asked_for_wakes_somebody(till: Till) -> None:
    payment = till.authorized()
    till.ask_capture(payment, 1234)
    till.provider.capture(f"intent_{page(payment)}", euro(1200), idempotency_key="by hand")
    till.run_events()
    assert till.stored(payment).captured == euro(1200)
    assert till.faults == ["payment_captured_other"]
    assert till.books() == {INCOME: 1234, "captures:stripe:EUR": -34, "clearing:stripe:EUR": -1200}
