"""The payment provider port: money back to the payer, and what the payer's bank takes back by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    CheckoutState,
    Movement,
    ProviderEventKind,
    ProviderRefused,
    ProviderUnavailable,
    RefundRequest,
    RefundState,
)
from tests.contract.payments.rigs import Rig, checkout_request, events_of

PAID = Money(2000, "EUR")


async def pay(rig: Rig, *, debit: bool = False, manual: bool = False) -> str:
    """The provider's reference of a payment of 20.00."""
    request = replace(checkout_request(), capture="manual" if manual else "automatic")
    checkout = await asyncio.to_thread(rig.provider.create_checkout, request)
    if debit:
        await rig.payer_debits("pay_1", checkout.provider_ref)
    await rig.payer_succeeds("pay_1")
    outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
    assert outcome.payment_ref is not None
    return outcome.payment_ref


def refund_of(payment_ref: str, amount: int, refund_id: str = "ref_1", currency: str = "EUR") -> RefundRequest:
    return RefundRequest(
        payment_ref=payment_ref,
        refund_id=refund_id,
        amount=Money(amount, currency),
        reason="The charger did not work",
        idempotency_key=refund_id,
    )


async def refunds_made(rig: Rig) -> list[Movement]:
    now = rig.clock.now()
    lines = await asyncio.to_thread(
        lambda: list(rig.provider.list_movements(now - timedelta(days=30), now + timedelta(days=1)))
    )
    return [line for line in lines if line.kind == "refund"]


class TestRefund:
    async def test_goes_back_in_parts_up_to_what_was_paid(self, rig: Rig) -> None:
        payment = await pay(rig)
        for refund_id, amount in (("ref_1", 500), ("ref_2", 1500)):
            made = await asyncio.to_thread(rig.provider.refund, refund_of(payment, amount, refund_id))
            assert (made.state, made.failure, made.is_release) == (RefundState.SUCCEEDED, None, False)
            assert await asyncio.to_thread(rig.provider.find_refund, made.refund_ref) == made
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(rig.provider.refund, refund_of(payment, 1, "ref_3"))
        lines = await refunds_made(rig)
        assert [(line.refund_id, line.payment_id, line.amount.amount) for line in lines] == [
            ("ref_2", "pay_1", -1500),
            ("ref_1", "pay_1", -500),
        ]

    async def test_is_told(self, rig: Rig) -> None:
        payment = await pay(rig)
        made = await asyncio.to_thread(rig.provider.refund, refund_of(payment, 500))
        await rig.deliver_due()
        event = (await events_of(rig))[-1]
        assert event.kind is ProviderEventKind.REFUND_CHANGED
        assert (event.refund_ref, event.refund_id) == (made.refund_ref, "ref_1")

    async def test_leaves_the_payment_paid(self, rig: Rig) -> None:
        checkout = await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        payment = await pay(rig)
        await asyncio.to_thread(rig.provider.refund, refund_of(payment, 2000))
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert (outcome.state, outcome.captured) == (CheckoutState.PAID, PAID)

    @pytest.mark.parametrize(("amount", "currency"), [(2001, "EUR"), (0, "EUR"), (-1, "EUR"), (500, "JPY")])
    async def test_more_than_paid_or_something_else_is_refused(self, rig: Rig, amount: int, currency: str) -> None:
        payment = await pay(rig)
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(rig.provider.refund, refund_of(payment, amount, currency=currency))
        assert await refunds_made(rig) == []

    async def test_nothing_to_give_back_before_it_is_captured(self, rig: Rig) -> None:
        payment = await pay(rig, manual=True)
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(rig.provider.refund, refund_of(payment, 500))
        await asyncio.to_thread(rig.provider.capture, payment, Money(700, "EUR"), idempotency_key="k")
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(rig.provider.refund, refund_of(payment, 701, "ref_2"))
        made = await asyncio.to_thread(rig.provider.refund, refund_of(payment, 700, "ref_3"))
        assert made.state is RefundState.SUCCEEDED

    async def test_a_repeat_is_the_same_refund(self, rig: Rig) -> None:
        payment = await pay(rig)
        first = await asyncio.to_thread(rig.provider.refund, refund_of(payment, 500))
        assert await asyncio.to_thread(rig.provider.refund, refund_of(payment, 500)) == first
        rig.clock.advance(3 * 24 * 3600)  # the key may be forgotten by now
        assert await asyncio.to_thread(rig.provider.refund, refund_of(payment, 500)) == first
        assert len(await refunds_made(rig)) == 1

    @pytest.mark.parametrize("dropped", [True, False])
    async def test_a_lost_answer_is_found_again(self, rig: Rig, *, dropped: bool) -> None:
        payment = await pay(rig)
        rig.break_next(work_done=True, dropped=dropped)
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.provider.refund, refund_of(payment, 500))
        made = await asyncio.to_thread(rig.provider.refund, refund_of(payment, 500))
        assert made.state is RefundState.SUCCEEDED
        assert len(await refunds_made(rig)) == 1

    async def test_two_of_the_whole_at_once(self, rig: Rig) -> None:
        payment = await pay(rig)
        asked = [asyncio.to_thread(rig.provider.refund, refund_of(payment, 2000, f"ref_{n}")) for n in range(2)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ProviderRefused", "RefundOutcome"]
        assert len(await refunds_made(rig)) == 1

    async def test_of_a_bank_debit_takes_days(self, rig: Rig) -> None:
        payment = await pay(rig, debit=True)
        made = await asyncio.to_thread(rig.provider.refund, refund_of(payment, 500))
        assert made.state is RefundState.PENDING
        rig.clock.advance(10 * 24 * 3600)
        await rig.deliver_due()
        done = await asyncio.to_thread(rig.provider.find_refund, made.refund_ref)
        assert done.state is RefundState.SUCCEEDED
        assert [event.kind for event in (await events_of(rig))[-2:]] == [ProviderEventKind.REFUND_CHANGED] * 2

    async def test_that_the_bank_sends_back_can_be_made_anew(self, rig: Rig) -> None:
        payment = await pay(rig)
        made = await asyncio.to_thread(rig.provider.refund, refund_of(payment, 2000))
        await rig.refund_settles("ref_1", succeeds=False)
        failed = await asyncio.to_thread(rig.provider.find_refund, made.refund_ref)
        assert failed.state is RefundState.FAILED
        assert failed.failure
        event = (await events_of(rig))[-1]
        assert (event.kind, event.refund_id) == (ProviderEventKind.REFUND_CHANGED, "ref_1")
        assert sum(line.amount.amount for line in await refunds_made(rig)) == 0
        # The same request stays failed; another one has its own id.
        assert await asyncio.to_thread(rig.provider.refund, refund_of(payment, 2000)) == failed
        again = await asyncio.to_thread(rig.provider.refund, refund_of(payment, 2000, "ref_2"))
        assert again.state is RefundState.SUCCEEDED

    async def test_nobody_there(self, rig: Rig) -> None:
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.refund, refund_of("pi_1", 500))
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.find_refund, "re_1")
