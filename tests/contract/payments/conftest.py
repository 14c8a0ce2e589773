"""The rigs of rigs.py as fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from chalicelib.payments.providers.port import PaymentProvider
from tests.contract.payments.rigs import RIGS, Rig, StripeRig, stripe_test_key, stripe_test_mode


@pytest.fixture(params=sorted(RIGS))
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    rig = RIGS[request.param]()
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture
async def stripe_rig() -> AsyncIterator[StripeRig]:
    """For what only Stripe has."""
    rig = StripeRig()
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture(params=[*sorted(RIGS), *(["stripe test mode"] if stripe_test_key() else [])])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[tuple[PaymentProvider, datetime]]:
    """A provider and its present: the fake's, and a real account's where there is a key."""
    if request.param == "stripe test mode":
        yield stripe_test_mode()
        return
    rig = RIGS[request.param]()
    await rig.start()
    yield rig.provider, rig.clock.now()
    await rig.stop()
