"""Money back to its payer: out of a wallet or of income, never more than came, whatever the provider answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger.model import Posting
from chalicelib.payments import model, service
from chalicelib.payments.model import REFUND_LIFECYCLE, RefundStateName
from chalicelib.payments.providers.port import ProviderEvent, ProviderEventKind, RefundOutcome, RefundState
from tests.unit.payments.till import INCOME, WALLET, Till, euro
from tests.world import World

CLEARING, REFUNDS, PROMOTION = "clearing:stripe:EUR", "refunds:stripe:EUR", "promotion:org_1:EUR"


@pytest.fixture
def till(world: World) -> Till:
    return Till(world)


def word(till: Till, refund_id: str = "ref_1", event_id: str = "evt_r", **changes: Any) -> ProviderEvent:
    """The provider's notification that a refund has changed."""
    values: dict[str, Any] = {"payment_id": service_payment(till), "refund_ref": f"re_{refund_id}"}
    values |= {"refund_id": refund_id, "provider_ref": None} | changes
    return ProviderEvent(
        id=event_id,
        kind=ProviderEventKind.REFUND_CHANGED,
        provider_type="refund.updated",
        occurred_at=till.world.ctx.now(),
        **values,
    )


def service_payment(till: Till) -> str:
    [request] = till.provider.requests.values()
    return request.payment_id


EVENTS = {
    ("requested", "pending"): "pending",
    ("requested", "succeeded"): "succeeded",
    ("requested", "failed"): "failed",
    ("pending", "succeeded"): "succeeded",
    ("pending", "failed"): "failed",
    ("succeeded", "failed"): "failed",
    ("failed", "retried"): "requested",
}


@pytest.mark.parametrize("event", sorted(REFUND_LIFECYCLE.events))
@pytest.mark.parametrize("state", sorted(REFUND_LIFECYCLE.states))
def test_every_state_against_every_event(till: Till, state: RefundStateName, event: str) -> None:
    payment = till.topped_up()
    refund = till.ask_refund(payment, 100)
    refund = replace(refund, state=state)
    if (state, event) in EVENTS:
        assert model.moved_refund(refund, event, till.world.ctx.now()).state == EVENTS[state, event]
    else:
        with pytest.raises(DomainError, match=r"refund\.illegal_transition"):
            model.moved_refund(refund, event, till.world.ctx.now())


def test_a_top_up_goes_back_out_of_the_wallet(till: Till) -> None:
    payment = till.topped_up(2000)
    till.ask_refund(payment, 500)
    assert till.books() == {WALLET: 1500, REFUNDS: 500, CLEARING: -2000}
    assert till.run_events() == ["payment.refund_due", "payment.refunded"]
    assert till.books() == {WALLET: 1500, CLEARING: -1500}
    assert till.refund(payment).state == "succeeded"
    assert (till.stored(payment).refunded, till.stored(payment).refundable) == (euro(500), euro(1500))


def test_a_guest_gets_it_out_of_income(till: Till) -> None:
    payment = till.captured(cost=1234)
    till.ask_refund(payment, 234)
    till.run_events()
    assert till.books() == {INCOME: 1000, CLEARING: -1000}


def test_parts_add_up_to_no_more_than_was_captured(till: Till) -> None:
    payment = till.captured(cost=1234)
    till.ask_refund(payment, 1000)
    with pytest.raises(DomainError, match=r"refund\.exceeds_captured"):
        till.ask_refund(payment, 235, "ref_2")
    till.ask_refund(payment, 234, "ref_2")
    till.run_events()
    with pytest.raises(DomainError, match=r"refund\.exceeds_captured"):
        till.ask_refund(payment, 1, "ref_3")
    refunds = service.list_refunds(till.world.ctx, payment.payment_id, limit=10).data
    assert [(refund.refund_id, refund.amount) for refund in refunds] == [("ref_2", euro(234)), ("ref_1", euro(1000))]
    assert till.books() == {}


def test_two_refunds_of_the_whole_at_once_one_wins(till: Till) -> None:
    payment = till.captured(cost=1234)
    units = [UnitOfWork(till.world.ctx), UnitOfWork(till.world.ctx)]
    for number, uow in enumerate(units):
        service.request_refund(
            uow,
            refund_id=f"ref_{number}",
            payment_id=payment.payment_id,
            amount=euro(1234),
            reason="Not delivered",
            from_account_id=INCOME,
            business_day="2026-03-02",
            requested_by="usr_1",
        )
    units[0].commit()
    with pytest.raises(StaleRead):  # at the very same moment: the clock stands still
        units[1].commit()
    with pytest.raises(DomainError, match=r"refund\.exceeds_captured"):
        till.ask_refund(payment, 1234, "ref_1")
    till.run_events()
    assert till.books() == {}


