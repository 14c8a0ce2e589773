"""The payment provider port: the same cases for every provider, through its official client."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime

import pytest

from chalicelib.kernel.errors import Kind
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    CheckoutState,
    PaymentProvider,
    ProviderEvent,
    ProviderEventKind,
    ProviderEventRejected,
    ProviderRefused,
    ProviderUnavailable,
)
from tests.contract.payments.rigs import Rig, checkout_request, expiring


async def event_at(rig: Rig, position: int) -> ProviderEvent:
    body, headers = rig.inbox.received[position]
    return await asyncio.to_thread(rig.provider.parse_event, body, headers)


class TestCheckout:
    async def test_a_new_checkout_is_open_and_has_a_page(self, provider: tuple[PaymentProvider, datetime]) -> None:
        port, now = provider
        request = expiring(checkout_request(f"pay_{now.timestamp():.0f}"), now, minutes=45)
        checkout = await asyncio.to_thread(port.create_checkout, request)
        assert checkout.redirect_url.startswith("http")
        assert abs((checkout.expires_at - now).total_seconds() - 45 * 60) < 2
        outcome = await asyncio.to_thread(port.find_checkout, checkout.provider_ref)
        assert outcome.provider_ref == checkout.provider_ref
        assert outcome.payment_id == request.payment_id
        assert outcome.state is CheckoutState.OPEN
        assert outcome.may_still_be_paid
        assert outcome.captured is None
        assert outcome.fee is None

    async def test_a_closed_page_cannot_be_paid(self, provider: tuple[PaymentProvider, datetime]) -> None:
        port, now = provider
        checkout = await asyncio.to_thread(port.create_checkout, checkout_request(f"pay_x{now.timestamp():.0f}"))
        for _ in range(2):  # the second click
            outcome = await asyncio.to_thread(port.expire_checkout, checkout.provider_ref)
            assert outcome.state is CheckoutState.EXPIRED
            assert not outcome.may_still_be_paid

    async def test_a_repeat_with_the_same_key_is_the_same_checkout(
        self, provider: tuple[PaymentProvider, datetime]
    ) -> None:
        port, now = provider
        request = checkout_request(f"pay_r{now.timestamp():.0f}")
        first = await asyncio.to_thread(port.create_checkout, request)
        assert await asyncio.to_thread(port.create_checkout, request) == first

    async def test_the_same_key_for_another_amount_is_refused(self, provider: tuple[PaymentProvider, datetime]) -> None:
        port, now = provider
        request = checkout_request(f"pay_k{now.timestamp():.0f}")
        await asyncio.to_thread(port.create_checkout, request)
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(port.create_checkout, replace(request, amount=Money(9900, "EUR")))
        assert refused.value.kind is Kind.INTERNAL

    async def test_an_unknown_checkout_is_refused(self, provider: tuple[PaymentProvider, datetime]) -> None:
        port, _ = provider
        with pytest.raises(ProviderRefused):
            await asyncio.to_thread(port.find_checkout, "cs_test_unknown")

    @pytest.mark.parametrize("money", [Money(1, "EUR"), Money(500, "XXX"), Money(0, "EUR"), Money(-500, "EUR")])
    async def test_an_amount_that_cannot_be_paid_is_refused(
        self, provider: tuple[PaymentProvider, datetime], money: Money
    ) -> None:
        port, now = provider
        request = replace(checkout_request(f"pay_a{now.timestamp():.0f}"), amount=money)
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(port.create_checkout, request)
        assert refused.value.kind is Kind.UNPROCESSABLE


class TestPayment:
    async def test_paid_with_what_it_brought_and_cost(self, rig: Rig) -> None:
        checkout = await asyncio.to_thread(rig.provider.create_checkout, checkout_request(amount=2050))
        await rig.payer_succeeds("pay_1")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert outcome.state is CheckoutState.PAID
        assert not outcome.may_still_be_paid
        assert outcome.captured == Money(2050, "EUR")
        assert outcome.fee == Money(rig.expected_fee(2050), "EUR")
        assert outcome.payment_ref
        assert outcome.method == rig.card_method
        event = await event_at(rig, 0)
        assert event.kind is ProviderEventKind.CHECKOUT_PAID
        assert event.provider_ref == checkout.provider_ref
        assert event.payment_id == "pay_1"
        assert event.occurred_at == rig.clock.now()
        assert len(rig.inbox.received) == 1

    async def test_a_refused_card_may_be_followed_by_a_good_one(self, rig: Rig) -> None:
        checkout = await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await rig.payer_fails("pay_1")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert outcome.state is CheckoutState.FAILED
        assert outcome.may_still_be_paid
        assert outcome.failure
        assert outcome.captured is None
        failed = await event_at(rig, 0)
        assert failed.kind is ProviderEventKind.ATTEMPT_FAILED
        assert failed.payment_id == "pay_1"
        await rig.payer_succeeds("pay_1")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert outcome.state is CheckoutState.PAID
        assert outcome.failure is None
        assert (await event_at(rig, 1)).kind is ProviderEventKind.CHECKOUT_PAID

    async def test_a_bank_debit_is_decided_later(self, rig: Rig) -> None:
        checkout = await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await rig.payer_debits("pay_1", checkout.provider_ref)
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert (outcome.state, outcome.may_still_be_paid, outcome.captured) == (CheckoutState.OPEN, True, None)
        assert (await event_at(rig, 0)).kind is ProviderEventKind.CHECKOUT_PENDING
        rig.clock.advance(3 * 24 * 3600)
        await rig.payer_succeeds("pay_1")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert (outcome.state, outcome.captured) == (CheckoutState.PAID, Money(2000, "EUR"))
        assert outcome.method == rig.debit_method
        assert (await event_at(rig, 1)).kind is ProviderEventKind.CHECKOUT_PAID

    async def test_a_refused_bank_debit_is_final(self, rig: Rig) -> None:
        checkout = await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await rig.payer_debits("pay_1", checkout.provider_ref)
        await rig.payer_fails("pay_1")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert (outcome.state, outcome.may_still_be_paid) == (CheckoutState.FAILED, False)
        assert outcome.failure
        kinds = [(await event_at(rig, position)).kind for position in range(len(rig.inbox.received))]
        assert ProviderEventKind.CHECKOUT_FAILED in kinds
        assert ProviderEventKind.CHECKOUT_PAID not in kinds

    async def test_a_page_expires_by_itself(self, rig: Rig) -> None:
        request = expiring(checkout_request(), rig.clock.now(), minutes=30)
        checkout = await asyncio.to_thread(rig.provider.create_checkout, request)
        rig.clock.advance(30 * 60 - 1)
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert outcome.state is CheckoutState.OPEN
        rig.clock.advance(1)
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert outcome.state is CheckoutState.EXPIRED
        assert not outcome.may_still_be_paid
        await rig.deliver_due()
        event = await event_at(rig, 0)
        assert event.kind is ProviderEventKind.CHECKOUT_EXPIRED
        assert event.payment_id == "pay_1"

    async def test_closing_a_paid_page_says_that_it_is_paid(self, rig: Rig) -> None:
        checkout = await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await rig.payer_succeeds("pay_1")
        outcome = await asyncio.to_thread(rig.provider.expire_checkout, checkout.provider_ref)
        assert outcome.state is CheckoutState.PAID
        assert outcome.captured == Money(2000, "EUR")

    @pytest.mark.parametrize(
        "money", [Money(500, "JPY"), Money(5120, "KWD"), Money(700, "ISK"), Money(20000, "UGX"), Money(500000, "MGA")]
    )
    async def test_every_currency_comes_back_as_it_went(self, rig: Rig, money: Money) -> None:
        request = replace(checkout_request(), amount=money)
        checkout = await asyncio.to_thread(rig.provider.create_checkout, request)
        await rig.payer_succeeds("pay_1")
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert outcome.captured == money


class TestUnknownOutcome:
    async def test_nobody_there(self, rig: Rig) -> None:
        with pytest.raises(ProviderUnavailable) as unavailable:
            await asyncio.to_thread(rig.unreachable.create_checkout, checkout_request())
        assert unavailable.value.kind is Kind.UNAVAILABLE
        assert unavailable.value.retry_after_s
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.find_checkout, "cs_test_1")
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.unreachable.expire_checkout, "cs_test_1")

    async def test_a_broken_server(self, rig: Rig) -> None:
        rig.break_next(work_done=False, dropped=False)
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await asyncio.to_thread(rig.provider.create_checkout, checkout_request())

    @pytest.mark.parametrize("dropped", [True, False])
    async def test_a_lost_answer_is_found_again_with_the_same_key(self, rig: Rig, *, dropped: bool) -> None:
        rig.break_next(work_done=True, dropped=dropped)
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        # The payer could already have paid it: the retry must find this checkout, not open a second one.
        await rig.payer_succeeds("pay_1")
        checkout = await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        outcome = await asyncio.to_thread(rig.provider.find_checkout, checkout.provider_ref)
        assert outcome.state is CheckoutState.PAID

    async def test_an_answer_that_does_not_come(self, rig: Rig) -> None:
        released = asyncio.Event()
        rig.pause_next(released.wait)
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.impatient.create_checkout, checkout_request())
        released.set()

    async def test_the_same_key_twice_at_once(self, rig: Rig) -> None:
        arrived, released = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            arrived.set()
            await released.wait()

        rig.pause_next(hold)
        first = asyncio.create_task(asyncio.to_thread(rig.provider.create_checkout, checkout_request()))
        await arrived.wait()
        with pytest.raises(ProviderUnavailable):
            await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        released.set()
        made = await first
        assert await asyncio.to_thread(rig.provider.create_checkout, checkout_request()) == made

    async def test_a_key_that_the_provider_does_not_know(self, rig: Rig) -> None:
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(rig.stranger.create_checkout, checkout_request())
        assert refused.value.kind is Kind.INTERNAL


class TestEvents:
    async def test_repeats_until_it_is_taken(self, rig: Rig) -> None:
        await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        rig.inbox.statuses = [500, 503]
        await rig.payer_succeeds("pay_1")
        for _ in range(20):
            rig.clock.advance(3600)
            await rig.deliver_due()
        ids = {(await event_signed_anew(rig, position)).id for position in range(len(rig.inbox.received))}
        assert len(rig.inbox.received) == 3
        assert len(ids) == 1

    async def test_a_replay_is_the_same_event(self, rig: Rig) -> None:
        await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await rig.payer_succeeds("pay_1")
        assert await event_at(rig, 0) == await event_at(rig, 0)

    async def test_a_signature_lives_five_minutes(self, rig: Rig) -> None:
        await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await rig.payer_succeeds("pay_1")
        rig.clock.advance(300)
        assert (await event_at(rig, 0)).kind is ProviderEventKind.CHECKOUT_PAID
        rig.clock.advance(1)
        with pytest.raises(ProviderEventRejected) as rejected:
            await event_at(rig, 0)
        assert rejected.value.reason == "stale"
        assert rejected.value.kind is Kind.INVALID

    async def test_a_changed_body_is_rejected(self, rig: Rig) -> None:
        await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await rig.payer_succeeds("pay_1")
        body, headers = rig.inbox.received[0]
        with pytest.raises(ProviderEventRejected) as rejected:
            rig.provider.parse_event(body.replace(b"pay_1", b"pay_2"), headers)
        assert rejected.value.reason == "signature"

    async def test_a_strangers_signature_is_rejected(self, rig: Rig) -> None:
        body = json.dumps({"id": "evt_1"}).encode()
        with pytest.raises(ProviderEventRejected) as rejected:
            rig.provider.parse_event(body, rig.signed(body, at=rig.clock.now(), secret="whsec_stranger"))
        assert rejected.value.reason == "signature"

    @pytest.mark.parametrize("signature", [None, "", "t=x,v1=", "17.x"])
    async def test_no_signature_is_rejected(self, rig: Rig, signature: str | None) -> None:
        headers = {rig.signature_header: signature} if signature is not None else {}
        with pytest.raises(ProviderEventRejected) as rejected:
            rig.provider.parse_event(b"{}", headers)
        assert rejected.value.reason == "signature"

    @pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"id": "evt_1"}', b"not json"])
    async def test_a_signed_body_of_no_shape_is_rejected(self, rig: Rig, body: bytes) -> None:
        with pytest.raises(ProviderEventRejected) as rejected:
            rig.provider.parse_event(body, rig.signed(body, at=rig.clock.now()))
        assert rejected.value.reason == "malformed"

    async def test_a_body_that_is_not_text_is_rejected(self, rig: Rig) -> None:
        body = b"\xff\xfe"
        with pytest.raises(ProviderEventRejected):
            rig.provider.parse_event(body, rig.signed(body, at=rig.clock.now()))

    async def test_header_names_come_in_any_case(self, rig: Rig) -> None:
        await asyncio.to_thread(rig.provider.create_checkout, checkout_request())
        await rig.payer_succeeds("pay_1")
        body, headers = rig.inbox.received[0]
        for change in (str.lower, str.upper, str.title):
            event = rig.provider.parse_event(body, {change(name): value for name, value in headers.items()})
            assert event.kind is ProviderEventKind.CHECKOUT_PAID


async def event_signed_anew(rig: Rig, position: int) -> ProviderEvent:
    """Reads a notification that came long ago as if it were signed now."""
    body, _ = rig.inbox.received[position]
    return await asyncio.to_thread(rig.provider.parse_event, body, rig.signed(body, at=rig.clock.now()))
