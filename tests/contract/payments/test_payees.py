"""The payment provider port: who is paid by us, and money out to their banks."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    Movement,
    PayeeRequest,
    PaymentProvider,
    PayoutRequest,
    PayoutState,
    ProviderEventKind,
    ProviderRefused,
    ProviderUnavailable,
)
from tests.contract.payments.rigs import Rig, checkout_request, events_of

RETURN_URL = "https://app.wattfare.example/payees/done"
REFRESH_URL = "https://app.wattfare.example/payees/again"


def payee_request(key: str = "org_1") -> PayeeRequest:
    return PayeeRequest(
        organization_id="org_1",
        email="owner@example.com",
        country="DE",
        name="Stadtwerke <Nord>",
        idempotency_key=f"{key}/payee",
    )


async def ready_payee(rig: Rig, earned: int = 5000) -> str:
    """A payee who told the provider everything, and money of ours to pay out."""
    payee = await asyncio.to_thread(rig.provider.create_payee, payee_request())
    link = await asyncio.to_thread(rig.provider.payee_link, payee.payee_ref, RETURN_URL, REFRESH_URL)
    await rig.payee_finishes(payee.payee_ref, link)
    await asyncio.to_thread(rig.provider.create_checkout, checkout_request(amount=earned))
    await rig.payer_succeeds("pay_1")
    rig.inbox.received.clear()
    return payee.payee_ref


def payout_to(payee_ref: str, amount: int = 3000, payout_id: str = "wdr_1") -> PayoutRequest:
    return PayoutRequest(
        payout_id=payout_id,
        payee_ref=payee_ref,
        amount=Money(amount, "EUR"),
        description="Your income of February",
        idempotency_key=payout_id,
    )


async def gone_with(rig: Rig, payout_id: str = "wdr_1") -> list[Movement]:
    now = rig.clock.now()
    lines = await asyncio.to_thread(
        lambda: list(rig.provider.list_movements(now - timedelta(days=30), now + timedelta(days=1)))
    )
    return [line for line in lines if line.payout_id == payout_id]


class TestPayee:
    async def test_a_new_one_cannot_be_paid(self, provider: tuple[PaymentProvider, datetime]) -> None:
        port, now = provider
        request = payee_request(f"org_{now.timestamp():.0f}")
        payee = await asyncio.to_thread(port.create_payee, request)
        assert not payee.payouts_enabled
        assert await asyncio.to_thread(port.create_payee, request) == payee
        assert await asyncio.to_thread(port.find_payee, payee.payee_ref) == payee
        link = await asyncio.to_thread(port.payee_link, payee.payee_ref, RETURN_URL, REFRESH_URL)
        assert link.startswith("http")
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(port.pay_out, payout_to(payee.payee_ref, payout_id=f"wdr_{now.timestamp():.0f}"))

    async def test_an_unknown_one_is_refused(self, provider: tuple[PaymentProvider, datetime]) -> None:
        port, _ = provider
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(port.find_payee, "acct_unknown")
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(port.payee_link, "acct_unknown", RETURN_URL, REFRESH_URL)
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(port.pay_out, payout_to("acct_unknown"))
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(port.find_payout, "acct_unknown/po_unknown")

    async def test_who_told_everything_can_be_paid(self, rig: Rig) -> None:
        payee = await asyncio.to_thread(rig.provider.create_payee, payee_request())
        link = await asyncio.to_thread(rig.provider.payee_link, payee.payee_ref, RETURN_URL, REFRESH_URL)
        await rig.payee_finishes(payee.payee_ref, link)
        assert (await asyncio.to_thread(rig.provider.find_payee, payee.payee_ref)).payouts_enabled
        event = (await events_of(rig))[-1]
        assert (event.kind, event.payee_ref) == (ProviderEventKind.PAYEE_CHANGED, payee.payee_ref)

    async def test_why_a_new_one_is_refused(self, rig: Rig) -> None:
        await ready_payee(rig)
        other = await asyncio.to_thread(rig.provider.create_payee, payee_request("org_2"))
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(rig.provider.pay_out, payout_to(other.payee_ref))
        assert refused.value.reason == "payouts_disabled"
        assert await gone_with(rig) == []


class TestPayout:
    async def test_arrives_after_days(self, rig: Rig) -> None:
        payee = await ready_payee(rig)
        made = await asyncio.to_thread(rig.provider.pay_out, payout_to(payee))
        assert (made.state, made.failure) == (PayoutState.PENDING, None)
        assert made.arrives_at is not None
        assert made.arrives_at > rig.clock.now()
        rig.clock.advance((made.arrives_at - rig.clock.now()).total_seconds())
        await rig.deliver_due()
        done = await asyncio.to_thread(rig.provider.find_payout, made.payout_ref)
        assert done.state is PayoutState.PAID
        event = (await events_of(rig))[-1]
        assert event.kind is ProviderEventKind.PAYOUT_CHANGED
        assert (event.payout_id, event.payout_ref) == ("wdr_1", made.payout_ref)
        assert [line.amount for line in await gone_with(rig)] == [Money(-3000, "EUR")]

    async def test_a_repeat_is_the_same_payout(self, rig: Rig) -> None:
        payee = await ready_payee(rig)
        first = await asyncio.to_thread(rig.provider.pay_out, payout_to(payee))
        assert await asyncio.to_thread(rig.provider.pay_out, payout_to(payee)) == first
        rig.clock.advance(3 * 24 * 3600)  # the keys may be forgotten by now
        again = await asyncio.to_thread(rig.provider.pay_out, payout_to(payee))
        assert again.payout_ref == first.payout_ref
        assert len(await gone_with(rig)) == 1

    @pytest.mark.parametrize("amount", [5000, 0, -1])
    async def test_more_than_is_there_or_nothing_is_refused(self, rig: Rig, amount: int) -> None:
        payee = await ready_payee(rig)  # 50.00 less the fee
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(rig.provider.pay_out, payout_to(payee, amount))
        assert await gone_with(rig) == []

    async def test_two_of_the_whole_at_once(self, rig: Rig) -> None:
        payee = await ready_payee(rig)
        asked = [asyncio.to_thread(rig.provider.pay_out, payout_to(payee, 4000, f"wdr_{n}")) for n in range(2)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["PayoutOutcome", "ProviderRefused"]

    @pytest.mark.parametrize("dropped", [True, False])
    async def test_a_lost_answer_is_found_again(self, rig: Rig, *, dropped: bool) -> None:
        payee = await ready_payee(rig)
        rig.break_next(work_done=True, dropped=dropped)
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.provider.pay_out, payout_to(payee))
        made = await asyncio.to_thread(rig.provider.pay_out, payout_to(payee))
        assert made.state is PayoutState.PENDING
        assert len(await gone_with(rig)) == 1

    @pytest.mark.parametrize("paid_first", [False, True])
    async def test_that_the_bank_sends_back_is_ours_again(self, rig: Rig, *, paid_first: bool) -> None:
        payee = await ready_payee(rig)
        made = await asyncio.to_thread(rig.provider.pay_out, payout_to(payee))
        if paid_first:
            await rig.payout_settles("wdr_1", succeeds=True)
        await rig.payout_settles("wdr_1", succeeds=False)
        for _ in range(2):
            failed = await asyncio.to_thread(rig.provider.find_payout, made.payout_ref)
            assert failed.state is PayoutState.FAILED
            assert failed.failure
        assert sum(line.amount.amount for line in await gone_with(rig)) == 0
        assert (await events_of(rig))[-1].payout_id == "wdr_1"
        # The same request stays failed; another one has its own id, and the money is there for it.
        again = await asyncio.to_thread(rig.provider.pay_out, payout_to(payee))
        assert (again.payout_ref, again.state) == (made.payout_ref, PayoutState.FAILED)
        anew = await asyncio.to_thread(rig.provider.pay_out, payout_to(payee, payout_id="wdr_2"))
        assert anew.state is PayoutState.PENDING

    async def test_nobody_there(self, rig: Rig) -> None:
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.create_payee, payee_request())
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.find_payee, "acct_1")
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.pay_out, payout_to("acct_1"))
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.find_payout, "acct_1/po_1")


class TestMovements:
    async def test_tell_whose_they_are(self, rig: Rig) -> None:
        payee = await ready_payee(rig)
        rig.clock.advance(3600)
        await asyncio.to_thread(rig.provider.pay_out, payout_to(payee))
        [gone] = await gone_with(rig)
        assert gone.kind in ("payout", "transfer")
        now = rig.clock.now()
        lines = await asyncio.to_thread(lambda: list(rig.provider.list_movements(now - timedelta(hours=1), now)))
        # The start is included, the end is not.
        assert [(line.kind, line.payment_id) for line in lines] == [("payment", "pay_1")]
        [paid] = lines
        assert paid.amount == Money(5000, "EUR")
        assert paid.fee
        assert paid.created_at == now - timedelta(hours=1)
        assert paid.source_ref

    async def test_come_page_by_page(self, rig: Rig) -> None:
        for number in range(101):
            request = replace(checkout_request(f"pay_{number}"), payer_email=None)
            await asyncio.to_thread(rig.provider.create_checkout, request)
            await rig.payer_succeeds(f"pay_{number}")
        now = rig.clock.now()
        lines = await asyncio.to_thread(lambda: list(rig.provider.list_movements(now, now + timedelta(days=1))))
        assert [line.payment_id for line in lines] == [f"pay_{number}" for number in reversed(range(101))]

    async def test_of_a_time_without_any(self, provider: tuple[PaymentProvider, datetime]) -> None:
        port, _ = provider
        long_ago = datetime.fromisoformat("2011-01-01T00:00:00+00:00")
        lines = await asyncio.to_thread(lambda: list(port.list_movements(long_ago, long_ago + timedelta(days=1))))
        assert lines == []

    async def test_nobody_there(self, rig: Rig) -> None:
        now = rig.clock.now()
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(lambda: list(rig.unreachable.list_movements(now, now)))