def test_the_same_refund_asked_again_is_the_same(till: Till) -> None:
    payment = till.topped_up(2000)
    till.ask_refund(payment, 500)
    assert till.ask_refund(payment, 500).requested_at == till.refund(payment).requested_at
    till.run_events()
    assert till.ask_refund(payment, 500).state == "succeeded"
    with pytest.raises(DomainError, match=r"refund\.conflict"):
        till.ask_refund(payment, 501)
    assert till.run_events() == []
    assert till.books() == {WALLET: 1500, CLEARING: -1500}


def test_a_wallet_gives_no_more_than_it_has(till: Till) -> None:
    payment = till.topped_up(2000)
    till.ask_refund(payment, 1500)
    till.credit(-400, "spent")
    with pytest.raises(DomainError, match=r"ledger\.insufficient_funds"):
        till.ask_refund(payment, 200, "ref_2")
    assert till.stored(payment).refunded == euro(1500)


@pytest.mark.parametrize(
    ("amount", "options", "code"),
    [
        (0, {}, "refund.amount_invalid"),
        (-5, {}, "refund.amount_invalid"),
        (5, {"reason": ""}, "refund.reason_missing"),
        (5, {"reason": "x" * 501}, "refund.reason_missing"),
        (5, {"from_account_id": "cash:org_1:EUR"}, "refund.account_invalid"),
        (5, {"from_account_id": INCOME}, "refund.day_missing"),
    ],
)
def test_what_is_no_refund(till: Till, amount: int, options: dict[str, Any], code: str) -> None:
    payment = till.topped_up()
    with pytest.raises(DomainError) as refusal:
        till.ask_refund(payment, amount, **options)
    assert refusal.value.code == code


def test_what_was_not_taken_is_not_paid_back(till: Till) -> None:
    with pytest.raises(DomainError, match=r"payment\.not_refundable"):
        till.ask_refund(till.authorized(), 1)


@pytest.mark.parametrize("trouble", ["before", "after"])
def test_a_silent_provider_is_asked_again_and_pays_once(till: Till, trouble: str) -> None:
    payment = till.topped_up(2000)
    till.ask_refund(payment, 2000)
    with till.silence(trouble):
        till.run_events()
    assert till.refund(payment).state == "requested"
    till.world.advance(599)
    assert till.reconcile() == {}
    till.world.advance(2)
    assert till.reconcile() == {"refund_succeeded": 1}
    till.run_events()
    assert till.books() == {}
    assert len(till.provider.refunds) == 1


def test_a_refund_on_its_way_is_ended_by_the_notification(till: Till) -> None:
    payment = till.topped_up(2000)
    till.provider.refund_state = RefundState.PENDING
    till.ask_refund(payment, 500)
    till.run_events()
    assert till.refund(payment).state == "pending"
    assert till.take(word(till, event_id="evt_1")) == "applied"  # says nothing new
    till.provider.settle_refund("re_ref_1", RefundState.SUCCEEDED)
    assert till.take(word(till, event_id="evt_1")) == "repeated"
    assert till.take(word(till, event_id="evt_2")) == "applied"
    assert till.take(word(till, event_id="evt_3")) == "applied"
    assert till.run_events() == ["payment.refunded"]
    assert till.books() == {WALLET: 1500, CLEARING: -1500}


def test_a_refund_on_its_way_of_which_nobody_tells_is_looked_up(till: Till) -> None:
    payment = till.topped_up(2000)
    till.provider.refund_state = RefundState.PENDING
    till.ask_refund(payment, 500)
    till.run_events()
    till.provider.settle_refund("re_ref_1", RefundState.SUCCEEDED)
    till.world.advance(601)
    assert till.reconcile() == {"refund_succeeded": 1}
    assert till.reconcile() == {}


def test_the_notification_may_overtake_the_answer(till: Till) -> None:
    payment = till.topped_up(2000)
    till.ask_refund(payment, 500)
    with till.silence("after"):
        till.run_events()
    assert till.take(word(till)) == "applied"
    assert till.refund(payment).state == "succeeded"
    till.run_events()
    assert till.books() == {WALLET: 1500, CLEARING: -1500}


def test_a_refund_of_a_wallet_that_is_refused_is_in_the_wallet_again(till: Till) -> None:
    payment = till.topped_up(2000)
    till.ask_refund(payment, 500)
    till.provider.refusal = "charge_disputed"
    assert till.run_events() == ["payment.refund_due", "payment.refund_failed"]
    assert (till.refund(payment).state, till.refund(payment).failure) == ("failed", "charge_disputed")
    assert till.books() == {WALLET: 2000, CLEARING: -2000}
    assert till.stored(payment).refundable == euro(2000)
    assert till.faults == []
    with pytest.raises(DomainError, match=r"refund\.returned"):
        till.world.commit(lambda uow: service.retry_refund(uow, payment.payment_id, "ref_1"))
    till.provider.refusal = None
    till.ask_refund(payment, 2000, "ref_2")
    till.run_events()
    assert till.books() == {}


