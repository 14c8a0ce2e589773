"""Opening pages, taking notifications, reconciling: with a provider in memory, whose lines may break."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import service
from chalicelib.payments.jobs import reconcile
from chalicelib.payments.model import Payment
from chalicelib.payments.providers.port import CheckoutState, ProviderUnavailable
from chalicelib.payments.store import PAYMENTS, UNRESOLVED, PaymentRow
from tests.integration.money.memory_provider import MemoryProvider
from tests.world import World


@pytest.fixture
def provider(world: World) -> MemoryProvider:
    return MemoryProvider(world.ctx.now)


def create(world: World, payment_id: str = "") -> Payment:
    payment: Payment = world.commit(
        lambda uow: service.create_payment(
            uow,
            payment_id=payment_id or world.ctx.new_id("pay"),
            purpose="topup",
            purpose_id="top_1",
            payer_id="drv_1",
            amount=Money(2000, "EUR"),
            description="Wallet top-up",
        )
    )
    return payment


def opened(world: World, provider: MemoryProvider) -> Payment:
    payment = create(world)
    result: Payment = world.commit(lambda uow: service.open_checkout(uow, provider, payment))
    return result


def stored(world: World, payment: Payment) -> Payment:
    return service.require_payment(world.ctx, payment.payment_id)


def notify(world: World, provider: MemoryProvider, payment: Payment, event_id: str = "evt_1") -> str:
    event = provider.event(f"page_{payment.payment_id}", event_id)
    result: str = world.commit(lambda uow: service.take_event(uow, provider, event))
    return result


def event_types(world: World) -> list[str]:
    return [event.type for event in world.pending_events()]


def run_reconciliation(world: World, provider: MemoryProvider) -> dict[str, int]:
    return reconcile(world.ctx, lambda _name: provider)


def test_opening_gives_the_page(world: World, provider: MemoryProvider) -> None:
    payment = opened(world, provider)
    assert (payment.state, payment.provider_ref) == ("pending", f"page_{payment.payment_id}")
    assert stored(world, payment) == payment
    assert event_types(world) == []


@pytest.mark.parametrize("trouble", ["before", "after"])
def test_an_answer_that_never_came_is_unknown_and_asking_again_gives_the_one_page(
    world: World, provider: MemoryProvider, trouble: str
) -> None:
    provider.breaks.append(trouble)
    payment = opened(world, provider)
    assert stored(world, payment).state == "unknown"
    again: Payment = world.commit(lambda uow: service.open_checkout(uow, provider, stored(world, payment)))
    assert again.state == "pending"
    assert len(provider.outcomes) == 1


def test_a_refused_page_fails_the_payment_and_tells(world: World, provider: MemoryProvider) -> None:
    provider.refusal = "amount_too_small"
    payment = opened(world, provider)
    assert (payment.state, payment.failure) == ("failed", "amount_too_small")
    assert event_types(world) == ["payment.failed"]


def test_a_page_that_is_open_is_not_opened_twice(world: World, provider: MemoryProvider) -> None:
    payment = opened(world, provider)
    calls = provider.calls
    assert world.commit(lambda uow: service.open_checkout(uow, provider, payment)) is payment
    assert provider.calls == calls


def test_a_paid_page_succeeds_and_tells_once(world: World, provider: MemoryProvider) -> None:
    payment = opened(world, provider)
    provider.pay(f"page_{payment.payment_id}")
    assert notify(world, provider, payment) == "applied"
    assert notify(world, provider, payment) == "repeated"
    assert notify(world, provider, payment, "evt_2") == "applied"
    assert stored(world, payment).state == "succeeded"
    assert event_types(world) == ["payment.succeeded"]


def test_what_a_notification_claims_does_not_count(world: World, provider: MemoryProvider) -> None:
    payment = opened(world, provider)
    assert notify(world, provider, payment) == "applied"  # says "paid"; the provider says open
    assert stored(world, payment).state == "pending"


def test_a_notification_that_overtakes_the_answer_is_taken(world: World, provider: MemoryProvider) -> None:
    provider.breaks.append("after")
    payment = opened(world, provider)
    provider.pay(f"page_{payment.payment_id}")
    notify(world, provider, payment)
    assert stored(world, payment).state == "succeeded"


def test_the_answer_that_comes_after_the_notification_does_not_undo_it(world: World, provider: MemoryProvider) -> None:
    payment = create(world)
    uow = UnitOfWork(world.ctx)
    service.open_checkout(uow, provider, payment)
    provider.pay(f"page_{payment.payment_id}")
    notify(world, provider, payment)
    with pytest.raises(StaleRead):
        uow.commit()
    assert stored(world, payment).state == "succeeded"


def test_a_notification_is_not_taken_while_the_provider_is_silent(world: World, provider: MemoryProvider) -> None:
    payment = opened(world, provider)
    provider.pay(f"page_{payment.payment_id}")
    provider.breaks.append("before")
    with pytest.raises(ProviderUnavailable):
        notify(world, provider, payment)
    assert notify(world, provider, payment) == "applied"


def test_notifications_about_strangers_are_acknowledged(world: World, provider: MemoryProvider) -> None:
    mine = opened(world, provider)
    stranger = MemoryProvider(world.ctx.now, name="other", requests=provider.requests, outcomes=provider.outcomes)
    assert notify(world, stranger, mine) == "ignored"
    provider.outcomes["page_x"] = provider.outcomes[f"page_{mine.payment_id}"]
    event = provider.event("page_x")  # our payment, another page
    assert world.commit(lambda uow: service.take_event(uow, provider, event)) == "ignored"
    assert stored(world, mine).state == "pending"


def test_another_amount_is_a_mismatch_that_credits_nothing(
    world: World, provider: MemoryProvider, caplog: pytest.LogCaptureFixture
) -> None:
    payment = opened(world, provider)
    provider.pay(f"page_{payment.payment_id}", Money(1, "EUR"))
    with caplog.at_level(logging.ERROR, "wattfare"):
        notify(world, provider, payment)
    assert stored(world, payment).state == "mismatch"
    assert event_types(world) == ["payment.fault_found"]
    world.run_events()
    assert "ledger fault" in caplog.text


@pytest.mark.parametrize("end", ["failed", "expired"])
def test_money_that_comes_late_still_counts(world: World, provider: MemoryProvider, end: str) -> None:
    payment = opened(world, provider)
    ref = f"page_{payment.payment_id}"
    provider.close(ref, CheckoutState(end))
    notify(world, provider, payment)
    assert stored(world, payment).state == end
    provider.pay(ref)
    notify(world, provider, payment, "evt_2")
    assert stored(world, payment).state == "succeeded"
    assert event_types(world) == ["payment.failed", "payment.succeeded"]


def test_the_reconciliation_leaves_young_payments_alone(world: World, provider: MemoryProvider) -> None:
    payment = opened(world, provider)
    provider.pay(f"page_{payment.payment_id}")
    world.advance(599)
    assert run_reconciliation(world, provider) == {}
    world.advance(2)
    assert run_reconciliation(world, provider) == {"succeeded": 1}
    assert run_reconciliation(world, provider) == {}
    assert event_types(world) == ["payment.succeeded"]


def test_a_decided_payment_leaves_the_work_list(world: World, provider: MemoryProvider) -> None:
    payment = opened(world, provider)
    assert work_list(world) == [payment.payment_id]
    provider.pay(f"page_{payment.payment_id}")
    notify(world, provider, payment)
    assert work_list(world) == []


def work_list(world: World) -> list[str]:
    return [
        payment.payment_id for payment, _ in PAYMENTS.walk(world.ctx, UNRESOLVED, index=PaymentRow.unresolved_payments)
    ]


def test_the_reconciliation_opens_what_was_never_answered_and_reads_what_was_paid(
    world: World, provider: MemoryProvider
) -> None:
    crashed = create(world)  # the process ended before the provider was asked
    provider.breaks.append("after")
    lost = opened(world, provider)
    provider.pay(f"page_{lost.payment_id}")
    world.advance(601)
    assert run_reconciliation(world, provider) == {"pending": 1, "succeeded": 1}
    assert stored(world, crashed).redirect_url is not None


def test_one_payments_trouble_does_not_hold_up_the_others(world: World, provider: MemoryProvider) -> None:
    payments = [opened(world, provider) for _ in range(3)]
    for payment in payments:
        provider.pay(f"page_{payment.payment_id}")
    world.advance(601)
    provider.breaks.extend(["before", "ok", "ok"])
    assert run_reconciliation(world, provider) == {"unanswered": 1, "succeeded": 2}
    assert run_reconciliation(world, provider) == {"succeeded": 1}


def test_a_page_that_the_provider_refuses_to_open_late_fails(world: World, provider: MemoryProvider) -> None:
    payment = create(world)
    world.advance(601)
    provider.refusal = "expires_at_too_soon"
    assert run_reconciliation(world, provider) == {"failed": 1}
    assert stored(world, payment).failure == "expires_at_too_soon"


def test_payments_are_listed_by_payer_and_by_day(world: World) -> None:
    first = create(world)
    world.advance(24 * 3600)
    second = create(world)
    day = (world.ctx.now() - timedelta(days=1)).date().isoformat()
    assert service.list_of_payer(world.ctx, "drv_1", limit=10, cursor=None).data == [second, first]
    assert service.list_of_day(world.ctx, day, limit=10, cursor=None).data == [first]


def test_an_unknown_payment_is_not_found(world: World) -> None:
    with pytest.raises(DomainError, match=r"payment\.not_found"):
        service.require_payment(world.ctx, "pay_x")
