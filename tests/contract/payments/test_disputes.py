"""The payment provider port: what payers' banks take back by themselves, and how they decide."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chalicelib.payments.providers.port import (
    DisputeOutcome,
    DisputeState,
    Movement,
    ProviderEvent,
    ProviderEventKind,
    ProviderRefused,
    ProviderUnavailable,
)
from tests.contract.payments.rigs import Rig, events_of
from tests.contract.payments.test_refunds import PAID, pay, refund_of

OPENED, CHANGED = ProviderEventKind.DISPUTE_OPENED, ProviderEventKind.DISPUTE_CHANGED


async def told(rig: Rig) -> list[ProviderEvent]:
    return [event for event in await events_of(rig) if event.kind in (OPENED, CHANGED)]


async def as_it_stands(rig: Rig) -> DisputeOutcome:
    """All that is told names one dispute."""
    [ref] = {event.dispute_ref for event in await told(rig)}
    assert ref is not None
    return await asyncio.to_thread(rig.provider.find_dispute, ref)


async def lines_of(rig: Rig, dispute: DisputeOutcome) -> list[Movement]:
    """What the list of movements has of it, oldest first."""
    now = rig.clock.now()
    lines = await asyncio.to_thread(
        lambda: list(rig.provider.list_movements(now - timedelta(days=30), now + timedelta(days=1)))
    )
    return [line for line in lines if line.kind == "dispute" and line.source_ref == dispute.dispute_ref][::-1]


async def check_lines(rig: Rig, dispute: DisputeOutcome, amounts: list[int]) -> None:
    """The dispute and the list of movements say the same."""
    listed = await lines_of(rig, dispute)
    assert [line.amount.amount for line in listed] == amounts
    assert [(line.movement_ref, line.amount, line.fee, line.created_at) for line in listed] == [
        (line.movement_ref, line.amount, line.fee, line.created_at) for line in dispute.lines
    ]


async def test_it_is_told_and_takes_the_money(rig: Rig) -> None:
    payment_ref = await pay(rig)
    await rig.payer_disputes("pay_1")
    opened = (await told(rig))[0]
    assert opened.kind is OPENED
    payment_id = opened.payment_id
    if payment_id is None:
        assert opened.payment_ref is not None
        payment_id = await asyncio.to_thread(rig.provider.find_payment_id, opened.payment_ref)
    assert payment_id == "pay_1"
    dispute = await as_it_stands(rig)
    assert (dispute.state, dispute.amount, dispute.payment_ref) == (DisputeState.OPEN, PAID, payment_ref)
    assert dispute.reason
    assert dispute.respond_by is not None
    assert dispute.respond_by > rig.clock.now()
    await check_lines(rig, dispute, [-2000])


async def test_one_that_is_won_brings_the_money_back(rig: Rig) -> None:
    await pay(rig)
    await rig.payer_disputes("pay_1")
    rig.clock.advance(9 * 24 * 3600)
    await rig.bank_decides("pay_1", won=True)
    dispute = await as_it_stands(rig)
    assert (dispute.state, dispute.respond_by) == (DisputeState.WON, None)
    assert (await told(rig))[-1].kind is CHANGED
    await check_lines(rig, dispute, [-2000, 2000])


async def test_one_that_is_lost_moves_nothing_more(rig: Rig) -> None:
    await pay(rig)
    await rig.payer_disputes("pay_1")
    await rig.bank_decides("pay_1", won=False)
    dispute = await as_it_stands(rig)
    assert (dispute.state, dispute.respond_by) == (DisputeState.LOST, None)
    assert (await told(rig))[-1].kind is CHANGED
    await check_lines(rig, dispute, [-2000])


async def test_an_inquiry_moves_no_money(rig: Rig) -> None:
    payment_ref = await pay(rig)
    await rig.payer_inquires("pay_1")
    assert [event.kind for event in await told(rig)] == [OPENED]
    dispute = await as_it_stands(rig)
    assert (dispute.state, dispute.amount, dispute.lines) == (DisputeState.INQUIRY, PAID, ())
    await asyncio.to_thread(rig.provider.refund, refund_of(payment_ref, 500))  # the best answer to it
    await rig.bank_decides("pay_1", won=True)
    assert (await as_it_stands(rig)).state is DisputeState.WON
    await check_lines(rig, await as_it_stands(rig), [])


async def test_an_inquiry_becomes_a_dispute(rig: Rig) -> None:
    await pay(rig)
    await rig.payer_inquires("pay_1")
    await rig.payer_disputes("pay_1")
    dispute = await as_it_stands(rig)
    assert dispute.state is DisputeState.OPEN
    await check_lines(rig, dispute, [-2000])


async def test_nobody_there(rig: Rig) -> None:
    with pytest.raises(ProviderUnavailable):
        await asyncio.to_thread(rig.unreachable.find_dispute, "dp_1")
    with pytest.raises(ProviderRefused):
        await asyncio.to_thread(rig.provider.find_dispute, "dp_1")