def test_a_refund_that_the_payers_bank_sends_back(till: Till) -> None:
    payment = till.topped_up(2000)
    till.ask_refund(payment, 500)
    till.run_events()
    till.provider.settle_refund("re_ref_1", RefundState.FAILED, "lost_or_stolen_card")
    till.take(word(till))
    assert till.run_events() == ["payment.refund_failed"]
    assert till.books() == {WALLET: 2000, CLEARING: -2000}


def test_a_guests_refund_that_failed_is_still_owed_and_tried_again(till: Till) -> None:
    payment = till.captured(cost=1234)
    till.ask_refund(payment, 1234)
    till.provider.refund_state = RefundState.FAILED
    till.run_events()
    assert till.faults == ["payment_refund_failed"]
    assert till.books() == {REFUNDS: 1234, CLEARING: -1234}
    with pytest.raises(DomainError, match=r"refund\.exceeds_captured"):
        till.ask_refund(payment, 1, "ref_2")
    till.provider.refund_state = RefundState.SUCCEEDED
    till.world.commit(lambda uow: service.retry_refund(uow, payment.payment_id, "ref_1"))
    till.run_events()
    assert (till.refund(payment).state, till.refund(payment).attempt) == ("succeeded", 2)
    assert till.books() == {}
    assert till.take(word(till, event_id="evt_old")) == "ignored"  # of the attempt that failed
    assert till.refund(payment).state == "succeeded"


def test_a_retry_that_fails_too_can_be_tried_once_more(till: Till) -> None:
    payment = till.captured(cost=1234)
    till.ask_refund(payment, 1234)
    till.provider.refund_state = RefundState.FAILED
    till.run_events()
    till.world.commit(lambda uow: service.retry_refund(uow, payment.payment_id, "ref_1"))
    till.run_events()
    assert till.refund(payment).state == "failed"
    till.provider.refund_state = RefundState.PENDING
    till.world.commit(lambda uow: service.retry_refund(uow, payment.payment_id, "ref_1"))
    till.run_events()
    till.provider.settle_refund("re_ref_1/3", RefundState.SUCCEEDED)
    assert till.take(word(till, "ref_1/3")) == "applied"
    assert till.books() == {}


def test_each_attempt_is_a_refund_of_its_own_to_the_provider(till: Till) -> None:
    first = till.ask_refund(till.captured(), 100)
    assert model.refund_request(first, "pi_1") == model.refund_request(replace(first, state="pending"), "pi_1")
    for attempt, expected in ((1, "ref_1"), (2, "ref_1/2"), (11, "ref_1/11")):
        request = model.refund_request(replace(first, attempt=attempt), "pi_1")
        assert (request.refund_id, request.idempotency_key) == (expected, expected)
        assert model.refund_of_attempt(expected) == ("ref_1", attempt)
    assert model.refund_of_attempt("ref_1/x") == ("ref_1", 0)


def test_a_bonus_goes_back_with_its_top_up_and_comes_back_with_it(till: Till) -> None:
    payment = till.topped_up(2000)
    beside = [Posting(PROMOTION, 100)]
    till.ask_refund(payment, 1000, beside=beside, business_day="2026-03-02")
    assert till.books() == {WALLET: 900, REFUNDS: 1000, PROMOTION: 100, CLEARING: -2000}
    till.ask_refund(payment, 1000, beside=beside, business_day="2026-03-02")
    till.provider.refusal = "charge_disputed"
    till.run_events()
    assert till.books() == {WALLET: 2000, CLEARING: -2000}


def test_a_refund_by_hand_at_the_provider_wakes_somebody(till: Till) -> None:
    payment = till.topped_up(2000)
    assert till.take(word(till, refund_id="", refund_ref="re_by_hand")) == "applied"
    till.run_events()
    assert till.faults == ["payment_refunded_unasked"]
    assert till.stored(payment).refunded is None


def test_the_rest_of_a_capture_that_goes_back_wakes_nobody(till: Till) -> None:
    till.topped_up(2000)
    till.provider.refunds["re_rest"] = RefundOutcome(
        refund_ref="re_rest", state=RefundState.SUCCEEDED, failure=None, is_release=True
    )
    assert till.take(word(till, refund_id="", refund_ref="re_rest")) == "ignored"
    till.run_events()
    assert till.faults == []
