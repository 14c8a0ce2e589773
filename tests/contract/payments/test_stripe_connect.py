"""What only Stripe has in payouts: two steps, either of which can be the last for a while."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chalicelib.kernel.errors import Kind
from chalicelib.payments.providers.port import Movement, PayoutState, ProviderRefused, ProviderUnavailable
from infra.local.payments import Fault
from tests.contract.payments.rigs import StripeRig
from tests.contract.payments.test_payees import payout_to, ready_payee

NO_FAULT = Fault("none", writes_only=True)


async def transfers(rig: StripeRig) -> list[Movement]:
    now = rig.clock.now()
    lines = await asyncio.to_thread(
        lambda: list(rig.provider.list_movements(now - timedelta(days=30), now + timedelta(days=1)))
    )
    return [line for line in lines if line.kind == "transfer"]


@pytest.mark.parametrize("work_done", [True, False])
@pytest.mark.parametrize("steps_before", [0, 1])
@pytest.mark.parametrize("wait_s", [0, 3 * 24 * 3600])
async def test_a_payout_goes_on_where_it_stopped(
    stripe_rig: StripeRig, *, work_done: bool, steps_before: int, wait_s: int
) -> None:
    payee = await ready_payee(stripe_rig)
    stripe_rig.fake.faults.extend([NO_FAULT] * steps_before)
    stripe_rig.fake.faults.append(Fault("drop", work_done=work_done, writes_only=True))
    with pytest.raises(ProviderUnavailable):
        await asyncio.to_thread(stripe_rig.provider.pay_out, payout_to(payee))
    stripe_rig.clock.advance(wait_s)  # after a day Stripe has forgotten the keys
    made = await asyncio.to_thread(stripe_rig.provider.pay_out, payout_to(payee))
    assert made.state is not PayoutState.FAILED
    assert [line.amount.amount for line in await transfers(stripe_rig)] == [-3000]
    assert stripe_rig.fake.payees.act_on_payout("wdr_1", succeeds=True)["id"] == made.payout_ref.split("/")[1]


async def test_a_refused_payout_takes_its_transfer_back(stripe_rig: StripeRig) -> None:
    payee = await ready_payee(stripe_rig)
    stripe_rig.switch_payouts_off(payee)
    for _ in range(2):
        with pytest.raises(ProviderRefused) as refused:
            await asyncio.to_thread(stripe_rig.provider.pay_out, payout_to(payee))
        assert refused.value.kind is Kind.UNPROCESSABLE
    assert sorted(line.amount.amount for line in await transfers(stripe_rig)) == [-3000, 3000]
    assert {line.payout_id for line in await transfers(stripe_rig)} == {"wdr_1"}


async def test_what_cannot_be_taken_back_is_unknown(stripe_rig: StripeRig) -> None:
    payee = await ready_payee(stripe_rig)
    made = await asyncio.to_thread(stripe_rig.provider.pay_out, payout_to(payee))
    stripe_rig.fake.payees.act_on_payout("wdr_1", succeeds=False)
    stripe_rig.fake.faults.append(Fault("error", writes_only=True))
    with pytest.raises(ProviderUnavailable):
        await asyncio.to_thread(stripe_rig.provider.find_payout, made.payout_ref)
    failed = await asyncio.to_thread(stripe_rig.provider.find_payout, made.payout_ref)
    assert failed.state is PayoutState.FAILED
    assert sum(line.amount.amount for line in await transfers(stripe_rig)) == 0


async def test_a_payees_account_pays_nothing_out_by_itself(stripe_rig: StripeRig) -> None:
    payee = await ready_payee(stripe_rig)
    account = stripe_rig.account_of(payee)
    assert account["settings"]["payouts"]["schedule"] == {"interval": "manual"}
    assert account["controller"]["losses"] == {"payments": "application"}
