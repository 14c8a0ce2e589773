"""The payment provider port: money that is reserved first, then captured or released."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.errors import Kind
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    CheckoutState,
    ProviderEventKind,
    ProviderRefused,
    ProviderUnavailable,
)
from tests.contract.payments.rigs import Rig, checkout_request, events_of

HELD = Money(5000, "EUR")
USED = Money(1234, "EUR")
DAY_S = 24 * 3600


async def authorize(rig: Rig, payment_id: str = "pay_1") -> tuple[str, str]:
    """The references of the page and of the payment."""
    request = replace(checkout_request(payment_id, HELD.amount), capture="manual")
    checkout = await asyncio.to_thread(rig.provider.create_checkout, request)
    await rig.payer_succeeds(payment_id)
    outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
    assert outcome.payment_ref is not None
    return checkout.provider_ref, outcome.payment_ref


async def taken(rig: Rig) -> tuple[int, int]:
    """What the balance got of pay_1, and what the provider kept of that."""
    now = rig.clock.now()
    lines = await asyncio.to_thread(
        lambda: list(rig.provider.list_movements(now - timedelta(days=30), now + timedelta(days=1)))
    )
    of_payment = [line for line in lines if line.kind == "payment" and line.payment_id == "pay_1"]
    assert len(of_payment) == len(lines)
    return sum(line.amount.amount for line in lines), sum(line.fee.amount for line in lines if line.fee)


class TestAmounts:
    @pytest.mark.parametrize(
        "amount", [HELD, Money(12_345, "KWD"), Money(0, "EUR"), Money(7, "JPY"), Money(150, "MGA")]
    )
    async def test_what_is_expressible_is_the_amount_or_a_little_less(self, rig: Rig, amount: Money) -> None:
        expressed = rig.provider.expressible(amount)
        assert 0 <= amount.amount - expressed.amount < 100
        assert rig.provider.expressible(expressed) == expressed

    async def test_euros_are_expressible_to_the_cent(self, rig: Rig) -> None:
        assert rig.provider.expressible(USED) == USED
        assert rig.unreachable.expressible(USED) == USED


class TestAuthorization:
    async def test_reserves_and_takes_nothing(self, rig: Rig) -> None:
        page, _ = await authorize(rig)
        outcome = await asyncio.to_thread(rig.provider.find_checkout, page)
        assert (outcome.state, outcome.may_still_be_paid) == (CheckoutState.AUTHORIZED, False)
        assert (outcome.authorized, outcome.captured, outcome.fee) == (HELD, None, None)
        assert outcome.authorization_expires_at == rig.clock.now() + timedelta(days=7)
        assert (outcome.payer_email, outcome.country) == ("driver@example.com", "DE")
        assert outcome.method == rig.card_method
        assert await taken(rig) == (0, 0)
        [event] = await events_of(rig)
        assert event.kind is ProviderEventKind.CHECKOUT_AUTHORIZED
        assert (event.payment_id, event.provider_ref) == ("pay_1", page)

    async def test_a_refused_card_may_be_followed_by_a_good_one(self, rig: Rig) -> None:
        request = replace(checkout_request(), capture="manual")
        checkout = await asyncio.to_thread(rig.provider.create_checkout, request)
        await rig.payer_fails("pay_1")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert (outcome.state, outcome.may_still_be_paid) == (CheckoutState.FAILED, True)
        await rig.payer_succeeds("pay_1")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert outcome.state is CheckoutState.AUTHORIZED

    async def test_our_id_is_found_by_the_providers(self, rig: Rig) -> None:
        _, payment = await authorize(rig)
        assert await asyncio.to_thread(rig.provider.find_payment_id, payment) == "pay_1"

    async def test_closing_the_page_keeps_what_is_reserved(self, rig: Rig) -> None:
        page, _ = await authorize(rig)
        outcome = await asyncio.to_thread(rig.provider.expire_checkout, page)
        assert outcome.state is CheckoutState.AUTHORIZED

    async def test_runs_out_after_a_week(self, rig: Rig) -> None:
        page, payment = await authorize(rig)
        rig.clock.advance(7 * DAY_S - 1)
        assert (await asyncio.to_thread(rig.provider.find_checkout, page)).state is CheckoutState.AUTHORIZED
        rig.clock.advance(1)
        outcome = await asyncio.to_thread(rig.provider.find_checkout, page)
        assert (outcome.state, outcome.captured) == (CheckoutState.RELEASED, None)
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="k")
        assert refused.value.reason == "authorization_expired"
        await rig.deliver_due()
        event = (await events_of(rig))[-1]
        assert (event.kind, event.payment_id) == (ProviderEventKind.AUTHORIZATION_RELEASED, "pay_1")


class TestCapture:
    @pytest.mark.parametrize("amount", [USED, HELD, Money(1, "EUR")])
    async def test_takes_what_was_used(self, rig: Rig, amount: Money) -> None:
        page, payment = await authorize(rig)
        rig.clock.advance(7 * DAY_S - 1)
        taken_now = await asyncio.to_thread(rig.provider.capture, payment, amount, idempotency_key="pay_1/capture")
        assert taken_now.captured == amount
        outcome = await asyncio.to_thread(rig.provider.find_checkout, page)
        assert outcome.state is CheckoutState.PAID
        assert (outcome.authorized, outcome.captured, outcome.fee) == (HELD, amount, taken_now.fee)
        assert taken_now.fee is not None
        assert await taken(rig) == (amount.amount, taken_now.fee.amount)

    async def test_costs_what_the_captured_amount_costs(self, rig: Rig) -> None:
        _, payment = await authorize(rig)
        outcome = await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture")
        assert outcome.fee == Money(rig.expected_fee(USED.amount), "EUR")

    async def test_is_told(self, rig: Rig) -> None:
        _, payment = await authorize(rig)
        await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture")
        await rig.deliver_due()
        events = (await events_of(rig))[1:]
        paid = [event for event in events if event.kind is ProviderEventKind.CHECKOUT_PAID]
        assert [event.payment_id for event in paid] == ["pay_1"]
        # A provider may tell of the rest as of a refund: that one is recognised.
        for event in events:
            if event not in paid:
                assert (event.kind, event.refund_id) == (ProviderEventKind.REFUND_CHANGED, None)
                assert event.refund_ref is not None
                assert (await asyncio.to_thread(rig.provider.find_refund, event.refund_ref)).is_release

    @pytest.mark.parametrize("amount", [Money(5001, "EUR"), Money(0, "EUR"), Money(-1, "EUR"), Money(1234, "JPY")])
    async def test_more_than_reserved_or_something_else_is_refused(self, rig: Rig, amount: Money) -> None:
        page, payment = await authorize(rig)
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(rig.provider.capture, payment, amount, idempotency_key="pay_1/capture")
        assert refused.value.kind is Kind.UNPROCESSABLE
        assert (await asyncio.to_thread(rig.provider.find_checkout, page)).state is CheckoutState.AUTHORIZED
        outcome = await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture-2")
        assert outcome.captured == USED

    async def test_a_repeat_takes_nothing_more(self, rig: Rig) -> None:
        _, payment = await authorize(rig)
        first = await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture")
        assert await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture") == first
        rig.clock.advance(3 * DAY_S)  # the key may be forgotten by now
        assert await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture") == first
        assert await asyncio.to_thread(rig.provider.capture, payment, HELD, idempotency_key="other") == first
        assert await taken(rig) == (USED.amount, rig.expected_fee(USED.amount))

    @pytest.mark.parametrize("dropped", [True, False])
    async def test_a_lost_answer_is_found_again(self, rig: Rig, *, dropped: bool) -> None:
        _, payment = await authorize(rig)
        rig.break_next(work_done=True, dropped=dropped)
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture")
        outcome = await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture")
        assert outcome.captured == USED
        assert await taken(rig) == (USED.amount, rig.expected_fee(USED.amount))

    async def test_two_at_once_take_once(self, rig: Rig) -> None:
        _, payment = await authorize(rig)
        asked = (asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key=key) for key in ("a", "b"))
        assert {outcome.captured for outcome in await asyncio.gather(*asked)} == {USED}
        assert await taken(rig) == (USED.amount, rig.expected_fee(USED.amount))

    async def test_nobody_there(self, rig: Rig) -> None:
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.capture, "pi_1", USED, idempotency_key="k")
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.release, "pi_1", idempotency_key="k")
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.find_payment_id, "pi_1")


class TestRelease:
    async def test_gives_all_of_it_back(self, rig: Rig) -> None:
        page, payment = await authorize(rig)
        await asyncio.to_thread(rig.provider.release, payment, idempotency_key="pay_1/release")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, page)
        assert (outcome.state, outcome.captured) == (CheckoutState.RELEASED, None)
        await rig.deliver_due()
        event = (await events_of(rig))[-1]
        assert (event.kind, event.payment_id) == (ProviderEventKind.AUTHORIZATION_RELEASED, "pay_1")
        assert await taken(rig) == (0, 0)

    async def test_released_already_is_fine(self, rig: Rig) -> None:
        _, payment = await authorize(rig)
        for key in ("pay_1/release", "pay_1/release", "pay_1/release-again"):
            await asyncio.to_thread(rig.provider.release, payment, idempotency_key=key)
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="k")
        assert refused.value.reason == "authorization_released"

    async def test_captured_is_too_late(self, rig: Rig) -> None:
        _, payment = await authorize(rig)
        await asyncio.to_thread(rig.provider.capture, payment, USED, idempotency_key="pay_1/capture")
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(rig.provider.release, payment, idempotency_key="pay_1/release")
        assert refused.value.reason == "already_captured"
        assert await taken(rig) == (USED.amount, rig.expected_fee(USED.amount))
